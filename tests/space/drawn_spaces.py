"""Random ``[space]`` sections of both forms, and trials that answer at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from hypothesis import strategies as st

from space.fields import Scalar
from space.layers import Shape
from space.layers.activations import ACTIVATIONS
from space.search_space import SearchSpace
from space.stages.fields import STYLES, parse_fields

INPUT_SHAPES: list[Shape] = [(1, 28, 28), (3, 16, 16), (1, 8, 8), (2, 20, 14), (3, 1, 1)]

_PLACES: dict[str, list[str]] = {
    "conv": ["network", "stage", "conv"],
    "stage": ["network", "stage"],
}


class RandomTrial:
    """Answers at random, but for the given answers; notes what it was asked and what it said."""

    def __init__(self, seed: int, answers: Mapping[str, Scalar] | None = None) -> None:
        self._random = Random(seed)
        self._given = answers or {}
        self.asked: dict[str, Scalar] = {}

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        return int(self._answer(name, self._random.randrange(low, high + 1, step)))

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is None:
            return float(self._answer(name, self._random.uniform(low, high)))
        steps = round((high - low) / step)
        drawn = round(low + step * self._random.randint(0, steps), 9)
        return float(self._answer(name, drawn))

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Scalar:
        return self._answer(name, self._random.choice(choices))

    def _answer(self, name: str, drawn: Scalar) -> Scalar:
        assert name not in self.asked, f"{name} was asked for twice"
        self.asked[name] = self._given.get(name, drawn)
        return self.asked[name]


def one_or_more(values: Sequence[Scalar]) -> st.SearchStrategy[object]:
    """Make a value, a list or a table of choices."""
    choices = st.lists(st.sampled_from(values), min_size=1, unique=True)
    return st.one_of(
        st.sampled_from(values), choices, choices.map(lambda given: {"choices": given})
    )


@st.composite
def whole(draw: st.DrawFn, least: int, most: int) -> object:
    """Make a field of whole numbers: any form."""
    if draw(st.booleans()):
        return draw(one_or_more(list(range(least, most + 1))))
    low = draw(st.integers(least, most))
    step = draw(st.integers(1, 3))
    high = low + step * draw(st.integers(0, (most - low) // step))
    if low > 0 and draw(st.booleans()):
        return {"low": low, "high": high, "log": True}
    return {"low": low, "high": high, "step": step}


@st.composite
def staged_sections(draw: st.DrawFn) -> dict[str, object]:
    """Make a section by stages, some of its fields absent, some drawn elsewhere than usual."""
    required = {"width": ("conv", whole(1, 12)), "transition_width": ("stage", whole(1, 9))}
    optional = {
        "stages": ("network", whole(1, 3)),
        "convs": ("stage", whole(1, 3)),
        "kernel": ("conv", one_or_more([1, 2, 3, 4, 5, 6, 7, 9])),
        "block": ("conv", one_or_more(["conv", "separable"])),
        "padding": ("conv", one_or_more(["same", "valid"])),
        "skip": ("conv", one_or_more([True, False])),
        "stem_stride": ("network", whole(1, 3)),
        "pool": ("stage", one_or_more(["max", "avg", "stride"])),
        "transition": ("stage", one_or_more(["none", "before-pool", "after-pool"])),
        "transition_style": ("stage", one_or_more(STYLES)),
        "order": ("conv", one_or_more(["conv-bn-relu", "conv-relu-bn", "conv-relu"])),
        "norm_scale": ("conv", one_or_more([True, False])),
        "activation": ("conv", one_or_more([*ACTIVATIONS])),
        "dropout": ("conv", dropouts()),
        "bias": ("conv", one_or_more([True, False])),
        "head": ("network", heads()),
        "head_hidden": ("network", whole(0, 9)),
        "head_hidden_style": ("network", one_or_more(STYLES)),
    }
    kept = draw(st.lists(st.sampled_from(sorted(optional)), unique=True))
    fields = required | {name: optional[name] for name in kept}
    section: dict[str, object] = {}
    for name in draw(st.permutations(sorted(fields))):
        finest, values = fields[name]
        raw = draw(values)
        if isinstance(raw, dict) and finest in _PLACES and draw(st.booleans()):
            raw = {**raw, "per": draw(st.sampled_from(_PLACES[finest]))}
        section[name] = raw
    # Of these a section may hold only what some candidate can have.
    idle = {problem.key for problem in parse_fields(section)[1]}
    for name in ("skip", "head_hidden"):
        if f"space.{name}" in idle:
            del section[name]
    return section


def heads() -> st.SearchStrategy[object]:
    """Make a field of heads."""
    return one_or_more(["conv-gap", "gap-conv", "gap-linear", "full-conv", "gap"])


@st.composite
def dropouts(draw: st.DrawFn) -> object:
    """Make a field of dropout rates: any form."""
    rates = st.floats(0, 0.9)
    low, high = sorted([draw(rates), draw(rates)])
    return draw(
        st.one_of(
            rates, st.lists(rates, min_size=1, unique=True), st.just({"low": low, "high": high})
        )
    )


_LINES = [
    "conv{k} {a} bn relu",
    "conv3 {a} {pad} relu bn drop{d}",
    "{block} {b} {pad} {act}",
    "{kind}{k} {b} pad{p} stride{s}",
    "conv{k} {c} groups{g} relu",
    "depthwise{k} pad{p} {act}",
    "conv3 {b} pad1 skip relu",
    "conv3 {b} pad1 relu skip{n}",
    "{pooling}pool{s2}",
    "{maybe}",
    "drop{d}",
    "again{n}",
    "linear {a} relu",
    "conv1 5",
    "skip{n}",
    "conv{k}x{n} {a} pad{p}x1 stride{s}x{n} gn{g2} prelu",
    "conv{oblong} {b} dilation{s} gbn{g2} dropout2d{d}",
    "{pooling}pool{k2} stride{s} pad1 ln",
]
_ENDS = [["gap", "conv1 10"], ["{last} 10", "gap"], ["linear 10"], ["conv1 10", "{maybe_gap}"]]
_HOLES: dict[str, st.SearchStrategy[object]] = {
    "a": whole(1, 12),
    "b": whole(1, 12),
    "c": one_or_more([6, 12]),
    "d": dropouts(),
    "g": one_or_more([1, 2, 3]),
    "g2": whole(2, 4),
    "k": one_or_more([1, 2, 3, 5]),
    "k2": one_or_more([2, 3, 4]),
    "n": whole(1, 3),
    "p": whole(0, 2),
    "s": whole(1, 2),
    "s2": whole(2, 3),
    "act": one_or_more(["relu", "bn silu", ""]),
    "block": one_or_more(["conv3", "separable5"]),
    "kind": one_or_more(["conv", "separable"]),
    "last": one_or_more(["conv1", "conv3"]),
    "oblong": one_or_more(["3", "10x4", "1x5", "4x4"]),
    "maybe": one_or_more(["", "maxpool2", "conv1 4"]),
    "maybe_gap": one_or_more(["", "gap"]),
    "pad": one_or_more(["", "pad1", "bias"]),
    "pooling": one_or_more(["max", "avg"]),
}


@st.composite
def template_sections(draw: st.DrawFn) -> dict[str, object]:
    """Make a template whose lines parse, whether they fit together or not."""
    lines = draw(st.lists(st.sampled_from(_LINES), max_size=5)) + draw(st.sampled_from(_ENDS))
    used = [name for name in _HOLES if any(f"{{{name}}}" in line for line in lines)]
    return {"layers": lines, **{name: draw(_HOLES[name]) for name in used}}


@st.composite
def search_spaces(draw: st.DrawFn) -> SearchSpace:
    """Make a search space of either form, on some input."""
    section = draw(st.one_of(staged_sections(), template_sections()))
    shape = draw(st.sampled_from(INPUT_SHAPES))
    return SearchSpace.from_section(section, input_shape=shape, classes=10)
