from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.cli.app import main
from search.compare import compare, compared_text
from search.errors import InputError, StorageError
from search.study.confirms import FINAL, SELECTION, ConfirmPlan, Repeat, save_plan, save_repeat
from search.study.study import StoredStudy
from tests.search.shown_studies import SMALL, WIDE, add_trial, new_study


def _two(folder: Path) -> list[StoredStudy]:
    """Two studies in databases of their own: one has trials and a confirm."""
    stored = []
    for name in ("one", "two"):
        (folder / name).mkdir()
        stored.append(new_study(folder / name))
    add_trial(stored[0], SMALL, 0.9)
    add_trial(stored[0], WIDE, None)
    save_plan(stored[0], ConfirmPlan(1, (0,), 2, 1, 1))
    for part in (SELECTION, FINAL):
        for slot in range(2):
            run = Repeat(0, slot, slot, (0.9,) * 4 + (0.93 + slot / 50,) * 6, 1.0, int8=0.9)
            save_repeat(stored[0], 1, part, slot, run)
    return stored


def test_studies_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each study has a column with its trials, its best and its champion."""
    one, two = _two(tmp_path)
    command = ["compare", one.name, two.name, "--storage", one.url, "--storage", two.url]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for words in ("90.00 %", "94.00 % ± 1.41", "1 of 2", "parameters 2,000"):
        assert words in printed
    assert "confirm the studies before you call one better" in printed
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["trained"] for each in found] == [1, 0]
    assert found[0]["test_floors"] == pytest.approx([0.93, 0.95])


def test_one_storage_serves_all(tmp_path: Path) -> None:
    """A single storage is that of every study, and a study may be named twice."""
    one, _ = _two(tmp_path)
    compared = compare(one.name, one.name, storage=one.url)
    assert compared[0].state.best == compared[1].state.best
    assert compared_text(compared) == ""


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    """One study, a wrong number of storages and an unknown study are refused."""
    one, two = _two(tmp_path)
    with pytest.raises(InputError, match="name two or more"):
        compare(one.name, storage=one.url)
    with pytest.raises(InputError, match="2 storages were given for 3 studies"):
        compare("a", "b", "c", storage=[one.url, two.url])
    with pytest.raises(StorageError, match="no study 'other'"):
        compare(one.name, "other", storage=one.url)
