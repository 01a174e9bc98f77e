"""One trial: draw a candidate, reject or train it, record how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from optuna.trial import Trial

from search.run.pictures import keep_pictures
from search.spec.budget import Assessment, assess
from search.spec.candidate import Candidate
from search.storage.optuna_private import id_of_trial
from search.storage.weights import keep_weights
from search.strategies.problem import LIMIT
from search.strategies.pruners import should_prune
from search.study.candidates import find_repeat
from search.study.records import (
    FOLD_ATTRIBUTE,
    IMAGES_ATTRIBUTE,
    REPEAT_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    Outcome,
    record_candidate,
    records_of,
)
from search.study.scores import training_score
from search.study.seeds import training_seed
from search.study.study import StoredStudy
from search.workers.conditions import conditions_before, conditions_of
from search.workers.data import DataSplit, Folds
from search.workers.stop import StopSignal
from search.workers.training import Training
from trainer.errors import Diverged
from trainer.metrics import floor

__all__ = ["Objective", "TrialResult"]


@dataclass(frozen=True)
class TrialResult:
    """The result of a trial.

    Attributes:
        outcome: how the trial ended.
        score: the validation floor of a complete trial, 0 to 1.
        reason: why the trial was rejected or failed; else empty.
    """

    outcome: Outcome
    score: float | None = None
    reason: str = ""


class Objective:
    """The objective of a study: it turns a trial into a result.

    Args:
        stored: the study.
        data: the study's training and validation images, by fold.
        stop: interrupts a training when this process is asked to stop.
    """

    def __init__(self, stored: StoredStudy, data: Folds, stop: StopSignal) -> None:
        self._stored = stored
        self._data = data
        self._stop = stop
        self._search_space = stored.file.search_space(
            stored.data.input_shape, len(stored.data.classes)
        )
        self._recipe_space = stored.file.recipe_space()

    @property
    def folds(self) -> int:
        """Return in how many ways the data can be split."""
        return self._data.count

    def __call__(self, trial: Trial) -> TrialResult:
        """Draw a candidate, reject or train it, and record everything except the result.

        Raises:
            Stopped: if this process is asked to stop while it trains.
        """
        # One transaction for dozens of values, which are most of the cost of a rejection.
        with self._stored.storage.write_batch(id_of_trial(trial)):
            candidate, assessment = self._draw(trial)
        if not assessment.fits:
            return TrialResult(Outcome.REJECTED, reason=assessment.reason)
        assert assessment.cost is not None
        judged = self._repeated(trial, candidate)
        return self._train(trial, candidate, judged, assessment.cost.parameters)

    def _draw(self, trial: Trial) -> tuple[Candidate, Assessment]:
        budget = self._stored.file.budget
        limit = trial.suggest_categorical(LIMIT, budget.several) if budget.several else None
        suggestion = self._search_space.suggest(trial)
        seed = training_seed(self._stored.file.settings.seed, trial.number)
        candidate = Candidate(suggestion.architecture, self._recipe_space.suggest(trial, seed))
        assessment = assess(candidate.architecture, budget.under(limit))
        record_candidate(trial, candidate, assessment, budget, suggestion.inactive, limit)
        return candidate, assessment

    def _repeated(self, trial: Trial, candidate: Candidate) -> int:
        """Record what a trial repeats, and return how many of its candidate were judged before."""
        if not self._stored.file.settings.score:
            return 0  # The study began when nothing looked for repeats.
        trials = self._stored.study.get_trials(deepcopy=False)
        network = str(candidate.architecture)
        same = [each for each in trials if each.user_attrs.get("architecture") == network]
        repeat = find_repeat(records_of(same), trial.number, candidate.key)
        if repeat is None:
            return 0
        attributes = {REPEAT_ATTRIBUTE: repeat.first}
        if fold := repeat.judged % self._data.count:
            attributes[FOLD_ATTRIBUTE] = fold
        self._record(trial, attributes)
        return repeat.judged

    def _train(
        self, trial: Trial, candidate: Candidate, judged: int, parameters: int
    ) -> TrialResult:
        data = self._data[judged % self._data.count]
        normalisation = candidate.recipe.normalisation(data.normalisation)
        conditions = conditions_before(data.device)
        self._record(trial, {**conditions, IMAGES_ATTRIBUTE: len(data.evaluation)})
        trial.set_user_attr("normalisation", asdict(normalisation))
        training = Training(candidate, data, self._stop)
        try:
            for epoch in training:
                if epoch.number == 0:
                    self._record(trial, conditions_of(epoch))
                trial.set_user_attr("epochs", [each.to_dict() for each in training.epochs])
                # Other folds are not compared with this one, and a half repeat says nothing.
                if not judged and should_prune(
                    trial, epoch.number, epoch.accuracy, candidate.recipe.epochs
                ):
                    return TrialResult(Outcome.PRUNED)
        finally:
            trial.set_user_attr("seconds", training.seconds)
        return self._end(trial, training, data, parameters)

    def _record(self, trial: Trial, attributes: Mapping[str, Any]) -> None:
        with self._stored.storage.write_batch(id_of_trial(trial)):
            for key, value in attributes.items():
                trial.set_user_attr(key, value)

    def _end(
        self, trial: Trial, training: Training, data: DataSplit, parameters: int
    ) -> TrialResult:
        """Record the end of a training that was not pruned, and return its result."""
        if isinstance(training.failure, Diverged):
            trial.report(0.0, step=training.failure.epoch)
            return TrialResult(Outcome.DIVERGED, reason=training.reason)
        if training.failure is not None:
            return TrialResult(Outcome.OUT_OF_MEMORY, reason=training.reason)
        stored = self._stored
        kept = keep_weights(training.network, stored.artifacts, trial, stored.storage)
        trial.set_user_attr("weights_sha256", kept.sha256)
        assert training.predictions is not None
        keep_pictures(
            trial,
            stored,
            training.candidate.architecture,
            training.epochs,
            data.evaluation,
            training.predictions,
        )
        accuracies = [epoch.accuracy for epoch in training.epochs]
        settings = stored.file.settings
        if settings.score:
            score = training_score(stored.file, accuracies, parameters)
            trial.set_user_attr(SCORE_ATTRIBUTE, score)
        return TrialResult(Outcome.COMPLETE, floor(accuracies, settings.floor_epochs))
