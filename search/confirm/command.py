"""``flyweight confirm``: retrain the best, choose on validation, look at the test set once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from search.confirm.choice import holding_trials
from search.confirm.progress import ConfirmProgress
from search.confirm.retrain import confirm_claims
from search.errors import ResumeError, TrialError, WorkFailed
from search.storage.database import quiet_optuna
from search.study.candidates import best_trials, candidates_known, floors_known
from search.study.confirms import (
    PARTS,
    SELECTION,
    Confirm,
    ConfirmPlan,
    last_ordinal,
    load_confirm,
    save_plan,
)
from search.study.in_use import using
from search.study.records import TrialRecord
from search.study.study import StoredStudy, open_study
from search.workers.data import reopen_data
from search.workers.launcher import Launcher, explain_interruption
from search.workers.options import RunOptions, check_counts

__all__ = ["DEFAULT_SEEDS", "DEFAULT_TOP", "confirm"]

DEFAULT_TOP = 3
DEFAULT_SEEDS = 5


def confirm(
    study: str | Path,
    *,
    top: int | None = None,
    seeds: int | None = None,
    again: bool = False,
    selection: bool = False,
    **options: Unpack[RunOptions],
) -> Confirm:
    """Retrain a study's best candidates and measure the best of them on the test set.

    The ``top`` best trials are retrained with ``seeds`` seeds each and scored on the validation
    part; the one with the highest mean floor (under limits of a chip the highest mean accuracy in
    int8), or with ``goal = "smallest"`` the smallest one whose
    mean floor holds the target, is retrained on the whole training set with as many seeds and
    scored on the test set. Where there are several limits on parameters, that is done for each.
    A finished confirm is returned as it is, an unfinished one
    resumes, unless ``again`` asks for a new one. Where the champion lost more than 0.1 points by
    int8 on the validation part, each of its networks is tuned for int8 before it is measured so.

    Args:
        study: path of a study file, or name of a study in the storage.
        top: candidates to retrain, 3 by default.
        seeds: retrainings of each, 5 by default.
        again: whether to begin another confirm after a finished one.
        selection: whether to stop before the test set, when all candidates are retrained and scored
            on validation; a later call goes on from there. With ``again`` it begins another
            selection after one that is over.
        **options: where and with what to work, see :class:`search.workers.options.RunOptions`.

    Raises:
        InputError: if the study or the device does not exist, no trial has completed, or an
            unfinished confirm has other numbers.
        WorkFailed: if a worker fails.
        Interrupted: on Ctrl-C; what was finished is kept.
    """
    quiet_optuna()
    check_counts(top=top, seeds=seeds)
    launcher = Launcher(options)
    stored = open_study(study, launcher.storage, writing=True)
    plan = _plan(stored, top, seeds, again=again, selection=selection)
    begun = load_confirm(stored, plan.ordinal)
    if not (begun.selected if selection else begun.finished):
        with using(stored):
            stored.make_artifacts()
            reopen_data(stored, launcher.data)
            with explain_interruption("finished retrainings are kept"):
                _retrain(stored, plan, launcher, (SELECTION,) if selection else PARTS)
    return load_confirm(stored, plan.ordinal)


def _plan(
    stored: StoredStudy, top: int | None, seeds: int | None, *, again: bool, selection: bool
) -> ConfirmPlan:
    ordinal = last_ordinal(stored)
    if ordinal:
        last = load_confirm(stored, ordinal)
        plan = last.plan
        over = last.finished or (selection and last.selected)
        if not again or not over:
            _refuse_other_numbers(plan, top, seeds)
            return plan
    records = stored.records()
    top = top or DEFAULT_TOP
    to_hold = stored.file.settings.to_hold
    trials = _to_retrain(stored, records, top)
    if not trials:
        raise TrialError(
            f"{stored.name} has no completed trial to confirm yet; use flyweight run first"
        )
    stored.make_artifacts()
    limits = stored.file.budget.several
    sizes = tuple(records[trial].parameters or 0 for trial in trials)
    plan = ConfirmPlan(
        ordinal=ordinal + 1,
        trials=trials,
        seeds=seeds or DEFAULT_SEEDS,
        trained=sum(record.trained for record in records),
        top=top,
        parameters=sizes if limits or to_hold is not None else (),
        limits=limits,
        to_hold=to_hold,
        by_int8=stored.file.budget.is_deployed,
        tunes=True,
    )
    save_plan(stored, plan)
    return load_confirm(stored, plan.ordinal).plan


def _to_retrain(stored: StoredStudy, records: Sequence[TrialRecord], top: int) -> tuple[int, ...]:
    to_hold, limit = stored.file.settings.to_hold, stored.file.budget.most_parameters
    if to_hold is None or limit is None:
        known, limits = candidates_known(stored), stored.file.budget.several
        if not limits:
            return best_trials(records, top, known)
        # A trial that is among the best of two limits is retrained once.
        fitting = ([each for each in records if each.within(limit)] for limit in limits)
        return tuple(dict.fromkeys(n for some in fitting for n in best_trials(some, top, known)))
    return holding_trials(records, top, floors_known(stored), to_hold, limit)


def _refuse_other_numbers(plan: ConfirmPlan, top: int | None, seeds: int | None) -> None:
    for name, asked, planned in (("top", top, plan.top), ("seeds", seeds, plan.seeds)):
        if asked is not None and asked != planned:
            raise ResumeError(
                f"confirm {plan.ordinal} of this study has --{name} {planned}, not {asked}; "
                "leave the option out to see that confirm, or begin another with --again"
            )


def _retrain(
    stored: StoredStudy, plan: ConfirmPlan, launcher: Launcher, parts: Sequence[str]
) -> None:
    """Let workers retrain all candidates, then the champion, as far as ``parts`` says."""
    what = f"confirm {plan.ordinal} of {stored.name}"
    workers = launcher.announce(what, plan.seeds * len(plan.trials))
    for part in parts:
        progress = ConfirmProgress(launcher.console, stored, plan, part)
        launcher.launch(
            ["--study", stored.name, "--work", part, "--ordinal", str(plan.ordinal)],
            workers,
            recover=confirm_claims(stored, plan.ordinal, part).release_dead,
            show=progress.show,
        )
        if progress.left:
            raise WorkFailed(
                f"{what} is not finished: another process holds some of its retrainings; "
                "run confirm again when that process has ended"
            )
