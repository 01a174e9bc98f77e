"""The text that a command prints at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from search.calibrate.analysis import ENOUGH, Calibration
from search.export.formats import FORMATS, folders_of
from search.export.trained_network import TrainedNetwork
from search.run.command import RunResult
from search.statistics import Spread
from search.study.candidates import Leader
from search.study.confirms import MOST_INT8_LOSS, Confirm
from search.study.study import StoredStudy
from search.text import at_most, duration, percent, plural, points
from space.cost import cost

__all__ = ["calibration_summary", "confirm_summary", "export_summary", "run_summary"]


def run_summary(result: RunResult, study: str) -> str:
    """Return the lines that end a run."""
    lines = [f"{result.name}: {result.trained} trained, {result.rejected} rejected"]
    if result.trials_an_hour is not None:
        lines.append(
            f"this run: {plural(result.new, 'trial')} trained in {duration(result.seconds)}, "
            f"{result.trials_an_hour:,.0f} trials an hour"
        )
    if result.rejections:
        lines.append(f"rejected by {result.rejections}")
    if result.advice:
        lines.append(result.advice)
    if result.asked:
        lines.append(f"asked for: {result.asked}")
    best = result.best
    if best is None:
        lines.append("no trial has completed")
    else:
        lines += [
            f"best: trial {best.number}, {best.parameters:,} parameters, "
            f"validation floor {percent(best.score)}",
            *([f"on a chip, in int8: {best.on_chip}"] if best.on_chip else []),
            *([f"it takes {result.latency}"] if result.latency else []),
            *(f"    {layer}" for layer in (best.architecture or "").splitlines()),
        ]
        if result.leader is not None:
            lines.append(_leader_text(result.leader))
        lines += _front_lines(result)
        if result.target is not None:
            reached = "reached" if (best.score or 0) >= result.target else "not reached"
            lines.append(f"target {percent(result.target)}: {reached} on validation")
    if result.trained < result.total:
        left = plural(result.total - result.trained, "trial")
        lines.append(f"{left} to go: run the same command to resume")
    elif best is not None:
        lines.append(f"next: flyweight confirm {study}")
    else:
        lines.append("the lines of the trials say why; change the study or give more --trials")
    return "\n".join(lines)


def _leader_text(leader: Leader) -> str:
    """Say which candidate is likely the best, after all trainings of it and its neighbours."""
    known = leader.known
    deviation = f"{100 * known.deviation:.2f}"
    return (
        f"expected best: trial {leader.record.number}, score {percent(known.mean)} ± {deviation}, "
        f"trained {'once' if known.repeats == 1 else f'{known.repeats} times'}"
    )


def _front_lines(result: RunResult) -> list[str]:
    """Return a line on each of several limits."""
    if not result.best_within:
        return []
    rows = [
        f"  {at_most(limit):>29}: "
        + (
            f"trial {best.number}, {best.parameters:,} parameters, {percent(best.score)}"
            + (f"  {best.on_chip} in int8" if best.on_chip else "")
            if best
            else "no trial that fits has completed"
        )
        for limit, best in result.best_within.items()
    ]
    return ["best of each limit (validation floor):", *rows]


def confirm_summary(stored: StoredStudy, confirm: Confirm) -> str:
    """Return the table of a confirm whose selection is over."""
    records = {record.number: record for record in stored.records()}
    champions = confirm.champions
    lines = [f"confirm {confirm.plan.ordinal} of {stored.name}", ""]
    seeds = plural(confirm.plan.seeds, "seed")
    lines.append(f"validation floor over {seeds} ({_rule(confirm)}):")
    for trial in confirm.plan.trials:
        floors = Spread.of(confirm.validation_floors(trial))
        int8 = ""
        if confirm.plan.by_int8:
            found = Spread.of(confirm.validation_int8(trial))
            int8 = f"  in int8 {percent(found.mean)}{found.deviation_text()}"
        mark = _mark([limit for limit, champion in champions.items() if champion == trial])
        lines.append(
            f"  trial {trial:>4}  {records[trial].parameters:>9,} parameters  "
            f"{percent(floors.mean)}{floors.deviation_text()}{int8}{mark}"
            + (f"  {records[trial].on_chip} in int8" if records[trial].on_chip else "")
        )
    lines += _not_held(confirm)
    lines += [
        f"{at_most(limit)}: no trial that fits has completed"
        for limit in confirm.plan.limits
        if limit not in champions
    ]
    if not confirm.finished:
        lines.append("the test set was not read; the same command without --selection goes on")
        return "\n".join(lines)
    for limit, champion in champions.items():
        lines += _champion_lines(confirm, limit, champion, stored.file.settings.target)
    return "\n".join(lines)


def _mark(limits: Sequence[int | None]) -> str:
    """Mark the champion of these limits."""
    if not limits:
        return ""
    named = ", ".join(f"{limit:,}" for limit in limits if limit is not None)
    return "  <- champion" + (f" of {named}" if named else "")


def _champion_lines(
    confirm: Confirm, limit: int | None, champion: int, target: float | None
) -> list[str]:
    """Return the table of a champion on the test set."""
    final = confirm.final_of(champion)
    lines = ["", "champion, trained on the whole training set, on the test set:"]
    if limit is not None:
        lines = ["", f"champion of {at_most(limit)}, trial {champion}, on the test set:"]
    int8 = confirm.test_int8_of(champion)
    heading = "in int8   " if int8 else ""
    lines.append(f"  seed   last epoch   {heading}floor of the last {confirm.floor_epochs}")
    lines += [
        f"  {repeat.repeat + 1:>4}   {percent(repeat.last):>10}   "
        + (f"{percent(repeat.int8)}   " if int8 else "")
        + percent(repeat.floor(confirm.floor_epochs))
        for repeat in final
    ]
    lasts = Spread.of(repeat.last for repeat in final)
    floors = Spread.of(confirm.test_floors_of(champion))
    lines.append(
        f"  mean   {percent(lasts.mean):>10}   "
        + (f"{percent(Spread.of(int8).mean)}   " if int8 else "")
        + f"{percent(floors.mean)}{floors.deviation_text()} (n = {floors.n})"
    )
    tuned = next((repeat.tuning for repeat in final if repeat.tuning is not None), None)
    if tuned is not None:
        lines += [
            f"in int8 the champion lost {points(tuned.loss)} on validation, more than "
            f"{points(MOST_INT8_LOSS)}:",
            f"all its networks were tuned for int8, {plural(tuned.epochs, 'epoch')} each",
        ]
    if target is not None:
        reached = "reached" if floors.mean >= target else "not reached"
        lines.append(f"target {percent(target)}: {reached} by the mean test floor")
    return lines


def _rule(confirm: Confirm) -> str:
    if confirm.plan.to_hold is None:
        return "chosen on the mean in int8" if confirm.plan.by_int8 else "chosen on the mean"
    return f"the smallest whose mean holds {percent(confirm.plan.to_hold)} is chosen"


def _not_held(confirm: Confirm) -> list[str]:
    """Say that no candidate holds the target, where one was to."""
    to_hold = confirm.plan.to_hold
    found = Spread.of(confirm.choosing_figures(confirm.finalists[0]))
    if to_hold is None or found.mean >= to_hold:
        return []
    return [f"none holds {percent(to_hold)}, so the most accurate is the champion"]


def export_summary(trained: TrainedNetwork, out: Path, formats: Sequence[str]) -> str:
    """Return the lines that end an export."""
    figures = trained.figures
    what = f"trial {figures.trial} of {trained.name}"
    if figures.kind == "champion":
        what = f"champion of confirm {figures.confirm} of {trained.name} (trial {figures.trial})"
        if figures.limit is not None:
            what += f" for {at_most(figures.limit)}"
    if figures.origin is not None:
        seed = figures.runs[0].seed
        what = f"step {figures.origin.step} of {figures.origin.ladder}, seed {seed}"
    lines = [f"{out}: {what}, {cost(trained.architecture).parameters:,} parameters"]
    for name, folder in folders_of(out, formats).items():
        if folder != out:
            lines.append(f"{folder}: {FORMATS[name].about}")
        if name in trained.checks:
            lines.append(trained.checks[name])
        if FORMATS[name].imported:
            lines.append(
                f"use it, with {folder.parent} on Python's path: "
                f"from {folder.name} import load; network = load()"
            )
    return "\n".join(lines)


def calibration_summary(result: Calibration) -> str:
    """Return what a calibration found, in lines."""
    failed = f", of which {result.failed} failed" if result.failed else ""
    lines = [
        f"calibration of {result.study}: {plural(result.candidates, 'candidate')}{failed}, "
        f"{plural(result.trainings, 'training')}",
        "",
    ]
    noise = result.noise
    if noise is None:
        lines.append("how much seeds differ is not known: too many of their trainings failed")
    else:
        lines += [
            f"seeds differ by {100 * noise.floor:.2f} points in the floor of the last "
            f"{result.floor_epochs} and {100 * noise.mean:.2f} in the mean of the last "
            f"{result.last_epochs}",
            f"(standard deviation of {plural(noise.seeds, 'seed')}, the median of "
            f"{plural(noise.candidates, 'candidate')})",
            f"two trials differ where their floors are {100 * noise.difference:.2f} points apart; "
            "less may be their seeds",
        ]
    lines += ["", "rank correlation with the floor, over the candidates:"]
    lines.append("  epoch  " + "  ".join(f"{name:>11}" for name in result.correlations))
    for number, column in enumerate(zip(*result.correlations.values(), strict=True), 1):
        cells = ("-" if value is None else f"{value:.2f}" for value in column)
        lines.append(f"  {number:>5}  " + "  ".join(f"{cell:>11}" for cell in cells))
    if result.first_rung is None:
        lines.append(f'no epoch before the last reaches {ENOUGH}: search with pruner = "none"')
    else:
        lines.append(
            f"a pruner may first stop trials after {plural(result.first_rung, 'epoch')}: "
            f"{result.rung_statistic} reaches {ENOUGH} there"
        )
    return "\n".join(lines)
