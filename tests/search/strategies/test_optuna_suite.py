"""Optuna's own published cases for samplers, run on ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from optuna.samplers import BaseSampler, TPESampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
    SingleOnlySamplerTestCase,
)

from search.strategies.ageing import AgeingEvolution
from search.strategies.by_score import ByScore
from search.strategies.evolution import Evolution
from search.strategies.repaired_tpe import RepairedTPE

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")

MakeSampler = Callable[[], BaseSampler]

OURS = [Evolution, AgeingEvolution]


class TestOurs(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture(params=OURS, ids=lambda made: made.__name__)
    def sampler(self, request: pytest.FixtureRequest) -> MakeSampler:
        return lambda: request.param(0)


class TestByScore(RelativeSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> MakeSampler:
        return lambda: ByScore(TPESampler(seed=0, n_startup_trials=0))


class TestRepairedTPE(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> MakeSampler:
        return lambda: RepairedTPE(0)
