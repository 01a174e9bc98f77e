"""Judges what runs recommend: fresh seeds, and images that no run has seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from search.spec.candidate import Candidate
from search.study.records import TrialRecord
from search.study.seeds import confirm_seed
from search.study.study import StoredStudy
from search.text import percent
from search.workers.data import DataSplit, final_split
from search.workers.stop import Stopped, StopSignal
from search.workers.training import Training
from tests.benchmarks.report import provenance, write_json
from tests.benchmarks.strategies.images import IMAGES
from tests.benchmarks.strategies.protocol import Protocol, Run, recommended
from tests.benchmarks.strategies.searching import Work, held, is_finished, trained_records
from trainer.data import Images, open_dataset
from trainer.metrics import accuracy

__all__ = ["Judged", "judge_all", "judgement_of", "recommendations"]

_WATCHED = 500
"""Images that are evaluated after each epoch, for a training must have some."""


@dataclass(frozen=True)
class Judged:
    """What a candidate is worth.

    Attributes:
        accuracies: after the last epoch, one for each seed, 0 to 1; 0 where a training failed.
    """

    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Return the mean over the seeds."""
        return fmean(self.accuracies)


def recommendations(
    stored: StoredStudy, records: list[TrialRecord], times: Iterable[int]
) -> list[TrialRecord]:
    """Return the trial that a run recommends after each number of trainings.

    Args:
        stored: the study of the run.
        records: of the trained trials, in their order.
        times: numbers of trainings.

    Raises:
        ValueError: if no trial is complete by one of them.
    """
    by_number = {record.number: record for record in records}
    chosen = []
    for time in times:
        trial = recommended(stored, records[:time])
        if trial is None:
            raise ValueError(f"none of the first {time} trainings is complete")
        chosen.append(by_number[trial])
    return chosen


def judge_all(work: Work, runs: Iterable[Run], stop: StopSignal) -> Iterator[str]:
    """Judge what finished runs recommend, each candidate once, however often it is recommended.

    Args:
        work: where and with what.
        runs: those to judge; unfinished ones are passed over.
        stop: ends the judging; finished candidates are kept.

    Yields:
        A line for each candidate that was judged.
    """
    data: DataSplit | None = None
    for run in runs:
        if not is_finished(work.folder, run):
            continue
        stored, records = trained_records(work.folder, run)
        for record in recommendations(stored, records, work.protocol.times):
            if stop:
                return
            path = _place(work.folder, record)
            with held(path) as mine:
                if not mine or path.exists():
                    continue
                data = data or _images(work)
                candidate = record.candidate(stored.data.input_shape)
                try:
                    judged = _judge(candidate, data, work.protocol, stop)
                except Stopped:
                    return
                _write(path, record, judged)
                yield f"{run}, trial {record.number}: judged {percent(judged.mean)}"


def judgement_of(folder: Path, record: TrialRecord) -> Judged | None:
    """Return what a trial's candidate is worth; None where it was not judged yet."""
    path = _place(folder, record)
    if not path.exists():
        return None
    return Judged(tuple(json.loads(path.read_text(encoding="utf-8"))["accuracies"]))


def _images(work: Work) -> DataSplit:
    """Return all images that a search sees, to train on, and those that none sees, to judge by."""
    return final_split(open_dataset(f"npz:{work.folder / IMAGES}"), work.context().open_device())


def _judge(candidate: Candidate, data: DataSplit, protocol: Protocol, stop: StopSignal) -> Judged:
    """Train a candidate with fresh seeds.

    Raises:
        Stopped: if this process is asked to stop meanwhile.
    """
    unseen = data.evaluation
    watched = Images(unseen.pixels[:_WATCHED], unseen.labels[:_WATCHED])
    accuracies = []
    for repeat in range(protocol.judgings):
        recipe = replace(candidate.recipe, seed=confirm_seed(0, 1, repeat))
        training = Training(
            replace(candidate, recipe=recipe), replace(data, evaluation=watched), stop
        )
        training.run()
        failed = training.failure is not None
        normalisation = recipe.normalisation(data.normalisation)
        accuracies.append(0.0 if failed else accuracy(training.network, unseen, normalisation))
    return Judged(tuple(accuracies))


def _write(path: Path, record: TrialRecord, judged: Judged) -> None:
    value = {
        "architecture": record.architecture,
        "recipe": _without_seed(record),
        "accuracies": judged.accuracies,
        "origin": provenance(),
    }
    write_json(path, value)


def _place(folder: Path, record: TrialRecord) -> Path:
    """Return the file of a candidate; equal architectures and recipes, but for seeds, have one."""
    text = json.dumps([record.architecture, _without_seed(record)], sort_keys=True)
    return folder / "judged" / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json"


def _without_seed(record: TrialRecord) -> dict[str, object]:
    return {key: value for key, value in record.recipe.items() if key != "seed"}
