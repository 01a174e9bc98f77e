"""``flyweight explain``: what each choice of a champion is worth."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Unpack

from search.calibrate.progress import CandidateProgress
from search.calibrate.records import Calibrations, CandidateTraining
from search.errors import InputError
from search.explain.plan import ExplainPlan, make_plan
from search.explain.result import Explained, ladder_text, worth_of_steps
from search.storage.database import open_storage, quiet_optuna
from search.text import percent, plural
from search.text_files import check_place, write_text
from search.workers.launcher import Launcher, explain_interruption
from search.workers.options import RunOptions, check_counts
from search.workers.patience import said_if_slow

__all__ = ["DEFAULT_SEEDS", "explain"]

DEFAULT_SEEDS = 3


def explain(
    what: str | Path,
    out: str | Path | None = None,
    *,
    seeds: int = DEFAULT_SEEDS,
    trial: int | None = None,
    **options: Unpack[RunOptions],
) -> Explained:
    """Train a candidate again from a plain skeleton, one choice at a time.

    Each step is trained with some seeds on the training part of the study's split and judged on
    its validation part; the test set is not read. Trainings are kept in the study database and not
    repeated; a later call may ask for more seeds.

    Args:
        what: path of a study file, name of a study in the storage, or the folder of an export.
        out: a ladder file to write, which ``flyweight ladder`` replays; none where it is left out.
        seeds: with which each step is trained.
        trial: of a study; by default its champion, before a confirm the best trial.
        **options: where and with what to work, see :class:`search.workers.options.RunOptions`.

    Raises:
        InputError: if the study, the folder, the data, the storage or the device cannot be used.
        TrialError: if the trial does not exist, or has no network.
        ExportError: if the ladder cannot be written.
        WorkFailed: if a worker fails.
        Interrupted: on Ctrl-C; what was finished is kept.
    """
    quiet_optuna()
    check_counts(seeds=seeds)
    if out is not None:
        if Path(out).suffix != ".toml":
            raise InputError(f"{out} is no ladder file; give a name that ends in .toml")
        check_place(Path(out))
    launcher = Launcher(options)
    with said_if_slow(launcher.tell, "reading the images"):
        plan = make_plan(what, launcher.storage, launcher.data, seeds, trial)
    storage = open_storage(launcher.storage, create=True)
    try:
        kept = Calibrations(storage.engine, plan.key)
        if left := plan.left(kept.trainings()):
            with explain_interruption("finished trainings are kept"):
                _train(what, plan, kept, launcher, left, trial)
        explained = worth_of_steps(plan, kept.trainings())
    finally:
        storage.engine.dispose()
    if out is not None:
        write_text(Path(out), ladder_text(explained))
    return explained


def _train(
    what: str | Path,
    plan: ExplainPlan,
    kept: Calibrations,
    launcher: Launcher,
    left: int,
    trial: int | None,
) -> None:
    workers = launcher.announce(f"{plan.name}, {plural(left, 'training')} to explain it", left)
    claims = [kept.claims(number) for number in range(len(plan.steps))]

    def release_dead() -> None:
        for each in claims:
            each.release_dead()

    options = ["--seeds", str(plan.seeds)]
    options += [] if trial is None else ["--trial", str(trial)]
    line = partial(_line, plan)
    with CandidateProgress(launcher.console, kept.trainings(), plan.left, line) as progress:
        launcher.launch(
            ["--explain", str(what), *options],
            workers,
            recover=release_dead,
            show=lambda: progress.show(kept.trainings()),
        )


def _line(plan: ExplainPlan, training: CandidateTraining) -> str:
    """Return what is printed of a training."""
    step = plan.steps[training.candidate]
    figures = training.failure or f"validation floor {percent(training.floor(plan.floor_epochs))}"
    seed = f"seed {training.repeat + 1} of {plan.seeds}"
    return f"{step.name}, {seed}: {figures}, {training.seconds:.0f} s"
