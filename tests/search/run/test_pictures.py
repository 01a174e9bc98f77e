from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from optuna.artifacts import get_all_artifact_meta

from search.errors import WorkFailed
from search.run.pictures import keep_pictures
from search.study.records import Outcome
from space.architecture import Architecture
from tests.search.pictures.test_svg import SVG
from tests.search.small_studies import begun, search_here, template
from trainer.data import open_dataset
from trainer.loop import Epoch

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


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """Pictures that cannot be written say where, and how to go on."""
    stored = begun(tmp_path)
    trial = stored.study.ask()
    _, validation = open_dataset("digits", Path()).search_split()
    network = Architecture.parse("gap\nlinear 10", (1, 8, 8))
    stored.artifacts.rename(tmp_path / "elsewhere")
    with pytest.raises(WorkFailed, match="check that the folder exists"):
        keep_pictures(
            trial, stored, network, [Epoch(0, 1, 0.5, 0.5, 1)], validation, validation.labels
        )
