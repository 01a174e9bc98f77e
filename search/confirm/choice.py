"""Choose the champion among the trials that a confirm has retrained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import NormalDist

from search.errors import InputError
from search.strategies.model.posterior import Estimate
from search.study.candidates import first_of_each
from search.study.confirms import Confirm, last_ordinal, load_confirm
from search.study.records import TrialRecord, best_of
from search.study.scores import saving
from search.study.study import StoredStudy

__all__ = ["champion_of", "champion_or_best", "chosen_limit", "holding_trials", "last_champion"]


def holding_trials(
    records: Iterable[TrialRecord],
    top: int,
    known: Mapping[str, Estimate],
    to_hold: float,
    limit: int,
) -> tuple[int, ...]:
    """Return the trials to retrain where the smallest network is asked for that holds a floor.

    Each candidate holds it with some probability, by what is known of its floor. Chosen are those
    that together promise most, one after the other: the gain of a set is what its smallest holder
    saves, plus one for holding at all. So small candidates that may just hold come with somewhat
    larger ones that surely do. Where none has a chance, the most accurate are chosen.

    Args:
        records: of a study.
        top: the most trials to return; there may be fewer complete ones.
        known: of each candidate's floor, by its key.
        to_hold: the mean floor to hold, 0 to 1.
        limit: the most parameters.

    Returns:
        Numbers of trials, the smallest network first.
    """
    left = first_of_each(record for record in records if record.score is not None)

    def expected(record: TrialRecord) -> Estimate:
        return known.get(str(record.key)) or Estimate(record.score or 0.0, 0.0, 1)

    def promise(chosen: list[TrialRecord]) -> float:
        gain, none_smaller = 0.0, 1.0
        for record in sorted(chosen, key=_size):
            holds = _probability(expected(record), to_hold)
            gain += none_smaller * holds * (1.0 + saving(record.parameters or 0, limit))
            none_smaller *= 1.0 - holds
        return gain

    chosen: list[TrialRecord] = []
    while left and len(chosen) < top:
        best = max(left, key=lambda each: (promise([*chosen, each]), expected(each).mean))
        left.remove(best)
        chosen.append(best)
    return tuple(record.number for record in sorted(chosen, key=_size))


def _size(record: TrialRecord) -> tuple[int, int]:
    return record.parameters or 0, record.number


def _probability(estimate: Estimate, to_hold: float) -> float:
    """Return how likely a candidate's mean floor is at least ``to_hold``."""
    if estimate.deviation <= 0.0:
        return float(estimate.mean >= to_hold)
    return 1.0 - NormalDist(estimate.mean, estimate.deviation).cdf(to_hold)


def champion_of(confirm: Confirm, limit: int | None = None) -> int:
    """Return the champion, see :attr:`search.study.confirms.Confirm.champions`.

    Args:
        confirm: whose selection is over.
        limit: on parameters, where there are several.

    Raises:
        ValueError: if not all candidates were retrained yet.
        KeyError: there is no champion for that limit.
    """
    return confirm.champions[limit]


def last_champion(stored: StoredStudy, limit: int | None = None) -> tuple[Confirm, int] | None:
    """Return the last finished confirm that has a champion, and the number of that trial.

    Args:
        stored: the study.
        limit: on parameters, where there are several.

    Returns:
        None where no confirm has finished.
    """
    for ordinal in range(last_ordinal(stored), 0, -1):
        confirm = load_confirm(stored, ordinal)
        if confirm.finished and limit in confirm.champions:
            return confirm, champion_of(confirm, limit)
    return None


def champion_or_best(stored: StoredStudy, limit: int | None = None) -> tuple[int, str] | None:
    """Return the number of the study's champion, before a confirm of its best trial.

    Args:
        stored: the study.
        limit: on parameters, where there are several.

    Returns:
        The number and ``champion`` or ``best``; None where no trial has completed.
    """
    if champion := last_champion(stored, limit):
        return champion[1], "champion"
    best = best_of(stored.records(), stored.file.settings.to_hold, limit)
    return None if best is None else (best.number, "best")


def chosen_limit(stored: StoredStudy, parameters: int | None, trial: int | None) -> int | None:
    """Return which of several limits on parameters is meant; None where there is one, or a trial.

    Args:
        stored: the study.
        parameters: the limit that a user chose.
        trial: the trial that a user chose instead.

    Raises:
        InputError: no such limit, or several and none is chosen, or a limit and a trial.
    """
    limits = stored.file.budget.several
    known = ", ".join(map(str, limits))
    if parameters is None:
        if limits and trial is None:
            raise InputError(
                f"{stored.name} has several limits on parameters; give --parameters with one of "
                f"{known}"
            )
        return None
    if trial is not None:
        raise InputError("--trial and --parameters both say which network; give one of them")
    if parameters not in limits:
        has = f"its limits on parameters are {known}" if limits else "it has no list of limits"
        raise InputError(f"{stored.name} has no limit of {parameters} parameters: {has}")
    return parameters
