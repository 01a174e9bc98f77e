from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.dashboard.read_only_storage import ReadOnlyStorage
from search.pages.markdown import cell_text
from search.spec.study_file import StudyFile
from search.study.study import begin_study
from tests.search.shown_studies import DIGITS, SMALL, WIDE, Shown, add_trial, ask, new_study
from tests.search.study_texts import GOOD, written


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    """A study with three complete trials and a rejected one, and the dashboard on it."""
    shown = Shown(new_study(tmp_path))
    for text, score in ((SMALL, 0.90), (SMALL, 0.95), (WIDE, None), (SMALL, 0.93)):
        add_trial(shown.stored, text, score)
    yield shown
    shown.source.engine.dispose()
    shown.stored.storage.engine.dispose()


def _figures(detail: Any) -> dict[str, Any]:
    return {each["id"]: json.loads(each["graph_object"]) for each in detail["plotly_graph_objects"]}


def test_the_note_says_what_runs_and_what_comes_next(shown: Shown) -> None:
    """Trials, data, budget, the best so far and the next command stand in the study's note."""
    note = shown.detail()["note"]["body"]
    for words in (
        "(3 complete, 1 rejected)",
        "10 classes of 1x8x8",
        "parameters 2,000",
        "**Best so far: trial 1**",
        "95.00 %",
        "flyweight confirm small",
        "flyweight export small",
    ):
        assert words in note


def test_the_note_is_kept_current(shown: Shown) -> None:
    """A trial that ends appears in the note and in the figures, with a higher version."""
    before = shown.detail()
    add_trial(shown.stored, SMALL, 0.97)
    after = shown.detail()
    assert "trial 4" in after["note"]["body"]
    assert after["note"]["version"] > before["note"]["version"]
    points = [len(_figures(each)["3-fitting"]["data"][0]["x"]) for each in (before, after)]
    assert points == [3, 4]


def test_the_figures_show_front_limit_and_progress(shown: Shown) -> None:
    """The figures have the complete trials, the front, the limit and the best so far."""
    figures = _figures(shown.detail())
    front = figures["1-accuracy-and-parameters"]
    assert "1 of 4 rejected" in front["layout"]["title"]["text"]
    assert front["data"][0]["y"] == [90.0, 95.0, 93.0]
    assert front["data"][1]["text"] == ["trial 1"]
    assert [shape["x0"] for shape in front["layout"]["shapes"]] == [2_000]
    best = figures["2-best-so-far"]["data"][0]
    assert (best["x"], best["y"]) == ([1, 2, 3], [90.0, 95.0, 95.0])


def test_a_study_without_trials_has_a_note_and_no_figures(tmp_path: Path) -> None:
    """Before the first trial the note says that none has completed."""
    empty = Shown(new_study(tmp_path))
    detail = empty.detail()
    assert "No trial has completed yet" in detail["note"]["body"]
    assert _figures(detail) == {}
    empty.source.engine.dispose()
    empty.stored.storage.engine.dispose()


def test_a_note_of_ones_own_is_kept_behind(shown: Shown) -> None:
    """What somebody wrote in a dashboard that writes is shown below."""
    optuna_dashboard = pytest.importorskip("optuna_dashboard")
    optuna_dashboard.save_note(shown.stored.study, "my *own* words " * 300)
    body = shown.detail()["note"]["body"]
    assert body.endswith("my *own* words " * 300)
    assert body.startswith("**3 of")


def test_studies_of_other_programs_have_nothing_added(shown: Shown) -> None:
    """A study that flyweight did not make keeps its own note and gets no figures."""
    optuna_dashboard = pytest.importorskip("optuna_dashboard")
    other = optuna.create_study(study_name="other", storage=shown.stored.storage)
    optuna_dashboard.save_note(other, "theirs")
    detail = ask(shown.app, "/api/studies/2").json
    assert detail["note"]["body"] == "theirs"
    assert detail["plotly_graph_objects"] == []


def test_nothing_is_written(shown: Shown) -> None:
    """Note and figures are made as they are read; the database stays as it was."""
    before = shown.dump()
    shown.detail()
    assert shown.dump() == before


def test_the_list_of_studies_makes_no_note(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of all studies costs no note: it is made when one study is asked for."""
    made = []
    monkeypatch.setattr(
        "search.dashboard.read_only_storage.study_note", lambda stored: made.append(1) or "note"
    )
    assert ask(shown.app, "/api/studies").code == 200
    assert not made
    shown.detail()
    shown.detail()
    assert made == [1]


@given(st.text(alphabet=st.sampled_from("a<>&|`*_[]()#!\\~\n{}"), max_size=30))
def test_names_are_no_markup(text: str) -> None:
    """What a study file or a folder of images gave stays plain text in one cell of the table."""
    plain = cell_text(text)
    assert "\n" not in plain
    unescaped = plain.replace("\\\\", "")
    for place, character in enumerate(unescaped):
        if character in "<>|`*_[]":
            assert unescaped[place - 1] == "\\"


def test_the_storage_has_the_same_note(shown: Shown) -> None:
    """Who asks the storage for a study's system attributes gets what the page gets."""
    storage = ReadOnlyStorage(shown.source, shown.stored.url)
    body = shown.detail()["note"]["body"]
    assert storage.get_study_system_attrs(1)["dashboard:note_str:0"] == body


def test_several_limits_have_a_command_each(tmp_path: Path) -> None:
    """The note says all limits, and exports each that a trial fits, from the right database."""
    text = GOOD.replace("parameters = 2_000", "parameters = [300, 2_000]")
    file = StudyFile.load(written(tmp_path, text))
    shown = Shown(begin_study(file, f"sqlite:///{tmp_path / 'study.db'}", None, DIGITS))
    add_trial(shown.stored, SMALL, 0.9)
    body = shown.detail()["note"]["body"]
    assert "parameters 300 or 2,000" in body
    assert "--parameters 300 --out exports/small_300 " in body
    assert "--parameters 2000 --out exports/small_2000 " in body
    assert body.count(f"--storage {shown.stored.url}") == 3
    shown.source.engine.dispose()
    shown.stored.storage.engine.dispose()


def test_trials_of_another_version_leave_the_page(shown: Shown) -> None:
    """A trial with an outcome that is not known costs note and figures, and not the page."""
    trial = shown.stored.study.ask()
    trial.set_user_attr("outcome", "from-the-future")
    shown.stored.study.tell(trial, 0.5)
    detail = shown.detail()
    assert len(detail["trials"]) == 5
    assert "from-the-future" in detail["note"]["body"]
    assert _figures(detail) == {}
