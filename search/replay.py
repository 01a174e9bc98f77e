"""``flyweight replay``: train a trial once more and compare its figures bit for bit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from safetensors.torch import save

from search.errors import TrialError
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.storage.weights import weights_of
from search.study.records import Outcome, TrialRecord
from search.study.study import StoredStudy, open_study
from search.text import percent, plural
from search.workers.conditions import conditions_before, conditions_of
from search.workers.data import data_root, reopen_data, search_split
from search.workers.devices import choose_device, hardware
from search.workers.patience import said_if_slow
from search.workers.stop import StopSignal
from search.workers.training import Training
from trainer.backends.choose import prepare_backend
from trainer.loop import Epoch
from trainer.runtime import torch_threads

__all__ = ["TrialReplay", "replay", "replay_text"]

_NOT_KEPT = "not kept"


@dataclass(frozen=True)
class TrialReplay:
    """A trial that was trained once more.

    Attributes:
        study: name of its study.
        trial: its number.
        before: the epochs of the trial.
        now: the epochs of the replay; fewer where it failed earlier.
        failures: why the trial and the replay ended early; empty where they did not.
        same_weights: whether the weights are the same to the last bit; None where the trial kept
            no checksum of them.
        conditions: what figures depend on (versions, device, path, precision, kernels, threads),
            for the trial and for the replay; ``not kept`` for what an earlier version did not
            store with the trial.
    """

    study: str
    trial: int
    before: tuple[Epoch, ...]
    now: tuple[Epoch, ...]
    failures: tuple[str, str]
    same_weights: bool | None
    conditions: Mapping[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        """Return whether every figure, and the weights, are the same to the last bit."""
        same_epochs = self.first_difference is None and len(self.before) == len(self.now)
        return (
            same_epochs and self.failures[0] == self.failures[1] and self.same_weights is not False
        )

    @property
    def first_difference(self) -> int | None:
        """Return the place of the first epoch whose figures differ, from 0; None without one."""
        pairs = enumerate(zip(self.before, self.now, strict=False))
        return next((place for place, (old, new) in pairs if not _equal(old, new)), None)

    @property
    def differences(self) -> dict[str, tuple[str, str]]:
        """Return the conditions that are known of both and differ."""
        found = self.conditions.items()
        return {k: pair for k, pair in found if pair[0] != pair[1] and pair[0] != _NOT_KEPT}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the conditions that were not stored with the trial."""
        return tuple(key for key, pair in self.conditions.items() if pair[0] == _NOT_KEPT)


def replay(
    study: str | Path,
    trial: int,
    *,
    storage: str = DEFAULT_STORAGE,
    data: str | Path | None = None,
    device: str | None = None,
    console: Console | None = None,
) -> TrialReplay:
    """Train a trial once more from its recipe and seed, and compare it with what was stored.

    It trains as many epochs as the trial did, with as many threads, on the same kind of device if
    this machine has it. Nothing is stored.

    Args:
        study: path of a study file, or name of a study in the storage.
        trial: its number.
        storage: URL of the study database.
        data: root of the data sets; by default ``$FLYWEIGHT_DATA``, else ``data/``.
        device: ``cpu``, ``cuda``, ``cuda:N`` or ``mps``; by default that of the trial.
        console: where to show progress; by default standard output.

    Raises:
        StorageError: there is no such study.
        TrialError: there is no such trial, or it was not trained.
        DeviceError: this machine does not have the device.
        ResumeError: the images are others than when the study began.
    """
    quiet_optuna()
    shown = console or Console()

    def tell(line: str) -> None:
        shown.print(line, highlight=False, markup=False, soft_wrap=True)

    stored = open_study(study, storage, writing=False)
    record = _trained(stored, trial)
    where = choose_device(device) if device else _device_of(record)
    with said_if_slow(tell, f"reading the images of {stored.data.name}"):
        split = search_split(reopen_data(stored, data_root(data)), where, record.fold)
    with said_if_slow(tell, "building the kernels for this processor, which is done once"):
        prepare_backend(where)
    with _threads_of(record):
        tell(
            f"{stored.name}, trial {trial} once more: {plural(len(record.epochs), 'epoch')} "
            f"on {hardware(where)}, {plural(torch.get_num_threads(), 'thread')}"
        )
        training = Training(record.candidate(stored.data.input_shape), split, StopSignal())
        now = conditions_before(where)
        _train(training, record, tell)
    if training.epochs:
        now |= conditions_of(training.epochs[0])
    return TrialReplay(
        study=stored.name,
        trial=trial,
        before=record.epochs,
        now=tuple(training.epochs),
        failures=(record.reason if record.outcome is Outcome.DIVERGED else "", training.reason),
        same_weights=_same_weights(record, training),
        conditions=_compare(record.attributes, now),
    )


