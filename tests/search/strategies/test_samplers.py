from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.samplers import QMCSampler

from search.spec.study_settings import StudySettings
from search.strategies.samplers import SAMPLERS, Sampler, make_sampler
from tests.search.small_studies import SKELETON, begun, search_here


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_follows_its_seed(name: str) -> None:
    """The same seed suggests the same and another seed something else."""

    def drawn(seed: int) -> list[float]:
        study = optuna.create_study(sampler=make_sampler(name, seed))
        return [study.ask().suggest_float("x", 0, 1) for _ in range(3)]

    assert drawn(1) == drawn(1)
    assert not set(drawn(1)) & set(drawn(2))


def test_an_unknown_name_is_refused() -> None:
    """The message names what was asked for and every sampler."""
    with pytest.raises(
        ValueError, match=f"'guess' is not known; give one of {', '.join(SAMPLERS)}"
    ):
        make_sampler("guess", 1)


def test_the_default_of_a_study_file_is_known() -> None:
    """A study file without a sampler names one that exists."""
    assert StudySettings(name="a", dataset="digits").sampler in SAMPLERS


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_new_sampler_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study file can name it and a worker searches with it, with no other change."""
    entry = Sampler("covers the space evenly", lambda seed, problem: QMCSampler(seed=seed))
    monkeypatch.setitem(SAMPLERS, "qmc", entry)
    stored = begun(tmp_path, space=SKELETON, sampler="qmc", epochs=1)
    search_here(stored, 1)
    assert stored.file.settings.sampler == "qmc"
    assert sum(record.trained for record in stored.records()) == 1
