"""What is found in a data set: counts, copies, images without content, and what is doubtful."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

import torch

from trainer.data.images import Images
from trainer.words import listed, plural, spelled

__all__ = ["Findings", "FoundPart", "Group", "Sample", "measure"]

_EXAMPLES = 3
_FEW_IMAGES = 20
_UNEVEN = 10
_DARK = 16
_FAINTER = 4
_UNSCALED = 1
_AT_ONCE = 1_000

Place: TypeAlias = tuple[str, int, int]
"""The part of an image, its label, and its index in the part."""

Values: TypeAlias = tuple[int, int]
"""The lowest and the highest pixel."""


@dataclass(frozen=True)
class FoundPart:
    """A part of a data set.

    Attributes:
        name: ``training``, ``validation`` or ``test``.
        origin: where it comes from, in words.
        counts: images of each class, in the order of the classes; None where it was not looked at.
    """

    name: str
    origin: str
    counts: tuple[int, ...] | None

    @property
    def images(self) -> int | None:
        """Return how many images it has."""
        return None if self.counts is None else sum(self.counts)


@dataclass(frozen=True)
class Group:
    """Some files or images that have one thing in common.

    Attributes:
        count: how many there are.
        examples: the first few, by their names.
    """

    count: int
    examples: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> Group:
        """Make a group of everything that is in it."""
        return cls(len(names), tuple(names[:_EXAMPLES]))


@dataclass(frozen=True)
class Sample:
    """The images of a part with a name for each.

    Attributes:
        images: on the CPU.
        name: returns what an image is called, by its index.
    """

    images: Images
    name: Callable[[int], str]


@dataclass
class Findings:
    """What a data set holds.

    Attributes:
        name: of the data set.
        rules: version of the rules of reading.
        classes: their names.
        input_shape: channels, height and width; None where sizes differ and none is asked for.
        parts: training, validation and test part.
        values: the lowest and the highest pixel of the training part.
        scale: the grey values that became 0 and 255, where files have more than 8 bits.
        sizes: how many training files have each size, as ``width x height``.
        passed_over: what is not read, by reason.
        broken: the files that cannot be read, one line each.
        copies: images with the same pixels: ``within`` a part and a class, in ``two classes``, in
            ``training and validation``, in ``training and test``, in ``validation and test``.
        one_colour: images all of whose pixels are the same.
        warnings: what is doubtful, a sentence each.
        problems: what keeps a study from using the data, a sentence each.
    """

    name: str
    rules: int
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int] | None
    parts: tuple[FoundPart, ...]
    values: tuple[int, int] = (0, 255)
    scale: tuple[float, float] | None = None
    sizes: dict[str, int] = field(default_factory=dict)
    passed_over: dict[str, Group] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    copies: dict[str, Group] = field(default_factory=dict)
    one_colour: Group = field(default_factory=lambda: Group(0, ()))
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; names that are no UTF-8 are spelled as they are shown."""
        plain = asdict(self)
        plain["parts"] = [{**asdict(part), "images": part.images} for part in self.parts]
        spelt: dict[str, Any] = _spelled(plain)
        return spelt


def measure(findings: Findings, samples: Mapping[str, Sample], one_colour_hint: str = "") -> None:
    """Look at the pixels of a data set and add what is found.

    Args:
        findings: of the data set; gets values, copies, images of one colour, warnings, and
            problems. A study of older rules than 3 has warnings for these, for it has begun.
        samples: the parts that are looked at, by their names.
        one_colour_hint: ends what is said of images of one colour.
    """
    values = {
        part: (int(sample.images.pixels.min()), int(sample.images.pixels.max()))
        for part, sample in samples.items()
        if len(sample.images)
    }
    places = _places(samples)
    findings.values = values["training"]
    findings.one_colour = Group.of(_of_one_colour(samples))
    findings.copies = _copies(samples, places)
    problems = findings.problems if findings.rules >= 3 else findings.warnings
    problems += _nothing_to_learn(findings, places, one_colour_hint)
    problems += _fainter(values, unscaled=True)
    findings.warnings += _pixel_warnings(findings, values, one_colour_hint)
    findings.warnings += _count_warnings(findings)


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return spelled(value)
    if isinstance(value, dict):
        return {_spelled(key): _spelled(inner) for key, inner in value.items()}
    return [_spelled(inner) for inner in value] if isinstance(value, list | tuple) else value


def _of_one_colour(samples: Mapping[str, Sample]) -> list[str]:
    found = []
    for sample in samples.values():
        for begin, some in enumerate(torch.split(sample.images.pixels.flatten(2), _AT_ONCE)):
            same = (some == some[:, :, :1]).all(dim=2).all(dim=1)
            found += [sample.name(begin * _AT_ONCE + i) for i in same.nonzero()[:, 0].tolist()]
    return found


def _places(samples: Mapping[str, Sample]) -> dict[bytes, list[Place]]:
    """Return where each image is, by a digest of its pixels."""
    places: dict[bytes, list[Place]] = defaultdict(list)
    for part, sample in samples.items():
        labels = sample.images.labels.tolist()
        for index, image in enumerate(sample.images.pixels.numpy()):
            digest = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
            places[digest].append((part, labels[index], index))
    return places


