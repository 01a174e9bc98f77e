"""From a study file to an exported champion, by the functions behind the commands."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from search.cli.app import main
from search.confirm.choice import champion_of
from search.confirm.command import confirm
from search.export.command import export
from search.run.command import run
from search.status import front_of, status
from tests.search.small_studies import begun, quiet, reopened, search_here, url_in, write_study
from tests.search.warm_workers import forked
from trainer.data import Normalisation, open_dataset


def test_from_a_study_file_to_a_champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers search, the best are confirmed, and the exported champion gives its figures."""
    monkeypatch.chdir(tmp_path)
    study = write_study(tmp_path, trials=4)
    url = url_in(tmp_path)
    result = run(study, workers=2, storage=url, console=quiet())
    assert result.trained == result.total == 4
    assert result.best is not None

    with forked():
        confirmed = confirm("tiny", top=2, seeds=2, workers=2, storage=url, console=quiet())
    assert confirmed.finished
    assert len(confirmed.selection) == 4
    means = {trial: sum(confirmed.validation_floors(trial)) for trial in confirmed.plan.trials}
    assert means[champion_of(confirmed)] == max(means.values())
    shown = confirm("tiny", storage=url, console=quiet())
    assert shown == confirmed

    trained = export("tiny", tmp_path / "tiny_net", storage=url)
    assert trained.figures.kind == "champion"
    assert (tmp_path / "tiny_net" / "weights.safetensors").is_file()
    monkeypatch.syspath_prepend(str(tmp_path))
    from tiny_net import load

    test = open_dataset("digits", tmp_path).test()
    with torch.no_grad():
        classes = load()(test.pixels.float() / 255).argmax(dim=1)
    right = float((classes == test.labels).float().mean())
    assert right == pytest.approx(confirmed.final[0].last, abs=1e-6)


def test_a_network_trained_on_raw_pixels_is_exported_so(tmp_path: Path) -> None:
    """Where the recipe does not normalise, trial, champion and their packages do not either."""
    stored = begun(tmp_path, learning_rate="0.02\nnormalise = [false]", trials=1)
    search_here(stored, 1)
    (record,) = [record for record in stored.records() if record.score is not None]
    assert record.recipe["normalise"] is False
    url = url_in(tmp_path)
    trial = export("tiny", tmp_path / "trial_net", storage=url)
    with forked():
        confirm("tiny", top=1, seeds=1, workers=1, storage=url, console=quiet())
    champion = export("tiny", tmp_path / "tiny_net", storage=url)
    assert trial.normalisation == champion.normalisation == Normalisation((0.0,), (1.0,))


def test_status_counts_every_outcome(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The status of a study counts its trials and shows the best and the front, as JSON too."""
    stored = begun(tmp_path, parameters=600, trials=3)
    search_here(stored, 3)
    (state,) = status("tiny", storage=url_in(tmp_path))
    records = reopened(tmp_path).records()
    assert state.trained == 3
    assert sum(state.outcomes.values()) == len(records)
    assert state.best is not None
    assert state.best.score == max(record.score for record in records if record.score is not None)
    assert state.best in state.front
    assert main(["status", "tiny", "--json", "--storage", url_in(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["trained"] == 3


def test_no_point_of_the_front_is_beaten(tmp_path: Path) -> None:
    """The larger of two points is the better one, and every other trial is beaten by a point."""
    stored = begun(tmp_path, trials=5)
    search_here(stored, 5)
    records = stored.records()
    front = front_of(records)
    for small, large in pairwise(front):
        assert small.parameters < large.parameters
        assert small.score < large.score
    for record in records:
        if record.score is not None and record.parameters is not None:
            assert any(
                point.parameters <= record.parameters and point.score >= record.score
                for point in front
            )
