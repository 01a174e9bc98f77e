"""What is found in a data set: counts, copies, images without content, and what is doubtful."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from trainer.data.images import Images

__all__ = ["Findings", "FoundPart", "Group", "Sample", "measure"]

_EXAMPLES = 3
_FEW_IMAGES = 20
_UNEVEN = 10
_DARK = 16
_AT_ONCE = 1_000


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
        """Return JSON values."""
        plain = asdict(self)
        plain["parts"] = [{**asdict(part), "images": part.images} for part in self.parts]
        return plain


def measure(findings: Findings, samples: Mapping[str, Sample]) -> None:
    """Look at the pixels of a data set and add what is found.

    Args:
        findings: of the data set; gets values, copies, images of one colour, and warnings.
        samples: the parts that are looked at, by their names.
    """
    training = samples["training"].images.pixels
    findings.values = int(training.min()), int(training.max())
    findings.one_colour = Group.of(_of_one_colour(samples))
    findings.copies = _copies(samples)
    findings.warnings += _pixel_warnings(findings)
    findings.warnings += _count_warnings(findings)


def _of_one_colour(samples: Mapping[str, Sample]) -> list[str]:
    found = []
    for sample in samples.values():
        for begin, some in enumerate(torch.split(sample.images.pixels.flatten(2), _AT_ONCE)):
            same = (some == some[:, :, :1]).all(dim=2).all(dim=1)
            found += [sample.name(begin * _AT_ONCE + i) for i in same.nonzero()[:, 0].tolist()]
    return found


def _copies(samples: Mapping[str, Sample]) -> dict[str, Group]:
    places: dict[bytes, list[tuple[str, int, int]]] = defaultdict(list)
    for part, sample in samples.items():
        labels = sample.images.labels.tolist()
        for index, image in enumerate(sample.images.pixels.numpy()):
            digest = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
            places[digest].append((part, labels[index], index))
    found: dict[str, list[str]] = defaultdict(list)
    for group in places.values():
        if len(group) > 1:
            _sort_copies(group, samples, found)
    return {kind: Group.of(examples) for kind, examples in found.items()}


def _sort_copies(
    group: Sequence[tuple[str, int, int]],
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


def _pixel_warnings(findings: Findings) -> list[str]:
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
    if findings.values[1] < _DARK:
        found.append(
            f"no pixel is brighter than {findings.values[1]} of 255; "
            "if that is meant to be white, scale the images"
        )
    if (group := findings.one_colour) and group.count:
        found.append(f"{_images(group)} of one colour all over: {_shown(group)}")
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
        what = "class has" if len(few) == 1 else "classes have"
        more = f" and {len(few) - _EXAMPLES} more" if len(few) > _EXAMPLES else ""
        found.append(
            f"{len(few)} {what} fewer than {_FEW_IMAGES} training images: "
            f"{', '.join(few[:_EXAMPLES])}{more}"
        )
    if min(counts) and max(counts) >= _UNEVEN * min(counts):
        large, small = counts.index(max(counts)), counts.index(min(counts))
        found.append(
            f"class {findings.classes[large]!r} has {max(counts) / min(counts):.0f} times as many "
            f"training images as {findings.classes[small]!r}, and accuracy counts every image alike"
        )
    return found


def _images(group: Group) -> str:
    return "1 image is" if group.count == 1 else f"{group.count:,} images are"


def _shown(group: Group) -> str:
    more = group.count - len(group.examples)
    return ", ".join(group.examples) + (f" and {more:,} more" if more > 0 else "")
