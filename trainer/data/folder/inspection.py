"""A look at every file of a folder of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from trainer.data.findings import Findings, FoundPart, Group, Sample, measure
from trainer.data.folder.contents import FolderContents, Part
from trainer.data.folder.decoding import Broken, Decoded, SizesDiffer
from trainer.data.folder.tree import UNNAMED
from trainer.data.images import Images
from trainer.data.reading import Progress, ReadOptions
from trainer.errors import DataError
from trainer.words import listed, out_of, plural

__all__ = ["inspect_folder"]

_LOOKED_AT = 64
"""The side to which images of differing sizes are brought for the look at them."""

_FEW_COLOURED = 0.05
_MOSTLY_COLOURED = 0.9
_DOUBTFUL = (UNNAMED, "cannot be read here", "in no class's folder", "beside the parts")


def inspect_folder(
    name: str, path: Path, options: ReadOptions, progress: Progress
) -> tuple[Findings, FolderContents]:
    """Decode all files of a folder and say what is found.

    Args:
        name: of the data set.
        path: of the folder.
        options: what the study asks for.
        progress: is told how many files of a part are decoded.

    Returns:
        What was found, and the contents, which can be used where there are no problems.

    Raises:
        DataError: if the layout cannot be used, or no file can be read.
    """
    contents = FolderContents(path, options, progress)
    problems = []
    try:
        parts = contents.decoded_training, contents.decoded_test
    except SizesDiffer as error:
        problems.append(str(error))
        contents = FolderContents(path, replace(options, image_size=_LOOKED_AT), progress)
        parts = contents.decoded_training, contents.decoded_test
    try:
        contents.require_whole(*parts)
        if not problems:
            contents.images()
    except DataError as error:
        problems.append(str(error))
    samples = _samples(contents, *parts)
    form, classes = parts[0].form, contents.classes
    passed_over = contents.layout.passed_over
    findings = Findings(
        name=name,
        rules=options.rules,
        classes=classes,
        input_shape=None
        if problems and not options.image_size and form.resize
        else ((form.channels, form.size[1], form.size[0])),
        parts=tuple(
            FoundPart(
                part,
                found.origin,
                tuple(samples[part].images.labels.bincount(minlength=len(classes)).tolist()),
            )
            for part, found in _parts(contents).items()
        ),
        scale=form.scale,
        sizes=parts[0].sizes,
        passed_over={
            reason: Group(count, tuple(map(str, passed_over.examples[reason])))
            for reason, count in passed_over.counts.items()
        },
        broken=[broken.reason for part in parts for broken in part.broken],
        problems=problems,
    )
    findings.warnings += contents.layout.warnings
    findings.warnings += _file_warnings(findings, contents, *parts)
    measure(findings, samples, _one_colour_hint(options, *parts))
    return findings, contents


def _parts(contents: FolderContents) -> dict[str, Part]:
    return {
        "training": contents.training,
        "validation": contents.validation,
        "test": contents.test,
    }


def _samples(contents: FolderContents, training: Decoded, test: Decoded) -> dict[str, Sample]:
    """Return the decoded images of each part with the names of their files."""
    first, second = contents.training, contents.validation
    begin = len(first.files) - len(_of_training(contents, training))
    files, labels = _whole((first, second), training.broken)
    pixels = torch.from_numpy(training.pixels)
    test_files, test_labels = _whole((contents.test,), test.broken)
    images = {
        "training": (Images(pixels[:begin], labels[:begin]), files[:begin]),
        "validation": (Images(pixels[begin:], labels[begin:]), files[begin:]),
        "test": (Images(torch.from_numpy(test.pixels), test_labels), test_files),
    }
    return {
        part: Sample(found, lambda index, of=of: _named(contents.path, of[index]))  # type: ignore[misc]
        for part, (found, of) in images.items()
    }


def _whole(parts: Sequence[Part], broken: Sequence[Broken]) -> tuple[list[Path], torch.Tensor]:
    files = [file for part in parts for file in part.files]
    gone = {item.index for item in broken}
    keep = [index for index in range(len(files)) if index not in gone]
    labels = torch.cat([part.labels for part in parts])[torch.tensor(keep, dtype=torch.int64)]
    return [files[index] for index in keep], labels


def _one_colour_hint(options: ReadOptions, training: Decoded, test: Decoded) -> str:
    """Return how to see drawings whose colour is that of the background; empty if all is opaque."""
    if not training.transparent + test.transparent:
        return ""
    other = "white" if options.background == "black" else "black"
    return (
        f"; transparent pixels show the background, which is {options.background}, so set "
        f'background = "{other}" if drawings vanish in it'
    )


def _named(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _file_warnings(
    findings: Findings, contents: FolderContents, training: Decoded, test: Decoded
) -> list[str]:
    found = []
    if findings.broken and contents.options.skip_broken:
        shown = "; ".join(findings.broken[:3])
        found.append(f"{plural(len(findings.broken), 'file')} left out as unreadable: {shown}")
    for reason, group in findings.passed_over.items():
        if reason == UNNAMED:
            one = group.count == 1
            looks = "looks like an image and is" if one else "look like images and are"
            found.append(
                f"{plural(group.count, 'file')} without a suffix {looks} not read by the rules "
                f"{findings.rules} of this study, such as {group.examples[0]}; a new study reads "
                "such files"
            )
        elif reason.endswith(_DOUBTFUL):
            found.append(
                f"{plural(group.count, 'file')} not used, {reason}, such as {group.examples[0]}"
            )
    found += _colour_warnings(contents, training, test)
    count = len(training.pixels)
    if 0 < training.wide < count:
        found.append(
            f"{out_of(training.wide, count, 'training image')} grey values of more than 8 bits, "
            "the others 8; they have one scale only among themselves"
        )
    tested = len(test.pixels)
    if test.wide and training.form.scale is None:
        found.append(
            f"{plural(test.wide, 'test image has', 'test images have')} grey values of more than 8 "
            "bits, the training images 8; those above 255 become white, so give all parts one depth"
        )
    if 0 < count <= training.wide and test.wide < tested:
        found.append(
            f"{out_of(tested - test.wide, tested, 'test image')} 8 bits, the training images more; "
            "they do not have the scale of the training images, so give all parts one depth"
        )
    if training.animated + test.animated:
        count = training.animated + test.animated
        found.append(f"several pictures in {plural(count, 'file')}; the first of each is read")
    return found


def _colour_warnings(contents: FolderContents, training: Decoded, test: Decoded) -> list[str]:
    """Say where few images decide that all are read in colour, or where parts differ in it."""
    if contents.options.colour is not None:
        return []
    files, _ = _whole((contents.training, contents.validation), training.broken)
    begin = len(contents.training.files) - len(_of_training(contents, training))
    names = [_named(contents.path, files[index]) for index in training.coloured]
    coloured, count = len(names), len(files)
    in_training = sum(index < begin for index in training.coloured)
    grey = "; set colour = false if grey is meant"
    if training.form.channels == 1:
        if not test.coloured:
            return []
        of_test, _ = _whole((contents.test,), test.broken)
        names = [_named(contents.path, of_test[index]) for index in test.coloured]
        return [
            f"{out_of(len(names), len(of_test), 'test image')} colour and will be grey, for the "
            f"training images have none: {listed(names)}; set colour = true if colour is meant"
        ]
    if coloured and not in_training:
        return [
            f"{out_of(coloured, count - begin, 'validation image')} colour and no training image "
            f"has, so all are read in colour: {listed(names)}{grey}"
        ]
    if 0 < coloured <= max(1, _FEW_COLOURED * count):
        return [
            f"{out_of(coloured, count, 'training image')} colour, so all are read in colour: "
            f"{listed(names)}{grey}"
        ]
    if in_training > _MOSTLY_COLOURED * begin and not test.coloured:
        return [f"no test image has colour, but {out_of(in_training, begin, 'training image')}"]
    return []


def _of_training(contents: FolderContents, training: Decoded) -> list[Broken]:
    """Return the broken files of the training part without those for validation."""
    return [item for item in training.broken if item.index < len(contents.training.files)]