def _copies(
    samples: Mapping[str, Sample], places: Mapping[bytes, Sequence[Place]]
) -> dict[str, Group]:
    found: dict[str, list[str]] = defaultdict(list)
    for group in places.values():
        if len(group) > 1:
            _sort_copies(group, samples, found)
    return {kind: Group.of(examples) for kind, examples in found.items()}


def _nothing_to_learn(
    findings: Findings, places: Mapping[bytes, Sequence[Place]], one_colour_hint: str
) -> list[str]:
    """Say which classes have the same images, or that there is one image alone."""
    if len(places) == 1:
        (group,) = places.values()
        constant = findings.one_colour.count > 0
        what = "of one and the same colour all over" if constant else "the same"
        hint = one_colour_hint if constant else "; give others"
        return [f"all {len(group):,} images are {what}, so nothing can be learnt{hint}"]
    contents: dict[int, set[bytes]] = defaultdict(set)
    for digest, group in places.items():
        for _, label, _ in group:
            contents[label].add(digest)
    alike: dict[frozenset[bytes], list[int]] = defaultdict(list)
    for label, digests in sorted(contents.items()):
        alike[frozenset(digests)].append(label)
    return [
        f"the classes {listed(repr(findings.classes[label]) for label in labels)} hold the same "
        "images, so nothing can tell them apart; give each its own or leave one out"
        for labels in alike.values()
        if len(labels) > 1
    ]


def _fainter(values: Mapping[str, Values], unscaled: bool) -> Iterator[str]:
    """Say which parts are much fainter than the brightest one.

    Args:
        values: the lowest and the highest pixel of each part.
        unscaled: whether those that go from 0 to 1 are meant, or the others.
    """
    brightest = max(values, key=lambda part: values[part][1])
    most = values[brightest][1]
    faint = {
        part: high
        for part, (_, high) in values.items()
        if high * _FAINTER < most and (high == _UNSCALED) == unscaled
    }
    if faint:
        yield (
            f"pixels go up to {max(faint.values())} in the {' and the '.join(faint)} part, but to "
            f"{most} in the {brightest} part; "
            + ("scale all parts alike" if unscaled else "scale them alike if the scales differ")
        )


def _sort_copies(
    group: Sequence[Place],
    samples: Mapping[str, Sample],
    found: dict[str, list[str]],
) -> None:
    """Put each image that is a copy of an earlier one under all that the two have in common."""
    firsts: dict[tuple[str, int], int] = {}
    for part, label, index in group:
        kinds: dict[str, str] = {}
        for (other_part, other_label), other in firsts.items():
            pair = f"{samples[other_part].name(other)} = {samples[part].name(index)}"
            if other_label != label:
                kinds.setdefault("two classes", pair)
            if other_part != part:
                kinds.setdefault(f"{other_part} and {part}", pair)
            elif other_label == label:
                kinds.setdefault("within", pair)
        firsts.setdefault((part, label), index)
        for kind, pair in kinds.items():
            found[kind].append(pair)


def _pixel_warnings(
    findings: Findings, values: Mapping[str, Values], one_colour_hint: str
) -> list[str]:
    texts = {
        "two classes": "{n} in two classes",
        "training and validation": "{n} both in the training and in the validation part",
        "training and test": "{n} both in the training and in the test part",
        "validation and test": "{n} both in the validation and in the test part",
        "within": "{n} there more than once in one class and part",
    }
    found = []
    for kind, text in texts.items():
        if group := findings.copies.get(kind):
            found.append(f"{text.format(n=_images(group))}: {_shown(group)}")
    found += _fainter(values, unscaled=False)
    most = max(high for _, high in values.values())
    dark = [part for part, (_, high) in values.items() if high <= _DARK and high * _FAINTER >= most]
    if dark:
        where = "" if len(dark) == len(values) else f" of the {' and the '.join(dark)} part"
        found.append(
            f"no pixel{where} is brighter than {max(values[part][1] for part in dark)} of 255; "
            "if that is meant to be white, scale the images"
        )
    if (group := findings.one_colour) and group.count:
        found.append(f"{_images(group)} of one colour all over: {_shown(group)}{one_colour_hint}")
    return found


def _count_warnings(findings: Findings) -> list[str]:
    counts = findings.parts[0].counts
    if not counts:
        return []
    found = []
    few = [
        f"{name!r} ({count})"
        for name, count in zip(findings.classes, counts, strict=True)
        if count < _FEW_IMAGES
    ]
    if few:
        found.append(
            f"{plural(len(few), 'class has', 'classes have')} fewer than {_FEW_IMAGES} training "
            f"images: {listed(few)}"
        )
    if min(counts) and max(counts) >= _UNEVEN * min(counts):
        large, small = counts.index(max(counts)), counts.index(min(counts))
        found.append(
            f"class {findings.classes[large]!r} has {max(counts) / min(counts):.0f} times as many "
            f"training images as {findings.classes[small]!r}, and accuracy counts every image alike"
        )
    return found


def _images(group: Group) -> str:
    return plural(group.count, "image is", "images are")


def _shown(group: Group) -> str:
    more = group.count - len(group.examples)
    return ", ".join(group.examples) + (f" and {more:,} more" if more > 0 else "")