def replay_text(result: TrialReplay) -> str:
    """Return the result of a replay as lines for people."""
    place = result.first_difference
    if result.same:
        weights = ", its weights too" if result.same_weights else ""
        lines = [f"every figure is the same to the last bit{weights}"]
    elif place is not None:
        lines = [f"the figures differ from epoch {place + 1} of {len(result.before)} on"]
    elif result.failures[0] != result.failures[1]:
        was, now = (failure or "no failure" for failure in result.failures)
        lines = [f"the end differs: was {was}, now {now}"]
    else:
        lines = ["the figures are the same, but the weights differ"]
    lines += [f"{key}: was {was}, now {now}" for key, (was, now) in result.differences.items()]
    if not result.same and not result.differences:
        known = [key for key in result.conditions if key not in result.unknown]
        lines.append(f"the same as then: {', '.join(known)}")
    if not result.same and result.unknown:
        lines.append(f"not kept with the trial, so unknown: {', '.join(result.unknown)}")
    return "\n".join(lines)


def _trained(stored: StoredStudy, number: int) -> TrialRecord:
    records = stored.records()
    record = next((record for record in records if record.number == number), None)
    if record is None:
        there = f"its trials are 0 to {len(records) - 1}" if records else "it has none yet"
        raise TrialError(f"{stored.name} has no trial {number}; {there}")
    if record.outcome not in (Outcome.COMPLETE, Outcome.PRUNED, Outcome.DIVERGED):
        raise TrialError(
            f"trial {number} of {stored.name} is {record.outcome or 'not finished'}; "
            "only a trained trial can be replayed"
        )
    return record


def _device_of(record: TrialRecord) -> torch.device:
    """Return the device of the trial's name, if this machine has one, else the fastest."""
    best = choose_device(None)
    for device in (best, torch.device("cpu")):
        if hardware(device) == record.attributes.get("device"):
            return device
    return best


@contextmanager
def _threads_of(record: TrialRecord) -> Iterator[None]:
    with torch_threads(record.attributes.get("threads") or torch.get_num_threads()):
        yield


def _train(training: Training, record: TrialRecord, tell: Callable[[str], object]) -> None:
    """Train as many epochs as the trial did; one that diverged began another."""
    count = len(record.epochs)
    begun = count + (record.outcome is Outcome.DIVERGED)
    for new in training:
        if new.number < count:
            tell(_epoch_line(record.epochs[new.number], new, count))
        if len(training.epochs) == begun:
            break


def _equal(old: Epoch, new: Epoch) -> bool:
    return (old.number, old.loss, old.train_accuracy, old.accuracy) == (
        new.number,
        new.loss,
        new.train_accuracy,
        new.accuracy,
    )


def _epoch_line(old: Epoch, new: Epoch, count: int) -> str:
    same = "the same" if _equal(old, new) else f"was {percent(old.accuracy)}, loss {old.loss!r}"
    return (
        f"epoch {new.number + 1:>3} of {count}  {percent(new.accuracy)}  loss {new.loss!r}  {same}"
    )


def _same_weights(record: TrialRecord, training: Training) -> bool | None:
    kept = record.attributes.get("weights_sha256")
    if kept is None or record.outcome is not Outcome.COMPLETE:
        return None
    if training.failure is not None:
        return False
    return bool(kept == hashlib.sha256(save(weights_of(training.network))).hexdigest())


def _compare(kept: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    was, flat = _flat(kept), _flat(now)
    return {key: (str(was.get(key, _NOT_KEPT)), str(value)) for key, value in flat.items()}


def _flat(conditions: Mapping[str, Any]) -> dict[str, Any]:
    others = {key: value for key, value in conditions.items() if key != "versions"}
    return {**conditions.get("versions", {}), **others}
