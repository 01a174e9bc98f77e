"""Studies that were moved, copied or committed, those of the version before among them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from search.cli.app import main
from search.confirm.command import confirm
from search.errors import ResumeError, StorageError, TrialError
from search.export.command import export
from search.ladder.records import Replays
from search.ladder.selection import ReplayPlan, choose_steps
from search.run.command import run
from search.storage.database import open_storage
from search.study.study import open_study
from tests.search.shown_studies import Shown, ask
from tests.search.small_studies import begun, quiet, search_here, url_in, weights_in
from trainer.recipe import Recipe

BEFORE = Path(__file__).parent / "fixtures" / "version-0.1.0"
"""What version 0.1.0 wrote, at a place that exists nowhere: see ``moved.toml``."""

DRAWN = {
    "stages": 1,
    "head": "gap-linear",
    "order": "conv-relu-bn",
    "activation": "relu",
    "stage1.convs": 1,
    "stage1.conv1.width": 8,
    "stage1.conv2.width": 17,
    "stage2.convs": 2,
    "stage2.conv1.width": 20,
    "stage2.conv2.width": 11,
    "recipe.learning_rate": 0.03831276988810237,
    "recipe.augment1.degrees": 2.6203729819966433,
}
"""What version 0.1.0 drew for trial 11."""

SEED = 2867955460541679706


pytestmark = pytest.mark.usefixtures("warm_workers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of that study."""
    shutil.copytree(BEFORE, tmp_path / "studies")
    return tmp_path


def _finished(folder: Path) -> None:
    """A study with two trained trials and a confirm in a folder."""
    folder.mkdir()
    stored = begun(folder, trials=2)
    search_here(stored, 2)
    stored.storage.engine.dispose()
    confirm("tiny", top=1, seeds=1, workers=1, storage=url_in(folder), console=quiet())


def test_a_study_of_the_version_before_goes_on(folder: Path) -> None:
    """It is resumed where it lies now, and its next trial is the one that it would have been."""
    study, url = folder / "studies" / "moved.toml", url_in(folder)
    result = run(study, workers=1, storage=url, device="cpu", console=quiet())
    assert (result.trained, result.total) == (6, 6)
    stored = open_study("moved", url, writing=False)
    trial = stored.study.get_trials(deepcopy=False)[11]
    # The last bits of a power or logarithm may differ between processors.
    floats = {key: value for key, value in DRAWN.items() if isinstance(value, float)}
    assert {**trial.params, **floats} == DRAWN
    assert {key: trial.params[key] for key in floats} == pytest.approx(floats, rel=1e-14)
    assert Recipe.from_dict(trial.user_attrs["recipe"]).seed == SEED
    assert stored.artifacts == folder / "studies" / "artifacts"


def test_a_study_of_the_version_before_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status, the finished confirm and the dashboard give what was kept, at the new place."""
    url = url_in(folder)
    assert main(["status", "moved", "--json", "--storage", url]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["trained"], state["outcomes"]["rejected"], state["confirms"]) == (5, 6, 1)
    shown = confirm("moved", storage=url, console=quiet())
    assert shown.test_floors == pytest.approx([0.19166666666666668, 0.22777777777777777])
    stored = open_study("moved", url, writing=False)
    dashboard = Shown(stored)
    (artifact,) = dashboard.detail()["trials"][0]["artifacts"]
    answer = ask(dashboard.app, f"/artifacts/1/1/{artifact['artifact_id']}")
    weights = folder / "studies" / "artifacts" / artifact["artifact_id"]
    assert (answer.code, answer.body) == (200, weights.read_bytes())


def test_a_study_of_the_version_before_is_exported(folder: Path) -> None:
    """The champion and every completed trial have their weights, which are those written then."""
    url = url_in(folder)
    assert export("moved", folder / "champion", storage=url).figures.kind == "champion"
    for number in (0, 1, 5, 9, 10):
        export("moved", folder / "of_trial", trial=number, storage=url)


def test_replays_of_the_version_before_are_found(folder: Path) -> None:
    """A replay is found again under the fingerprint of its step."""
    plan = ReplayPlan((folder / "studies" / "ladder.toml",))
    rungs = choose_steps(plan, folder)
    kept = Replays(open_storage(url_in(folder)).engine).of(rung.fingerprint for rung in rungs)
    assert [len(replays) for replays in kept.values()] == [1, 0]


@pytest.mark.parametrize("how", ["moved", pytest.param("copied", marks=pytest.mark.slow)])
def test_a_study_works_at_another_place(tmp_path: Path, how: str) -> None:
    """Once moved or copied it is run, confirmed and exported; nothing is made at the old place."""
    old, new = tmp_path / "old", tmp_path / "new"
    _finished(old)
    shutil.copytree(old, new)
    if how == "moved":
        shutil.rmtree(old)
    before = sorted(old.rglob("*"))
    url, study = url_in(new), new / "tiny.toml"
    artifacts = new / "studies" / "artifacts"
    export("tiny", new / "champion", storage=url)
    count = len(weights_in(artifacts))
    run(study, trials=3, workers=1, storage=url, artifacts=artifacts, console=quiet())
    assert len(weights_in(artifacts)) == count + 1
    if how == "moved":
        confirm("tiny", again=True, top=1, seeds=1, workers=1, storage=url, console=quiet())
        export("tiny", new / "champion", storage=url)
        assert len(weights_in(artifacts)) == count + 2
    assert sorted(old.rglob("*")) == before
    with pytest.raises(ResumeError, match="--artifacts"):
        run(study, storage=url, artifacts=old / "studies" / "artifacts", console=quiet())


def test_artifacts_that_are_gone_are_named(tmp_path: Path) -> None:
    """Nothing that needs the weights goes on without them; what needs none does."""
    old = tmp_path / "old"
    _finished(old)
    artifacts, url = old / "studies" / "artifacts", url_in(old)
    artifacts.rename(tmp_path / "aside")
    with pytest.raises(StorageError, match="put them back") as caught:
        run(old / "tiny.toml", trials=3, workers=1, storage=url, console=quiet())
    assert str(artifacts) in str(caught.value)
    with pytest.raises(StorageError, match="put them back"):
        confirm("tiny", again=True, top=1, seeds=1, workers=1, storage=url, console=quiet())
    with pytest.raises(TrialError, match="put the folder back") as missing:
        export("tiny", tmp_path / "champion", storage=url)
    assert str(artifacts) in str(missing.value)
    assert not artifacts.exists()
    assert main(["status", "tiny", "--storage", url]) == 0
    (tmp_path / "aside").rename(artifacts)
    export("tiny", tmp_path / "champion", storage=url)
