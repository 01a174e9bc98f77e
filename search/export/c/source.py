"""Write the one ``.h`` and the one ``.c`` file of a network from its layers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from space.deployed.flash import SMALL_ARENA
from space.errors import NotDeployable

__all__ = [
    "Array",
    "LayerCall",
    "Program",
    "function_text",
    "header_text",
    "name_of",
    "source_text",
]

_WIDTH = 96

# Keywords of C and C++, and what a program must not call a function.
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor
        bool break case catch char class compl concept const consteval constexpr constinit continue
        default delete do double else enum explicit export extern false float for friend goto if
        inline int long main mutable namespace new noexcept not not_eq nullptr operator or or_eq
        private protected public reflexpr register requires restrict return run short signed sizeof
        static struct switch synchronized template this throw true try typedef typeid typename
        union unsigned using virtual void volatile while xor xor_eq
        """,
    )
)

# A file NAME.h would be taken for the header of the library, or may not exist under Windows.
_HEADERS = frozenset(
    re.findall(
        r"\w+",
        """
        aux complex con ctype errno fenv inttypes iso646 limits locale malloc math memory nul prn
        setjmp signal stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib
        stdnoreturn string strings tgmath threads time uchar unistd wchar wctype
        """,
    )
)
_TYPES = re.compile(r"u?(int|char|short|long|llong|intmax|intptr|int(_fast|_least)?[0-9]+)")
"""The library has macros such as ``INT8_WIDTH``, and so would the header."""

_LONGEST = 32


@dataclass(frozen=True)
class Array:
    """Constants of one type, which stay in flash.

    Attributes:
        type: of an element, in C.
        values: the source of each element.
        about: what they are, for a comment.
    """

    type: str
    values: Sequence[str]
    about: str


@dataclass(frozen=True)
class LayerCall:
    """One entry of the table of layers.

    Attributes:
        function: a name in ``runtime``: the function is ``run_NAME`` and takes a ``struct NAME``.
        fields: of the struct: a number, the source of a value, or an array.
        about: what the layer is, for a comment.
    """

    function: str
    fields: Mapping[str, int | str | Array]
    about: str


@dataclass(frozen=True)
class Program:
    """All that a source is written from.

    Attributes:
        runtime: the folder of the functions, ``int8`` or ``float32``.
        element: the type of an element of the arena, in C.
        needs: what functions use beside themselves: names of further files of the folder.
        arena: elements of the arena.
        image: where the image is written, an offset in the arena.
        logits: where the logits are, an offset in the arena.
        shape: channels, height and width of an image.
        classes: how many.
        calls: the layers.
        before: further files of the folder, which come first.
        includes: headers of the C library.
        logits_scaling: what a step of the logits is, and which whole number stands for 0; None
            where they are floats.
    """

    runtime: str
    element: str
    needs: Mapping[str, Sequence[str]]
    arena: int
    image: int
    logits: int
    shape: tuple[int, int, int]
    classes: int
    calls: Sequence[LayerCall]
    before: Sequence[str] = ()
    includes: Sequence[str] = ("stddef.h",)
    logits_scaling: tuple[float, int] | None = None

    @property
    def arrays(self) -> list[Array]:
        """Return the constants of all layers; an array of several layers comes several times."""
        fields = (value for call in self.calls for value in call.fields.values())
        return [value for value in fields if isinstance(value, Array)]


def name_of(text: str) -> str:
    """Return a name for C: lower case letters, digits and underscores, with a letter in front.

    A long text is cut and ends in digits of its own, so that two networks whose names begin alike
    can be linked into one program.
    """
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if len(name) > _LONGEST:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: _LONGEST - 9].rstrip('_')}_{digest}"
    taken = name in _RESERVED | _HEADERS or _TYPES.fullmatch(name)
    if not name or not name[0].isalpha() or taken:
        name = f"net_{name}".rstrip("_")
    return name


def header_text(program: Program, name: str, about: Sequence[str]) -> str:
    """Return the text of the header.

    Args:
        program: the network.
        name: of its functions, by :func:`name_of`.
        about: lines that say what it is; any text.
    """
    upper, (channels, height, width) = name.upper(), program.shape
    pixel = "uint8_t" if program.element == "int8_t" else program.element
    order = "rows of pixels" if channels == 1 else "rows of pixels, the channels of one together"
    values = "0 to 255" if program.element == "int8_t" else "0.0 to 1.0"
    return "\n".join(
        [
            *_comment(about),
            f"#ifndef {upper}_H",
            f"#define {upper}_H",
            "",
            "#include <stdint.h>",
            "",
            f"#define {upper}_CHANNELS {channels}",
            f"#define {upper}_HEIGHT {height}",
            f"#define {upper}_WIDTH {width}",
            f"#define {upper}_CLASSES {program.classes}",
            "",
            "/* Bytes of the one piece of memory that is used, image and logits included. */",
            f"#define {upper}_ARENA_BYTES {program.arena * _size(program.element)}",
            "",
            *_scaling(program, upper),
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            f"/* Returns where an image is written: {order}, values of {values}.",
            "   It must be written again before each run. */",
            f"{pixel} *{name}_image(void);",
            "",
            "/* Classifies the image and returns its class, 0 to "
            f"{upper}_CLASSES - 1. Not reentrant. */",
            f"int {name}_run(void);",
            "",
            "/* Returns the logits of the last run, one for each class. */",
            f"const {program.element} *{name}_logits(void);",
            "",
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "",
            "#endif",
            "",
        ]
    )


