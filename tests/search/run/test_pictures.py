from __future__ import annotations

import errno
from pathlib import Path
from xml.etree import ElementTree

import pytest
from optuna.artifacts import get_all_artifact_meta

from search.run.pictures import keep_pictures
from search.run.progress import trial_line
from search.study.records import NO_PICTURES_ATTRIBUTE, Outcome
from space.architecture import Architecture
from tests.search.pictures.test_svg import SVG
from tests.search.small_studies import begun, search_here, template, weights_in
from trainer.data import open_dataset
from trainer.loop import Epoch
from trainer.metrics import floor

PICTURES = ["confusion.svg", "curves.svg", "mistakes.svg", "network.svg"]


def test_what_completes_has_pictures_and_nothing_else_has(tmp_path: Path) -> None:
    """A complete trial keeps four pictures as SVG; one that was pruned or rejected keeps none."""
    stored = begun(
        tmp_path,
        space=template("conv3 {a} relu", "gap", "linear 10", a="{ low = 4, high = 40 }"),
        parameters=500,
        pruner="halving",
        epochs=3,
        seed=3,
    )
    search_here(stored, 10)
    seen = set()
    for record, trial in zip(stored.records(), stored.study.get_trials(), strict=True):
        metas = get_all_artifact_meta(trial, storage=stored.storage)
        pictures = [meta for meta in metas if meta.filename.endswith(".svg")]
        complete = record.outcome is Outcome.COMPLETE
        assert sorted(meta.filename for meta in pictures) == (PICTURES if complete else [])
        assert all(meta.mimetype == "image/svg+xml" for meta in pictures)
        for meta in pictures:
            text = (stored.artifacts / meta.artifact_id).read_text("utf-8")
            assert ElementTree.fromstring(text).tag == f"{SVG}svg"
        seen.add(record.outcome)
    assert {Outcome.COMPLETE, Outcome.PRUNED, Outcome.REJECTED} <= seen


def test_the_mistakes_are_those_of_the_last_epoch(tmp_path: Path) -> None:
    """The pictures count as many mistakes as the last accuracy says."""
    stored = begun(tmp_path, epochs=2)
    search_here(stored, 1)
    (record,) = [each for each in stored.records() if each.outcome is Outcome.COMPLETE]
    _, validation = open_dataset("digits", Path()).search_split()
    wrong = round((1 - record.epochs[-1].accuracy) * len(validation))
    metas = get_all_artifact_meta(stored.study.get_trials()[record.number], storage=stored.storage)
    texts = {
        meta.filename: (stored.artifacts / meta.artifact_id).read_text("utf-8")
        for meta in metas
        if meta.filename in PICTURES
    }
    assert f"{wrong:,} of {len(validation):,} images are wrong" in texts["confusion.svg"]
    assert f"{wrong} mistakes" in texts["mistakes.svg"].replace("the first 24 of ", "")
    assert texts["mistakes.svg"].count("<image") == min(wrong, 24)


@pytest.mark.parametrize(
    ("broken", "error", "reason"),
    [
        ("keep_file", OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        ("mistakes_picture", ValueError("no such mode"), "ValueError: no such mode"),
    ],
)
def test_a_trial_is_not_lost_with_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: Exception, reason: str
) -> None:
    """A full disk or a picture that cannot be drawn costs pictures; score and weights are kept."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"search.run.pictures.{broken}", fails)
    stored = begun(tmp_path)
    search_here(stored, 1)
    (record,) = [each for each in stored.records() if each.trained]
    assert record.outcome is Outcome.COMPLETE
    assert record.score == floor([epoch.accuracy for epoch in record.epochs], 1)
    assert len(weights_in(stored.artifacts)) == 1
    assert reason in record.attributes[NO_PICTURES_ATTRIBUTE]
    assert reason in trial_line(record)


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """A trial without pictures says where they could not be written."""
    stored = begun(tmp_path)
    trial = stored.study.ask()
    _, validation = open_dataset("digits", Path()).search_split()
    network = Architecture.parse("gap\nlinear 10", (1, 8, 8))
    stored.artifacts.rename(tmp_path / "elsewhere")
    epochs = [Epoch(0, 1, 0.5, 0.5, 1)]
    keep_pictures(trial, stored, network, epochs, validation, validation.labels)
    kept = stored.study.get_trials()[0].user_attrs
    assert str(stored.artifacts) in kept[NO_PICTURES_ATTRIBUTE]
