"""Which parameters of a search space decide how good a candidate is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.study.records import TrialRecord

__all__ = ["ENOUGH_TRIALS", "grouped_importances", "ranks_of"]

ENOUGH_TRIALS = 20
"""From how many trained trials importances say more than chance."""

# stage2.conv1.width and stage1.conv3.width are one choice: how wide convolutions are.
_PLACE = re.compile(r"^(?:stage\d+\.)?(?:conv\d+\.)?")


def ranks_of(records: Iterable[TrialRecord]) -> dict[int, float]:
    """Rank each trained trial, pruned ones included, among all that trained as far as it did.

    Args:
        records: of a study.

    Returns:
        By the number of the trial its rank in its last epoch: 0 for the worst, 1 for the best, ties
        in the middle. Trials without an epoch are left out.
    """
    trained = [record for record in records if record.trained and record.epochs]
    accuracies: dict[int, list[float]] = {}
    for record in trained:
        for epoch in record.epochs:
            accuracies.setdefault(epoch.number, []).append(epoch.accuracy)
    for each in accuracies.values():
        each.sort()
    found = {}
    for record in trained:
        last = record.epochs[-1]
        among = accuracies[last.number]
        below, upto = bisect_left(among, last.accuracy), bisect_right(among, last.accuracy)
        # Who trained further has already beaten those that were stopped before.
        stopped = len(trained) - len(among)
        found[record.number] = (stopped + (below + upto) / 2) / len(trained)
    return found


def grouped_importances(
    trials: Sequence[FrozenTrial], ranks: Mapping[int, float]
) -> dict[str, float]:
    """Return the share of each choice in what made candidates good.

    The method is PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv:2304.10255), as Optuna has it,
    on the ranks of all trained trials. Parameters that are the same choice in several places, such
    as the width of each convolution, are added up.

    Args:
        trials: of a study, with their parameters.
        ranks: of the trained ones, by number, see :func:`ranks_of`.

    Returns:
        By name, the largest first; they add up to 1. Empty where fewer than
        :data:`ENOUGH_TRIALS` were trained, or none varies.
    """
    ranked = [trial for trial in trials if trial.number in ranks]
    if len(ranked) < ENOUGH_TRIALS or len(set(ranks.values())) < 2:
        return {}
    values: dict[str, set[object]] = {}
    for trial in ranked:
        for name, value in trial.params.items():
            values.setdefault(name, set()).add(value)
    # PED-ANOVA gives a share to what was the same in all trials, too.
    varies = {name for name, different in values.items() if len(different) > 1}
    if not varies:
        return {}
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        create_trial(
            state=TrialState.COMPLETE,
            value=ranks[trial.number],
            params={k: v for k, v in trial.params.items() if k in varies},
            distributions={k: v for k, v in trial.distributions.items() if k in varies},
        )
        for trial in ranked
    )
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), normalize=False)
    grouped: dict[str, float] = {}
    for name, importance in found.items():
        choice = _PLACE.sub("", name) or name
        grouped[choice] = grouped.get(choice, 0.0) + importance
    total = sum(grouped.values())
    if not total:
        return {}
    return dict(sorted(((k, v / total) for k, v in grouped.items()), key=lambda pair: -pair[1]))
