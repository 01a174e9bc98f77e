"""One trial: draw a candidate, reject or train it, record how it went."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from optuna.trial import Trial
from torch import nn

from search.spec.candidate import Assessment, Candidate, assess
from search.spec.recipe_space import RecipeSpace
from search.spec.study_file import StudyFile
from search.storage.rdb_storage import StudyStorage
from search.storage.weights import keep_weights
from search.strategies.pruners import should_prune
from search.study.records import Outcome, record_candidate
from search.study.seeds import training_seed
from search.workers.data import DataSplit
from search.workers.devices import hardware, versions
from search.workers.stop import StopSignal, interruptible
from space.network import build
from space.search_space import SearchSpace
from trainer.errors import Diverged, OutOfMemory
from trainer.loop import Epoch, train
from trainer.memory import working_memory
from trainer.metrics import floor

__all__ = ["Objective", "TrialResult", "seeded_network"]


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    Attributes:
        outcome: in a word.
        score: the validation floor of a complete trial, 0 to 1.
        reason: of a rejection or failure.
    """

    outcome: Outcome
    score: float | None = None
    reason: str = ""


class Objective:
    """Turns a trial of a study into a result.

    Args:
        file: the study.
        search_space: of the study, for its data set.
        recipe_space: of the study.
        parts: the images that a search may see.
        artifacts: an existing folder that takes the weights.
        stop: asks the training to break off.
        storage: of the study.
    """

    def __init__(
        self,
        file: StudyFile,
        search_space: SearchSpace,
        recipe_space: RecipeSpace,
        parts: DataSplit,
        artifacts: Path,
        stop: StopSignal,
        storage: StudyStorage,
    ) -> None:
        self._file = file
        self._search_space = search_space
        self._recipe_space = recipe_space
        self._parts = parts
        self._artifacts = artifacts
        self._stop = stop
        self._storage = storage

    def __call__(self, trial: Trial) -> TrialResult:
        """Draws, rejects or trains, and keeps all attributes but those of the result.

        Raises:
            Stopped: if the worker was asked to stop while it trained.
        """
        # One transaction for what are dozens of values: a rejection costs little else.
        with self._storage.write_batch(trial._trial_id):
            candidate, assessment = self._draw(trial)
        if not assessment.fits:
            return TrialResult(Outcome.REJECTED, reason=assessment.reason)
        return self._train(trial, candidate)

    def _draw(self, trial: Trial) -> tuple[Candidate, Assessment]:
        suggestion = self._search_space.suggest(trial)
        seed = training_seed(self._file.settings.seed, trial.number)
        candidate = Candidate(suggestion.architecture, self._recipe_space.suggest(trial, seed))
        assessment = assess(candidate.architecture, self._file.budget)
        record_candidate(trial, candidate, assessment, suggestion.inactive)
        return candidate, assessment

    def _train(self, trial: Trial, candidate: Candidate) -> TrialResult:
        device = self._parts.training.pixels.device
        trial.set_user_attr("device", hardware(device))
        trial.set_user_attr("versions", versions())
        normalisation = candidate.recipe.normalisation(self._parts.normalisation)
        trial.set_user_attr("normalisation", asdict(normalisation))
        started = time.perf_counter()
        try:
            return self._epochs(trial, candidate)
        except Diverged as error:
            trial.report(0.0, step=error.epoch)
            return TrialResult(Outcome.DIVERGED, reason=str(error))
        except OutOfMemory as error:
            return TrialResult(Outcome.OUT_OF_MEMORY, reason=str(error).splitlines()[0])
        finally:
            trial.set_user_attr("seconds", round(time.perf_counter() - started, 3))

    def _epochs(self, trial: Trial, candidate: Candidate) -> TrialResult:
        parts = self._parts
        network = seeded_network(candidate, parts.training.pixels.device)
        figures: list[Epoch] = []
        epochs = train(
            network, parts.training, parts.evaluation, parts.normalisation, candidate.recipe
        )
        for epoch in interruptible(epochs, self._stop):
            figures.append(epoch)
            if len(figures) == 1:
                trial.set_user_attr("path", epoch.backend)
            trial.set_user_attr("epochs", [figure.to_dict() for figure in figures])
            if should_prune(trial, epoch.number, epoch.accuracy, candidate.recipe.epochs):
                return TrialResult(Outcome.PRUNED)
        kept = keep_weights(network, self._artifacts, trial, self._storage)
        trial.set_user_attr("weights_sha256", kept.sha256)
        accuracies = [epoch.accuracy for epoch in figures]
        return TrialResult(Outcome.COMPLETE, floor(accuracies, self._file.settings.floor_epochs))


def seeded_network(candidate: Candidate, device: torch.device) -> nn.Module:
    """Builds a candidate's network with the initial weights that its recipe's seed gives.

    Raises:
        OutOfMemory: if the device has no room for the weights.
    """
    memory = working_memory(device, candidate.recipe.batch_size)
    with memory, torch.random.fork_rng(devices=[]):
        torch.manual_seed(candidate.recipe.seed)
        return build(candidate.architecture).to(device)
