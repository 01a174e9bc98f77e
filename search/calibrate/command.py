"""``flyweight calibrate``: know the noise of a study before, or while, it is searched."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Unpack

from search.calibrate.analysis import Calibration, analyse
from search.calibrate.plan import LEAST_CANDIDATES, CalibrationPlan, make_plan
from search.calibrate.progress import CandidateProgress, line_of_calibration
from search.calibrate.records import Calibrations, calibration_key
from search.errors import InputError, WorkFailed
from search.storage.database import open_storage, quiet_optuna
from search.study.study import StoredStudy
from search.text import plural
from search.workers.launcher import Launcher, explain_interruption
from search.workers.options import RunOptions, check_counts
from search.workers.patience import said_if_slow

__all__ = ["DEFAULT_CANDIDATES", "DEFAULT_SEEDS", "calibrate", "calibration_of"]

DEFAULT_CANDIDATES = 12
DEFAULT_SEEDS = 3


def calibrate(
    study: str | Path,
    *,
    candidates: int = DEFAULT_CANDIDATES,
    seeds: int = DEFAULT_SEEDS,
    **options: Unpack[RunOptions],
) -> Calibration:
    """Train random candidates of a study to learn how much seeds differ, and how soon they show.

    Candidates that fit the budget are drawn at random and trained to their end, without a pruner;
    then the three best once more with other seeds. Trainings are kept in the study database and
    not repeated; a later call may ask for more. The study need not have begun, and does not begin.

    Args:
        study: path of a study file, or name of a study in the storage.
        candidates: to train, 3 or more.
        seeds: with how many more seeds each of the three best is trained, 2 or more.
        **options: where and with what to work, see :class:`search.workers.options.RunOptions`.

    Raises:
        InputError: if a number, the study, the data, the storage or the device cannot be used.
        WorkFailed: if a worker fails, too few candidates fit, or all of them fail.
        Interrupted: on Ctrl-C; what was finished is kept.
    """
    quiet_optuna()
    check_counts(candidates=candidates, seeds=seeds)
    for name, given, least in (("candidates", candidates, LEAST_CANDIDATES), ("seeds", seeds, 2)):
        if given < least:
            raise InputError(f"{name}: {given} says nothing; give {least} or more")
    launcher = Launcher(options)
    with said_if_slow(launcher.tell, "reading the images and drawing candidates"):
        plan = make_plan(study, launcher.storage, launcher.data, candidates, seeds)
    storage = open_storage(launcher.storage, create=True)
    try:
        kept = Calibrations(storage.engine, plan.key)
        if left := plan.left(kept.trainings()):
            with explain_interruption("finished trainings are kept"):
                _train(study, plan, kept, launcher, left)
        return _result(plan, kept)
    finally:
        storage.engine.dispose()


def calibration_of(stored: StoredStudy) -> Calibration | None:
    """Return what is known of the noise of a study that has begun; None before a calibration."""
    key = calibration_key(stored.file, stored.data.fingerprint)
    trainings = Calibrations(stored.storage.engine, key).trainings()
    if not trainings:
        return None
    settings = stored.file.settings
    return analyse(settings.name, settings.floor_epochs, trainings)


def _train(
    study: str | Path, plan: CalibrationPlan, kept: Calibrations, launcher: Launcher, left: int
) -> None:
    what = f"calibration of {plan.file.settings.name}, {plural(left, 'training')}"
    workers = launcher.announce(what, left)
    claims = [kept.claims(number) for number in range(len(plan.candidates))]

    def release_dead() -> None:
        for each in claims:
            each.release_dead()

    counts = ["--candidates", str(len(plan.candidates)), "--seeds", str(plan.seeds)]
    line = partial(line_of_calibration, plan)
    with CandidateProgress(launcher.console, kept.trainings(), plan.left, line) as progress:
        launcher.launch(
            ["--calibrate", str(study), *counts],
            workers,
            recover=release_dead,
            show=lambda: progress.show(kept.trainings()),
        )


def _result(plan: CalibrationPlan, kept: Calibrations) -> Calibration:
    trainings = plan.of_this(kept.trainings())
    settings = plan.file.settings
    if plan.left(trainings):
        raise WorkFailed("the calibration is not finished; run the same command to go on")
    if not plan.repeated(trainings):
        raise WorkFailed(
            f"all {len(plan.candidates)} candidates failed, the first one because "
            f"{trainings[0].failure}; change the recipe"
        )
    return analyse(settings.name, settings.floor_epochs, trainings)
