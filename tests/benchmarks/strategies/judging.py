"""Judges what runs recommend: fresh seeds, and images that no run has seen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from search.spec.candidate import candidate_key
from search.study.seeds import confirm_seed
from search.text import percent
from search.workers.data import DataSplit, final_split
from search.workers.stop import Stopped, StopSignal
from search.workers.training import Training
from tests.benchmarks.report import provenance, write_json
from tests.benchmarks.strategies.protocol import Protocol, Run
from tests.benchmarks.strategies.recommending import Recommendation
from tests.benchmarks.strategies.searching import Work, held, is_finished, recommended_by
from trainer.data import Images, open_dataset
from trainer.metrics import accuracy

__all__ = ["Judged", "judge_all", "judgement_of"]

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
        for chosen in recommended_by(work.folder, run):
            if stop:
                return
            path = _place(work.folder, chosen)
            with held(path) as mine:
                if not mine or path.exists():
                    continue
                data = data or _images(work)
                try:
                    judged = _judge(chosen, data, work.protocol, stop)
                except Stopped:
                    return
                _write(path, chosen, judged)
                yield f"{run}, trial {chosen.trial}: judged {percent(judged.mean)}"


def judgement_of(folder: Path, chosen: Recommendation) -> Judged | None:
    """Return what a recommended candidate is worth; None where it was not judged yet."""
    path = _place(folder, chosen)
    if not path.exists():
        return None
    return Judged(tuple(json.loads(path.read_text(encoding="utf-8"))["accuracies"]))


def _images(work: Work) -> DataSplit:
    """Return all images that a search sees, to train on, and those that none sees, to judge by."""
    return final_split(
        open_dataset(f"npz:{work.folder / work.protocol.images}"), work.context().open_device()
    )


def _judge(chosen: Recommendation, data: DataSplit, protocol: Protocol, stop: StopSignal) -> Judged:
    """Train a candidate with fresh seeds.

    Raises:
        Stopped: if this process is asked to stop meanwhile.
    """
    unseen = data.evaluation
    watched = Images(unseen.pixels[:_WATCHED], unseen.labels[:_WATCHED])
    accuracies = []
    for repeat in range(protocol.judgings):
        candidate = chosen.candidate(confirm_seed(0, 1, repeat))
        training = Training(candidate, replace(data, evaluation=watched), stop)
        training.run()
        failed = training.failure is not None
        normalisation = candidate.recipe.normalisation(data.normalisation)
        accuracies.append(0.0 if failed else accuracy(training.network, unseen, normalisation))
    return Judged(tuple(accuracies))


def _write(path: Path, chosen: Recommendation, judged: Judged) -> None:
    value = {
        "architecture": chosen.architecture,
        "recipe": chosen.recipe,
        "accuracies": judged.accuracies,
        "origin": provenance(),
    }
    write_json(path, value)


def _place(folder: Path, chosen: Recommendation) -> Path:
    """Return the file of a candidate; equal architectures and recipes, but for seeds, have one."""
    return folder / "judged" / f"{candidate_key(chosen.architecture, chosen.recipe)}.json"
