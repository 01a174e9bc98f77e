from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.cli.app import main
from search.errors import ExportError, InputError, TrialError
from search.explain.command import explain
from search.explain.plan import make_plan
from search.explain.result import ladder_text, worth_of_steps
from search.export.command import export
from search.spec.ladder_file import LadderFile
from search.study.study import StoredStudy
from tests.search.small_studies import begun, quiet, search_here, url_in

pytestmark = pytest.mark.usefixtures("warm_workers")


@pytest.fixture
def stored(tmp_path: Path) -> StoredStudy:
    """A study with one complete trial of two epochs."""
    stored = begun(tmp_path, epochs=2)
    search_here(stored, 1)
    return stored


def test_a_study_is_explained_and_replayed(stored: StoredStudy, tmp_path: Path) -> None:
    """Each step is trained with its seeds, kept, and written as a ladder that can be read."""
    url, path = url_in(tmp_path), tmp_path / "explained.toml"
    options = {"workers": 1, "storage": url, "device": "cpu", "console": quiet()}
    explained = explain(stored.name, path, seeds=2, **options)  # type: ignore[arg-type]
    assert explained.steps[0].step.name == "skeleton"
    assert all(each.floor is not None and each.floor.n == 2 for each in explained.steps)
    means = [each.floor.mean for each in explained.steps if each.floor is not None]
    assert explained.steps[1].worth == pytest.approx(means[1] - means[0])
    ladder = LadderFile.load(path)
    assert [step.name for step in ladder.steps] == [each.step.name for each in explained.steps]
    for step, each in zip(ladder.steps, explained.steps, strict=True):
        assert step.architecture == each.step.candidate.architecture
        assert step.recipe.to_dict() | {"seed": 0} == each.step.candidate.recipe.to_dict() | {
            "seed": 0
        }
    again = explain(stored.name, seeds=2, **options)  # type: ignore[arg-type]
    assert again.to_dict() == explained.to_dict()


def test_an_exported_network_is_explained_as_its_study(stored: StoredStudy, tmp_path: Path) -> None:
    """The folder of an export has the same steps, on the same images, under the same key."""
    url = url_in(tmp_path)
    export(stored.name, tmp_path / "net", storage=url)
    of_study = make_plan(stored.name, url, Path("data"), 3)
    of_folder = make_plan(tmp_path / "net", url, Path("data"), 3)
    assert of_folder.steps == of_study.steps
    assert of_folder.key == of_study.key
    assert of_folder.floor_epochs == of_study.floor_epochs
    nothing = worth_of_steps(of_study, [])
    assert "No seed trained to its end." in ladder_text(nothing)
    assert json.loads(json.dumps(nothing.to_dict()))["steps"][0]["worth"] is None


def test_what_is_wrong_is_named(stored: StoredStudy, tmp_path: Path) -> None:
    """A trial that does not exist, a folder of something else and a wrong file are refused."""
    url = url_in(tmp_path)
    with pytest.raises(TrialError, match="no trial 99 with a network"):
        make_plan(stored.name, url, Path("data"), 1, trial=99)
    with pytest.raises(InputError, match="holds no exported network"):
        make_plan(tmp_path, url, Path("data"), 1)
    with pytest.raises(InputError, match=r"a name that ends in \.toml"):
        explain(stored.name, tmp_path / "a.txt", storage=url)
    with pytest.raises(ExportError, match="does not exist"):
        explain(stored.name, tmp_path / "no" / "a.toml", storage=url)
    with pytest.raises(InputError, match="--trial is of a study"):
        make_plan(tmp_path, url, Path("data"), 1, trial=1)
    assert main(["explain", "nothing", "--storage", url]) == 2
