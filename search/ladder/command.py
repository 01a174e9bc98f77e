"""``flyweight ladder``: replay hand-made networks and compare with their authors' figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from search.errors import WorkFailed
from search.ladder.progress import LadderProgress
from search.ladder.records import Replays
from search.ladder.result import StepResult
from search.ladder.selection import ChosenStep, ReplayPlan, choose_steps
from search.storage.database import open_storage, quiet_optuna
from search.storage.urls import shown_url
from search.text import plural
from search.workers.launcher import Launcher, explain_interruption
from search.workers.options import RunOptions, check_counts

__all__ = ["ladder"]


def ladder(
    *files: str | Path,
    steps: Sequence[str] = (),
    parameters: int | None = None,
    epochs: int | None = None,
    seeds: int = 1,
    **options: Unpack[RunOptions],
) -> list[StepResult]:
    """Replay steps of ladders by their authors' protocol and return the results.

    Each step is trained on the whole training set and measured on the test set after every epoch,
    as its author did. Replays that the study database has already are not repeated.

    Args:
        files: the ladder files.
        steps: names of the steps to replay; by default all.
        parameters: the most parameters of a step; by default any number.
        epochs: of every replay; by default each step's own.
        seeds: how often each step is replayed; the seeds are 1, 2 and so on.
        **options: where and with what to work, see :class:`search.workers.options.RunOptions`.

    Returns:
        The steps in the order of the files, each with all replays that are kept of it.

    Raises:
        InputError: if a file, a name, the storage or the device cannot be used.
        DataError: if the data cannot be used.
        WorkFailed: if a worker fails, or another process is still replaying.
        Interrupted: on Ctrl-C; what was finished is kept.
    """
    quiet_optuna()
    check_counts(parameters=parameters, epochs=epochs, seeds=seeds)
    launcher = Launcher(options)
    plan = ReplayPlan(tuple(map(Path, files)), tuple(steps), parameters, epochs, seeds)
    chosen = choose_steps(plan, launcher.data)
    replays = Replays(open_storage(launcher.storage, create=True).engine)
    left = sum(result.missing(seeds) for result in _results(chosen, replays))
    if left > 0:
        with explain_interruption("finished replays are kept"):
            workers = launcher.announce(f"{_names(chosen)}, {plural(left, 'replay')}", left)
            _replay(plan, chosen, replays, launcher, workers)
    else:
        database = shown_url(launcher.storage)
        launcher.tell(f"{_names(chosen)}: all replays are kept already in {database}")
    results = _results(chosen, replays)
    if any(result.missing(seeds) for result in results):
        raise WorkFailed(
            "not all steps are replayed: another process holds some of them; run ladder again when "
            "that process has ended"
        )
    return results


def _names(chosen: Sequence[ChosenStep]) -> str:
    names = dict.fromkeys(step.ladder.settings.name for step in chosen)
    return ", ".join(names) if len(names) < 3 else f"{len(names)} ladders"


def _results(chosen: Sequence[ChosenStep], replays: Replays) -> list[StepResult]:
    kept = replays.of(step.fingerprint for step in chosen)
    return [
        StepResult(each.ladder, each.step, each.recipe, tuple(kept[each.fingerprint]))
        for each in chosen
    ]


def _replay(
    plan: ReplayPlan,
    chosen: Sequence[ChosenStep],
    replays: Replays,
    launcher: Launcher,
    workers: int,
) -> None:
    claims = [replays.claims(mark) for mark in {step.fingerprint for step in chosen}]

    def release_dead() -> None:
        for each in claims:
            each.release_dead()

    with LadderProgress(
        launcher.console, plan.seeds, _results(chosen, replays), workers
    ) as progress:
        launcher.launch(
            plan.to_arguments(),
            workers,
            recover=release_dead,
            show=lambda: progress.show(_results(chosen, replays)),
        )
