"""``flyweight confirm``: retrain the best, choose on validation, look at the test set once."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from search.confirm.records import (
    Confirm,
    Plan,
    Repeat,
    last_ordinal,
    load_confirm,
    save_plan,
)
from search.confirm.retrain import FINAL, SELECTION, confirm_claims
from search.errors import Interrupted, ResumeError, TrialError, WorkFailed
from search.storage.database import DEFAULT_STORAGE, quiet_optuna
from search.study.study import StoredStudy, open_study
from search.text import percent
from search.workers.announce import announce
from search.workers.data import data_root, reopen_data, workers_for
from search.workers.devices import choose_device
from search.workers.pool import WorkerPool

__all__ = ["DEFAULT_SEEDS", "DEFAULT_TOP", "confirm"]

DEFAULT_TOP = 3
DEFAULT_SEEDS = 5
_POLL_SECONDS = 0.5


def confirm(
    study: str,
    *,
    top: int | None = None,
    seeds: int | None = None,
    again: bool = False,
    workers: int | None = None,
    storage: str = DEFAULT_STORAGE,
    data: Path | None = None,
    device: str | None = None,
    console: Console | None = None,
    debug: bool = False,
) -> Confirm:
    """Retrains a study's best candidates and tells what the best of them is worth.

    The ``top`` best trials are retrained with ``seeds`` seeds each and scored on the validation
    part; the one with the highest mean floor is retrained on the whole training set with as many
    seeds and scored on the test set. A finished confirm is returned as it is, an unfinished one
    resumes, unless ``again`` asks for a new one.

    Args:
        study: path of a study file, or name of a study in the storage.
        top: candidates to retrain, 3 by default.
        seeds: repeats of each, 5 by default.
        again: begins another confirm after the study has a finished one.
        workers: processes on this machine; by default as many as suit it.
        storage: URL of the study database.
        data: root of the data sets.
        device: cpu, cuda, cuda:N or mps.
        console: where to show progress.
        debug: whether failing workers show tracebacks.

    Raises:
        InputError: if there is no such study, or none of its trials has completed, or an
            unfinished confirm was begun with other numbers.
        WorkFailed: if a worker fails.
        Interrupted: on Ctrl-C; what was finished is kept.
    """
    quiet_optuna()
    console = console or Console()
    stored = open_study(study, storage, writing=True)
    plan = _plan(stored, top, seeds, again=again)
    if load_confirm(stored, plan.ordinal).finished:
        return load_confirm(stored, plan.ordinal)
    chosen = choose_device(device)
    reopen_data(stored, data_root(data))
    command = ["search.worker", "--storage", storage, "--study", stored.name]
    command += ["--ordinal", str(plan.ordinal), "--data", str(data_root(data))]
    command += ["--device", device] if device else []
    workers = workers or workers_for(chosen, plan.seeds * len(plan.trials))
    what = f"confirm {plan.ordinal} of {stored.name}"
    announce(what, chosen, workers, console)
    try:
        for work in (SELECTION, FINAL):
            _repeat(stored, plan, work, command, workers, console, debug=debug)
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped; finished retrainings are kept; the same command goes on"
        ) from None
    return load_confirm(stored, plan.ordinal)


def _plan(stored: StoredStudy, top: int | None, seeds: int | None, *, again: bool) -> Plan:
    ordinal = last_ordinal(stored)
    if ordinal:
        plan = load_confirm(stored, ordinal).plan
        if not again or not load_confirm(stored, ordinal).finished:
            _refuse_other_numbers(plan, top, seeds)
            return plan
    records = stored.records()
    scored = sorted(
        (record for record in records if record.score is not None),
        key=lambda record: (-(record.score or 0.0), record.parameters or 0, record.number),
    )
    if not scored:
        raise TrialError(
            f"{stored.name} has no completed trial to confirm yet; flyweight run it first"
        )
    top = top or DEFAULT_TOP
    plan = Plan(
        ordinal=ordinal + 1,
        trials=tuple(record.number for record in scored[:top]),
        seeds=seeds or DEFAULT_SEEDS,
        trained=sum(record.trained for record in records),
        top=top,
    )
    save_plan(stored, plan)
    return load_confirm(stored, plan.ordinal).plan


def _refuse_other_numbers(plan: Plan, top: int | None, seeds: int | None) -> None:
    for name, asked, planned in (("top", top, plan.top), ("seeds", seeds, plan.seeds)):
        if asked is not None and asked != planned:
            raise ResumeError(
                f"confirm {plan.ordinal} of this study has --{name} {planned}, not {asked}; "
                "leave the option out to see it, or begin another with --again"
            )


def _repeat(
    stored: StoredStudy,
    plan: Plan,
    work: str,
    command: list[str],
    workers: int,
    console: Console,
    *,
    debug: bool,
) -> None:
    claims = confirm_claims(stored, plan.ordinal, work)
    claims.release_dead()
    shown = set(_repeats(stored, plan, work))
    command = [*command, "--work", work]
    try:
        with WorkerPool(command, workers, claims.release_dead, debug=debug) as pool:
            while pool.is_working():
                _show(stored, plan, work, shown, console)
                time.sleep(_POLL_SECONDS)
    finally:
        claims.release_dead()
        _show(stored, plan, work, shown, console)
    state = load_confirm(stored, plan.ordinal)
    if not (state.selected if work == SELECTION else state.finished):
        raise WorkFailed(
            f"confirm {plan.ordinal} of {stored.name} is not finished: another process holds "
            "some of its retrainings; run it again when that has ended"
        )


def _repeats(stored: StoredStudy, plan: Plan, work: str) -> dict[tuple[int, int], Repeat]:
    state = load_confirm(stored, plan.ordinal)
    repeats = state.selection if work == SELECTION else state.final
    return {(repeat.trial, repeat.repeat): repeat for repeat in repeats}


def _show(
    stored: StoredStudy, plan: Plan, work: str, shown: set[tuple[int, int]], console: Console
) -> None:
    """Prints the repeats that are not among those shown, and adds them to these."""
    total = plan.seeds * (len(plan.trials) if work == SELECTION else 1)
    judged_on = "validation" if work == SELECTION else "test"
    for key, repeat in _repeats(stored, plan, work).items():
        if key in shown:
            continue
        shown.add(key)
        floor = repeat.floor(stored.file.settings.floor_epochs)
        figures = repeat.failure or f"{judged_on} floor {percent(floor)}"
        console.print(
            f"{work} {len(shown)}/{total}: trial {repeat.trial}, seed {repeat.repeat + 1} of "
            f"{plan.seeds}, {figures}, {repeat.seconds:.0f} s",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
