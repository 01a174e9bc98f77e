"""What every worker needs before its first piece of work: data, space and device at hand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from search.errors import ResumeError
from search.spec.study_file import StudyFile
from search.study.study import StoredStudy
from search.workers.devices import choose_device
from space.search_space import SearchSpace
from trainer.data import Dataset, Images, Normalisation, normalisation, open_dataset

__all__ = [
    "data_root",
    "open_data",
    "search_parts",
    "search_space_of",
    "use_threads",
    "workers_for",
]

DATA_VARIABLE = "FLYWEIGHT_DATA"

# More of them would draw candidates before the sampler has learned from those at work.
_MOST_WORKERS = 16
_WORKERS_PER_GPU = 4


@dataclass(frozen=True)
class DataSplit:
    """The images of one kind of training, on the device that trains.

    Attributes:
        training: to learn from.
        evaluation: to be judged on.
        normalisation: from the training images.
    """

    training: Images
    evaluation: Images
    normalisation: Normalisation


def data_root(given: Path | None) -> Path:
    """Returns the folder of the data sets: as given, else ``$FLYWEIGHT_DATA``, else ``data/``."""
    return given or Path(os.environ.get(DATA_VARIABLE) or "data")


def open_data(file: StudyFile, root: Path) -> Dataset:
    """Opens a study's data set.

    Raises:
        DataError: if it is not there or cannot be used.
    """
    settings = file.settings
    return open_dataset(
        settings.dataset, root, image_size=settings.image_size, colour=settings.colour
    )


def reopen_data(stored: StoredStudy, root: Path) -> Dataset:
    """Opens the data set of a study that has begun.

    Raises:
        DataError: if it is not there or cannot be used.
        ResumeError: if it holds other images than when the study began.
    """
    dataset = open_data(stored.file, root)
    if not stored.search_data_matches(dataset.info):
        raise ResumeError(
            f"{root}: the images of {dataset.info.name} are not those that the study "
            f"{stored.name!r} began with; put those back or begin a new study"
        )
    return dataset


def search_space_of(stored: StoredStudy) -> SearchSpace:
    """Returns the study's space for the shape and classes of its data."""
    return stored.file.search_space(stored.data.input_shape, len(stored.data.classes))


def search_parts(dataset: Dataset, device: torch.device) -> DataSplit:
    """Returns what a search may see: the training part, split, never the test part."""
    training, validation = dataset.search_split()
    return DataSplit(training.to(device), validation.to(device), normalisation(training))


def final_parts(dataset: Dataset, device: torch.device) -> DataSplit:
    """Returns the whole training part, and the test part to be judged on."""
    training = dataset.training()
    return DataSplit(training.to(device), dataset.test().to(device), normalisation(training))


def workers_for(device: torch.device, pieces: int) -> int:
    """Returns how many workers suit a machine that has so many pieces of work to do.

    One core each is faster than several cores for one worker, as long as there is enough work.
    """
    most = min(cores(), _MOST_WORKERS)
    if device.type == "cuda":
        most = min(most, _WORKERS_PER_GPU * torch.cuda.device_count())
    elif device.type != "cpu":
        most = 1
    return max(1, min(most, pieces))


def use_threads(workers: int) -> None:
    """Shares the machine's cores among workers, at least one thread each."""
    torch.set_num_threads(max(1, cores() // workers))


def cores() -> int:
    """Returns the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class WorkerContext:
    """Where a worker stands among its fellows.

    Attributes:
        index: from 0.
        workers: how many work on this machine.
        device: name of the device, None to choose.
        data: root of the data sets.
    """

    index: int
    workers: int
    device: str | None
    data: Path

    def open_device(self) -> torch.device:
        """Takes this worker's share of cores and device memory and returns its device.

        Where a machine has several CUDA devices and none was named, the workers take turns.

        Raises:
            DeviceError: if there is no such device here.
        """
        use_threads(self.workers)
        device = choose_device(self.device)
        if device.type != "cuda":
            return device
        devices = torch.cuda.device_count() if device.index is None else 1
        if device.index is None:
            device = torch.device("cuda", self.index % devices)
        sharing = -(-self.workers // devices)
        torch.cuda.set_per_process_memory_fraction(1 / sharing, device)
        return device
