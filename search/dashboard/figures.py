"""Figures of a study for optuna-dashboard, as Plotly's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from optuna.trial import FrozenTrial

from search.spec.budget import Budget
from search.study.importance import grouped_importances, ranks_of
from search.study.records import Outcome, TrialRecord, bests_so_far, front_records
from search.text import percent, percent_share

__all__ = ["study_figures"]

_Figure: TypeAlias = Mapping[str, Any]

_BLUE, _ORANGE, _GREY = "#0969da", "#bc4c00", "#8c959f"
_MOST_CHOICES = 12


def study_figures(
    trials: Sequence[FrozenTrial], records: Sequence[TrialRecord], budget: Budget
) -> dict[str, str]:
    """Return the figures that a study has enough trials for.

    Args:
        trials: of the study.
        records: of the same trials.
        budget: of the study.

    Returns:
        By an id that is safe in HTML, each as JSON with ``data`` and ``layout``.
    """
    complete = [record for record in records if record.score is not None]
    found: dict[str, _Figure] = {}
    if complete:
        found["1-accuracy-and-parameters"] = _front(complete, records, budget)
        found["2-best-so-far"] = _best_so_far(records)
        found["3-fitting"] = _fitting(complete)
    if importances := grouped_importances(trials, ranks_of(records)):
        found["4-what-mattered"] = _importances(importances)
    return {name: json.dumps(figure) for name, figure in found.items()}


def _front(
    complete: Sequence[TrialRecord], records: Sequence[TrialRecord], budget: Budget
) -> _Figure:
    front = front_records(complete)
    rejected = sum(record.outcome is Outcome.REJECTED for record in records)
    share = percent_share(rejected / len(records))
    lines = [
        {
            "type": "line",
            "x0": limit,
            "x1": limit,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": _ORANGE, "dash": "dash"},
        }
        for limit in budget.parameter_limits
    ]
    return _figure(
        f"Accuracy against parameters ({rejected:,} of {len(records):,} rejected, {share})",
        ("parameters", "validation floor, %"),
        [
            {**_points(complete), "name": "complete", "marker": {"color": _BLUE, "opacity": 0.6}},
            {
                **_points(front),
                "name": "front",
                "mode": "lines+markers",
                "line": {"color": _ORANGE},
            },
        ],
        shapes=lines,
    )


def _points(records: Sequence[TrialRecord]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [record.parameters for record in records],
        "y": [100 * (record.score or 0) for record in records],
        "text": [f"trial {record.number}" for record in records],
    }


def _best_so_far(records: Sequence[TrialRecord]) -> _Figure:
    bests, trained = bests_so_far(records)
    numbers = [count for count, _ in bests]
    heights = [100 * (record.score or 0) for _, record in bests]
    words = [f"trial {record.number}: {percent(record.score)}" for _, record in bests]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [*numbers, trained],
        "y": [*heights, *heights[-1:]],
        "text": [*words, "so far"],
        "line": {"shape": "hv", "color": _BLUE},
    }
    labels = ("trained trials, pruned ones included", "validation floor, %")
    return _figure("Best so far", labels, [line])


def _fitting(complete: Sequence[TrialRecord]) -> _Figure:
    last = [record.epochs[-1] for record in complete if record.epochs]
    trained = [100 * epoch.train_accuracy for epoch in last]
    judged = [100 * epoch.accuracy for epoch in last]
    ends = [min([*trained, *judged], default=0), max([*trained, *judged], default=100)]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": trained,
        "y": judged,
        "text": [f"trial {record.number}" for record in complete if record.epochs],
        "marker": {"color": _BLUE, "opacity": 0.6},
        "name": "last epoch",
    }
    equal = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": ends,
        "line": {"color": _GREY, "dash": "dot"},
        "name": "equal",
    }
    return _figure(
        "Over- and under-fitting (below the line: better on augmented training images)",
        ("training accuracy, %", "validation accuracy, %"),
        [points, equal],
    )


def _importances(importances: Mapping[str, float]) -> _Figure:
    shown = list(importances.items())[:_MOST_CHOICES][::-1]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [100 * share for _, share in shown],
        "y": [name for name, _ in shown],
        "marker": {"color": _BLUE},
    }
    title = "What mattered (PED-ANOVA on all trained trials; widths of all layers together)"
    figure = _figure(title, ("share, %", ""), [bars])
    figure["layout"]["yaxis"]["automargin"] = True
    return figure


def _figure(
    title: str,
    labels: tuple[str, str],
    data: Sequence[Mapping[str, Any]],
    shapes: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    across, up = labels
    return {
        "data": list(data),
        "layout": {
            "title": {"text": title, "font": {"size": 14}},
            "xaxis": {"title": {"text": across}},
            "yaxis": {"title": {"text": up}},
            "shapes": list(shapes),
        },
    }
