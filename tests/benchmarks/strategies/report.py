"""The table, the plot and the JSON file of a comparison."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search.study.seeds import confirm_seed
from tests.benchmarks.report import provenance, write_json
from tests.benchmarks.strategies.figures import (
    Curve,
    Difference,
    curve_of,
    difference_of,
    resolvable,
)
from tests.benchmarks.strategies.judging import judgement_of
from tests.benchmarks.strategies.protocol import BASELINE, Protocol, Run
from tests.benchmarks.strategies.recommending import RULE
from tests.benchmarks.strategies.searching import is_finished, recommended_by, summary_of

__all__ = ["report"]

_COMPARED_WITH = (BASELINE, "tpe")

Judgements = dict[str, dict[int, list[float]]]
"""For each strategy and seed the judged accuracies, one for each number of trainings."""


def report(protocol: Protocol, folder: Path, runs: Sequence[Run], results: Path) -> Iterator[str]:
    """Write what the judged runs show, and yield the lines of the table.

    Args:
        protocol: of the comparison.
        folder: of the comparison.
        runs: those to report; what is not finished or not wholly judged is left out.
        results: folder for ``strategies-NAME.json``, ``.md`` and ``.svg``, by the protocol's name.
    """
    name = f"strategies-{protocol.name}"
    raw = {
        run: found
        for run in runs
        if is_finished(folder, run) and (found := _judgements(folder, run)) is not None
    }
    if not raw:
        yield "no run has been finished and judged yet"
        return
    judged: Judgements = {}
    for run, found in raw.items():
        accuracies = [sum(each) / len(each) for each in found["accuracies"]]
        judged.setdefault(run.strategy, {})[run.seed] = accuracies
    baseline = judged.get(BASELINE, {})
    curves = {name: curve_of(protocol.times, of, baseline) for name, of in judged.items()}
    differences = {
        other: {
            name: difference
            for name, of in judged.items()
            if name != other and (difference := difference_of(of, judged[other])) is not None
        }
        for other in _COMPARED_WITH
        if other in judged
    }
    spread = [values[-1] for values in (baseline or next(iter(judged.values()))).values()]
    value = {
        "command": shlex.join(["python", "-m", "tests.benchmarks.strategies", *sys.argv[1:]]),
        "origin": provenance(),
        "protocol": _protocol(protocol),
        "resolvable": resolvable(spread, protocol.seeds),
        "curves": {name: asdict(curve) for name, curve in curves.items()},
        "differences_to": {
            other: {name: asdict(each) for name, each in found.items()}
            for other, found in differences.items()
        },
        "runs": {str(run): found for run, found in raw.items()},
    }
    write_json(results / f"{name}.json", value)
    lines = list(_markdown(protocol, curves, differences, value))
    (results / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plot(protocol, curves, results / f"{name}.svg")
    yield from lines
    left = len(runs) - len(raw)
    if left:
        yield f"left out: {left} of {len(runs)} runs, which are not finished or not judged yet"


def _judgements(folder: Path, run: Run) -> dict[str, Any] | None:
    """Return what was judged of a run, and what it was; None where judgements are missing."""
    chosen = recommended_by(folder, run)
    judged = [judgement_of(folder, each) for each in chosen]
    known = [each for each in judged if each is not None]
    if len(known) < len(judged):
        return None
    summary = summary_of(folder, run)
    return {
        "trials": [each.trial for each in chosen],
        "scores": [each.score for each in chosen],
        "parameters": [each.parameters for each in chosen],
        "accuracies": [list(each.accuracies) for each in known],
        **{
            key: summary[key]
            for key in ("rejected", "trainings", "seconds", "processor_seconds", "origin")
        },
    }


def _protocol(protocol: Protocol) -> dict[str, Any]:
    return {
        "study": protocol.study.name,
        "study_sha256": hashlib.sha256(protocol.study.read_bytes()).hexdigest(),
        "times": protocol.times,
        "rule": RULE,
        "judging_seeds": [confirm_seed(0, 1, repeat) for repeat in range(protocol.judgings)],
    }


def _markdown(
    protocol: Protocol,
    curves: Mapping[str, Curve],
    differences: Mapping[str, Mapping[str, Difference]],
    value: Mapping[str, Any],
) -> Iterator[str]:
    end, origin = protocol.times[-1], value["origin"]
    yield (
        f"Judged accuracy in percent of what a run recommends ({RULE}) after so many trainings: "
        f"mean over {protocol.judgings} fresh seeds on images that no run has seen, "
        "then over the runs, ± standard error."
    )
    yield ""
    yield from _rows(("strategy", "runs", *map(str, protocol.times), f"trainings to {BASELINE}'s"))
    for name, curve in curves.items():
        cells = [_figure(*each) for each in zip(curve.means, curve.errors, strict=True)]
        reaches = f"not in {end}" if curve.reaches is None else f"{curve.reaches:.0f}"
        yield _row((name, str(curve.runs), *cells, reaches))
    for other, compared in differences.items():
        if not compared:
            continue
        yield ""
        yield f"Differences to {other} in points, in pairs of runs with the same seed:"
        yield ""
        yield from _rows(("strategy", "pairs", *map(str, protocol.times)))
        for name, difference in compared.items():
            figures = zip(difference.means, difference.errors, strict=True)
            cells = [_figure(*each, sign="+") for each in figures]
            yield _row((name, str(difference.pairs), *cells))
    yield ""
    if value["resolvable"] is not None:
        shown = f"{100 * value['resolvable']:.2f} points"
        yield (
            f"{protocol.seeds} runs of each can show a difference of {shown} after {end} trainings "
            "(two standard errors, by the spread of the runs)."
        )
    versions = ", ".join(f"{name} {version}" for name, version in origin["versions"].items())
    yield f"`{value['command']}`, {origin['processor']}, {versions}, commit {origin['commit']}."


def _rows(headings: Sequence[str]) -> Iterator[str]:
    yield _row(headings)
    yield _row(["---", *["---:"] * (len(headings) - 1)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float, error: float | None, sign: str = "") -> str:
    text = f"{100 * value:{sign}.2f}"
    return text if error is None else f"{text} ± {100 * error:.2f}"


def plot(protocol: Protocol, curves: Mapping[str, Curve], path: Path) -> None:
    """Draw the curves with bands of one standard error on either side.

    Args:
        protocol: of the comparison.
        curves: by strategy.
        path: of the SVG file.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # The same figures give the same file.
    with rc_context({"svg.hashsalt": path.stem}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for name, curve in curves.items():
            means = [100 * mean for mean in curve.means]
            errors = [100 * (error or 0.0) for error in curve.errors]
            axes.plot(protocol.times, means, marker="o", label=f"{name} ({curve.runs} runs)")
            low = [mean - error for mean, error in zip(means, errors, strict=True)]
            high = [mean + error for mean, error in zip(means, errors, strict=True)]
            axes.fill_between(protocol.times, low, high, alpha=0.2)
        axes.set_xlabel("trainings")
        axes.set_ylabel("judged accuracy, %")
        axes.set_xticks(protocol.times)
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(path, metadata={"Date": None})
