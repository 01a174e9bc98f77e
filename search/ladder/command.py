"""``flyweight ladder``: replay hand-made steps beside what their authors reported."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from search.errors import Interrupted, WorkFailed
from search.ladder.progress import LadderProgress
from search.ladder.records import Replays
from search.ladder.result import StepResult
from search.ladder.selection import LadderPlan, Rung, rungs_of
from search.storage.database import DEFAULT_STORAGE, open_storage, quiet_optuna, shown_url
from search.text import plural
from search.workers.announce import announce
from search.workers.data import data_root, workers_for
from search.workers.devices import choose_device
from search.workers.pool import WorkerPool

__all__ = ["ladder"]

_POLL_SECONDS = 0.5


def ladder(
    *files: Path,
    steps: Sequence[str] = (),
    parameters: int | None = None,
    epochs: int | None = None,
    seeds: int = 1,
    workers: int | None = None,
    storage: str = DEFAULT_STORAGE,
    data: Path | None = None,
    device: str | None = None,
    console: Console | None = None,
    debug: bool = False,
) -> list[StepResult]:
    """Replays steps of ladders by their authors' protocol and returns what came of them.

    Each step is trained on the whole training set and judged on the test set after every epoch,
    as its author did. What was replayed before is kept in the study database and not repeated.

    Args:
        files: the ladder files.
        steps: names of the steps to replay; by default all.
        parameters: leaves out steps that have more.
        epochs: of every replay; by default each step's own.
        seeds: how often each step is replayed; the seeds are 1, 2 and so on.
        workers: processes on this machine; by default as many as suit it.
        storage: URL of the study database.
        data: root of the data sets.
        device: cpu, cuda, cuda:N or mps.
        console: where to show progress.
        debug: whether failing workers show tracebacks.

    Returns:
        The steps in the order of the files, each with all replays that are kept of it.

    Raises:
        InputError: if a file, a name, the storage or the device cannot be used.
        DataError: if the data cannot be used.
        WorkFailed: if a worker fails, or another process is still replaying.
        Interrupted: on Ctrl-C; what was finished is kept.
    """
    quiet_optuna()
    console = console or Console()
    plan = LadderPlan(files, tuple(steps), parameters, epochs, seeds)
    rungs = rungs_of(plan, data_root(data))
    chosen = choose_device(device)
    replays = Replays(open_storage(storage, create=True).engine)
    results = _results(rungs, replays)
    if (left := sum(result.missing(seeds) for result in results)) > 0:
        workers = workers or workers_for(chosen, left)
        announce(f"{_name(rungs)}, {plural(left, 'replay')}", chosen, workers, console)
        command = _command(plan, storage, data_root(data), device)
        _replay(command, workers, rungs, replays, plan, console, debug=debug)
        results = _results(rungs, replays)
    else:
        kept = f"{_name(rungs)}: all replays are kept already in {shown_url(storage)}"
        console.print(kept, highlight=False, markup=False, soft_wrap=True)
    if any(result.missing(seeds) for result in results):
        raise WorkFailed(
            "not all steps are replayed: another process holds some of them; run it again when "
            "that has ended"
        )
    return results


def _name(rungs: Sequence[Rung]) -> str:
    names = dict.fromkeys(rung.ladder.settings.name for rung in rungs)
    return ", ".join(names) if len(names) < 3 else f"{len(names)} ladders"


def _results(rungs: Sequence[Rung], replays: Replays) -> list[StepResult]:
    kept = replays.of(rung.fingerprint for rung in rungs)
    return [StepResult(r.ladder, r.step, r.recipe, tuple(kept[r.fingerprint])) for r in rungs]


def _command(plan: LadderPlan, storage: str, data: Path, device: str | None) -> list[str]:
    command = ["search.ladder.worker", "--storage", storage, "--data", str(data)]
    command += ["--seeds", str(plan.seeds)]
    for path in plan.files:
        command += ["--ladder", str(path)]
    for name in plan.steps:
        command += ["--step", name]
    command += ["--parameters", str(plan.parameters)] if plan.parameters else []
    command += ["--epochs", str(plan.epochs)] if plan.epochs else []
    return command + (["--device", device] if device else [])


def _replay(
    command: list[str],
    workers: int,
    rungs: Sequence[Rung],
    replays: Replays,
    plan: LadderPlan,
    console: Console,
    *,
    debug: bool,
) -> None:
    claims = [replays.claims(mark) for mark in {rung.fingerprint for rung in rungs}]

    def clean_up() -> None:
        for each in claims:
            each.release_dead()

    clean_up()
    with LadderProgress(console, plan.seeds, _results(rungs, replays)) as progress:
        try:
            with WorkerPool(command, workers, clean_up, debug=debug) as pool:
                while pool.is_working():
                    progress.show(_results(rungs, replays))
                    time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            raise Interrupted(
                "stopped; finished replays are kept; the same command goes on"
            ) from None
        finally:
            clean_up()
            progress.show(_results(rungs, replays))
