"""What the trials of a study say of their candidates, read anew for each proposal."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import optuna
from optuna.search_space import intersection_search_space
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.strategies.genes import Genes, Params
from search.strategies.model.posterior import Estimate, Judgement, Place, Running, estimates
from search.strategies.problem import LIMIT, Problem, Proposal

__all__ = ["Archive", "Entry", "Reader", "is_untrained", "posterior_of", "score_of"]

_UNTRAINED = ("rejected", "interrupted")
_FAILED = ("diverged", "out-of-memory")


def is_untrained(trial: FrozenTrial) -> bool:
    """Return whether a trial ended without a training that counts."""
    return trial.user_attrs.get("outcome") in _UNTRAINED


def score_of(trial: FrozenTrial) -> float | None:
    """Return the score by which a complete trial is ranked; None for any other trial.

    That is its attribute ``score``, and the study's value where it has none.
    """
    if trial.state is not TrialState.COMPLETE:
        return None
    score = trial.user_attrs.get("score", trial.value)
    return None if score is None or math.isnan(score) else float(score)


@dataclass(frozen=True)
class Entry:
    """A candidate that was proposed before.

    Attributes:
        number: of its first trial.
        key: equal for equal candidates.
        params: its genes.
        place: where it stands.
        fits: whether it is within the budget.
    """

    number: int
    key: str
    params: Params
    place: Place
    fits: bool = True


@dataclass
class Archive:
    """All that is known of the candidates of a study.

    Attributes:
        entries: candidates that were trained or are in training, by key.
        judgements: the scores of complete trials, in the order of the trials.
        running: the trials in training.
        trained: how many trials were trained or are in training.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    judgements: list[Judgement] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    trained: int = 0

    @property
    def places(self) -> dict[str, Place]:
        """Where the candidates stand."""
        return {key: entry.place for key, entry in self.entries.items()}

    @property
    def trainings(self) -> Counter[str]:
        """How many scores each candidate has or will have soon."""
        keys = [each.key for each in self.judgements] + [each.key for each in self.running]
        return Counter(keys)


class Reader:
    """Reads candidates out of trials.

    Args:
        genes: the parameters that the candidates have.
        problem: says what they mean; else a candidate is its parameters.
        known: the entries of finished trials, which are kept from one reading to the next.
    """

    def __init__(
        self,
        genes: Genes,
        problem: Problem | None,
        known: MutableMapping[int, Entry] | None = None,
    ) -> None:
        self.genes, self._problem = genes, problem
        # A candidate is the same under each limit.
        placed = {name: each for name, each in genes.distributions.items() if name != LIMIT}
        self._placed = Genes(placed)
        self._known = {} if known is None else known

    def describe(self, params: Mapping[str, Any]) -> Proposal:
        """Return what a set of genes means."""
        if self._problem is None:
            values = [[name, params[name]] for name in self.genes.distributions]
            return Proposal(json.dumps(values, default=repr), fits=True, fill=0.0)
        return self._problem.describe(params)

    def entry(self, params: Params, proposal: Proposal, number: int = -1) -> Entry:
        """Return the entry of a candidate."""
        place = Place(proposal.features, tuple(self._placed.encode(params).tolist()))
        return Entry(number, proposal.key, params, place, proposal.fits)

    def read(self, trials: Iterable[FrozenTrial], maximise: bool, but: int = -1) -> Archive:
        """Read the trials of a study.

        Args:
            trials: in the order of their numbers.
            maximise: whether the higher score is the better.
            but: the number of the trial that is asking.
        """
        archive = Archive()
        failed: list[int] = []
        for trial in trials:
            if trial.number == but or is_untrained(trial):
                continue
            if trial.state in (TrialState.FAIL, TrialState.WAITING):
                continue
            entry = self._entry_of(trial)
            if trial.state is TrialState.RUNNING and (entry is None or not entry.fits):
                continue
            archive.trained += 1
            if entry is None:
                continue
            archive.entries.setdefault(entry.key, entry)
            fold = int(trial.user_attrs.get("fold", 0))
            if trial.state is TrialState.RUNNING:
                archive.running.append(Running(entry.key, entry.place, fold))
            elif (score := score_of(trial)) is not None and math.isfinite(score):
                archive.judgements.append(Judgement(entry.key, score if maximise else -score, fold))
            elif trial.user_attrs.get("outcome") in _FAILED:
                failed.append(len(archive.judgements))
                archive.judgements.append(Judgement(entry.key, math.inf, fold))
        # A training that broke off is as bad as the worst that did not.
        worst = min((each.score for each in archive.judgements), default=math.inf)
        for place in failed:
            archive.judgements[place] = replace(archive.judgements[place], score=worst)
        if worst == math.inf:
            archive.judgements.clear()
        return archive

    def _entry_of(self, trial: FrozenTrial) -> Entry | None:
        """Return what was tried; None where the genes are missing or out of their range."""
        if trial.number in self._known:
            return self._known[trial.number]
        if not self.genes.hold(trial.params):
            return None
        params = self.genes.own(trial.params)
        entry = self.entry(params, self.describe(params), trial.number)
        if trial.state.is_finished():
            self._known[trial.number] = entry
        return entry


def posterior_of(
    study: optuna.Study,
    problem: Problem | None = None,
    trials: Sequence[FrozenTrial] | None = None,
) -> dict[str, Estimate]:
    """Return what is known of each candidate of a study.

    Args:
        study: with one objective.
        problem: says which trials have the same candidate, and which candidates are alike. Without
            one, candidates are equal if the parameters that all trials have in common are.
        trials: of the study, to know what was known after them; None for all.

    Returns:
        By key; the means have the study's sign.
    """
    trials = study.get_trials(deepcopy=False) if trials is None else trials
    maximise = study.direction is StudyDirection.MAXIMIZE
    space = problem.distributions if problem else intersection_search_space(list(trials))
    archive = Reader(Genes(space), problem).read(trials, maximise)
    found = estimates(archive.judgements, archive.places)
    if maximise:
        return found
    return {key: Estimate(-each.mean, each.deviation, each.repeats) for key, each in found.items()}