def _scaling(program: Program, upper: str) -> Iterator[str]:
    if program.logits_scaling is not None:
        scale, zero = program.logits_scaling
        yield f"/* A logit q stands for {upper}_LOGITS_SCALE * (q - {upper}_LOGITS_ZERO). */"
        yield f"#define {upper}_LOGITS_SCALE {scale:.8e}f"
        yield f"#define {upper}_LOGITS_ZERO ({zero})"
        yield ""


def source_text(program: Program, name: str, about: Sequence[str]) -> str:
    """Return the text of the source.

    Args:
        program: the network.
        name: of its functions, by :func:`name_of`.
        about: lines that say what it is; any text.
    """
    element, upper = program.element, name.upper()
    place = "uint16_t" if program.arena <= SMALL_ARENA else "uint32_t"
    pixel = "uint8_t" if element == "int8_t" else element
    cast = "(uint8_t *)" if element == "int8_t" else ""
    parts = [
        *_comment(about),
        f'#include "{name}.h"',
        "",
        *(f"#include <{include}>" for include in program.includes),
        "",
        "/* A function of its own, so that its bytes do not depend on what calls it. */",
        "#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8",
        "#define APART __attribute__((noipa))",
        "#else",
        "#define APART",
        "#endif",
        "",
        "/* A place in the arena, in elements. */",
        f"typedef {place} place;",
        f"typedef {element} element;",
        "",
        *_functions(program),
        *_tables(program.calls),
        "struct layer {",
        f"    void (*run)(const void *arguments, {element} *arena);",
        "    const void *arguments;",
        "};",
        "",
        "static const struct layer layers[] = {",
        *(
            f"    {{run_{call.function}, &layer_{number}}},"
            for number, call in enumerate(program.calls, 1)
        ),
        "};",
        "",
        f"static {element} arena[{upper}_ARENA_BYTES / sizeof({element})];",
        "",
        "static APART void run_layers(const struct layer *layer, size_t count)",
        "{",
        "    for (; count > 0; --count, ++layer) {",
        "        layer->run(layer->arguments, arena);",
        "    }",
        "}",
        "",
        f"static APART int greatest_of(const {element} *logits, int count)",
        "{",
        "    int greatest = 0;",
        "    for (int each = 1; each < count; ++each) {",
        "        if (logits[each] > logits[greatest]) {",
        "            greatest = each;",
        "        }",
        "    }",
        "    return greatest;",
        "}",
        "",
        f"{pixel} *{name}_image(void)",
        "{",
        f"    return {cast}arena + {program.image};",
        "}",
        "",
        f"const {element} *{name}_logits(void)",
        "{",
        f"    return arena + {program.logits};",
        "}",
        "",
        f"int {name}_run(void)",
        "{",
        "    run_layers(layers, sizeof layers / sizeof *layers);",
        f"    return greatest_of({name}_logits(), {upper}_CLASSES);",
        "}",
        "",
    ]
    return "\n".join(parts)


def _size(element: str) -> int:
    return {"int8_t": 1, "float": 4}[element]


def _comment(lines: Sequence[str]) -> Iterator[str]:
    """Write lines as a comment, whatever they hold: no text can end it, nor escape from it."""
    for number, line in enumerate(lines):
        safe = "".join(each if " " <= each <= "~" else "?" for each in line)
        safe = safe.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").rstrip("\\")
        begin = "/* " if number == 0 else "   "
        yield f"{begin}{safe}{' */' if number == len(lines) - 1 else ''}"


def function_text(runtime: str, name: str) -> str:
    """Return the text of a file of functions, of a number format or common to all.

    Raises:
        NotDeployable: there is none.
    """
    for folder in (runtime, "common"):
        source = files(__package__) / folder / f"{name}.c"
        if source.is_file():
            return source.read_text(encoding="utf-8")
    raise NotDeployable(f'"{name}" has no function in C; write search/export/c/{runtime}/{name}.c')


def _functions(program: Program) -> Iterator[str]:
    """Yield the text of each function that a layer uses, once, what it needs before it."""
    written: set[str] = set()

    def with_needs(name: str) -> Iterator[str]:
        if name in written:
            return
        written.add(name)
        for needed in program.needs.get(name, ()):
            yield from with_needs(needed)
        yield function_text(program.runtime, name)

    for name in (*program.before, *(call.function for call in program.calls)):
        yield from with_needs(name)


def _tables(calls: Iterable[LayerCall]) -> Iterator[str]:
    """Yield the constants of each layer; an array of several layers is written once."""
    names: dict[int, str] = {}
    for number, call in enumerate(calls, 1):
        fields = []
        for field, value in call.fields.items():
            if not isinstance(value, Array):
                fields.append(f".{field} = {value},")
                continue
            if id(value) not in names:
                names[id(value)] = f"{field.rpartition('.')[2]}_{number}"
                yield from _array(names[id(value)], value)
            fields.append(f".{field} = {names[id(value)]},")
        yield from _comment([call.about])
        yield f"static const struct {call.function} layer_{number} = {{"
        yield from _filled(fields, "    ", " ")
        yield "};"
        yield ""


def _array(name: str, array: Array) -> Iterator[str]:
    yield from _comment([array.about])
    yield f"static const {array.type} {name}[{len(array.values)}] = {{"
    yield from _filled([f"{value}," for value in array.values], "    ", " ")
    yield "};"
    yield ""


def _filled(items: Iterable[str], indent: str, between: str) -> Iterator[str]:
    line = indent
    for item in items:
        if line.strip() and len(line) + len(between) + len(item) > _WIDTH:
            yield line
            line = indent
        line += (between if line.strip() else "") + item
    if line.strip():
        yield line
