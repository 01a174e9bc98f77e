"""Open a data set for a look at all of it, before a study uses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.data.dataset import Dataset
from trainer.data.datasets import find_dataset, open_dataset, path_of
from trainer.data.entry import NamedDataset, PathDataset
from trainer.data.findings import Findings, FoundPart, Sample, measure
from trainer.data.images import Images
from trainer.data.reading import Progress, ReadOptions, no_progress

__all__ = ["Inspection", "inspect_dataset"]


@dataclass(frozen=True)
class Inspection:
    """A data set and what was found in it.

    Attributes:
        findings: what was found.
        dataset: opened; None where there are problems.
    """

    findings: Findings
    dataset: Dataset | None


def inspect_dataset(
    name: str,
    root: str | Path = "data",
    options: ReadOptions | None = None,
    progress: Progress = no_progress,
    *,
    thorough: bool = True,
) -> Inspection:
    """Open a data set and look at it: at every file of the user's own, that of the test part too.

    The test part of a set that has a name is not read. Nothing that is found in a test part has
    any effect on what is opened.

    Args:
        name: as for :func:`trainer.data.datasets.open_dataset`.
        root: the folder of the downloaded data sets.
        options: what the study asks of the reading; None for nothing.
        progress: is told how far the reading of a part is.
        thorough: whether to look at the pixels of a set that has a name.

    Raises:
        DataError: if the data cannot be opened at all.
    """
    options = options or ReadOptions()
    entry = find_dataset(name)
    if isinstance(entry, PathDataset) and options.rules > 1:
        findings, dataset = entry.inspect(name, path_of(name), options, progress)
        return Inspection(findings, dataset)
    dataset = open_dataset(
        name,
        root,
        image_size=options.image_size,
        colour=options.colour,
        background=options.background,
        skip_broken=options.skip_broken,
        rules=options.rules,
        progress=progress,
    )
    findings = _of_opened(dataset, entry)
    if thorough:
        training, validation = dataset.search_split()
        samples = {"training": _numbered(training, "training")}
        measure(findings, {**samples, "validation": _numbered(validation, "validation")})
    return Inspection(findings, dataset)


def _of_opened(dataset: Dataset, entry: NamedDataset | PathDataset) -> Findings:
    classes = dataset.info.classes
    training, validation = dataset.search_split()
    counts = [
        tuple(part.labels.bincount(minlength=len(classes)).tolist())
        for part in (training, validation)
    ]
    named = isinstance(entry, NamedDataset)
    whole = "its training part" if named else "the folder"
    return Findings(
        name=dataset.info.name,
        rules=dataset.info.reading.rules,
        classes=classes,
        input_shape=dataset.info.input_shape,
        parts=(
            FoundPart("training", whole, counts[0]),
            FoundPart("validation", f"a sixth of {whole}, set aside", counts[1]),
            FoundPart("test", "not looked at", None),
        ),
    )


def _numbered(images: Images, part: str) -> Sample:
    return Sample(images, lambda index: f"{part} {index}")
