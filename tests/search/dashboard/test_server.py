from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution

from search.dashboard.attributes import study_attributes, trial_attributes
from search.dashboard.read_only_storage import ReadOnlyStorage
from search.dashboard.server import dashboard_app
from search.storage.database import open_storage
from tests.search.shown_studies import PAGES, ROUTES, SMALL, WIDE, Shown, add_trial, ask, new_study

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["parameters", "accuracy", "accuracies", "loss", "file", "study", "x"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    """A study without trials, and the dashboard on it."""
    shown = Shown(new_study(tmp_path))
    yield shown
    shown.source.engine.dispose()
    shown.stored.storage.engine.dispose()


def attributes(trial: dict[str, Any]) -> dict[str, str]:
    """The attributes of a trial or study as the dashboard's page gets them."""
    return {pair["key"]: pair["value"] for pair in trial["user_attrs"]}


def test_the_best_trial_fits_the_budget(shown: Shown) -> None:
    """A candidate over the budget may score higher: the best is the best of those that fit."""
    for text, score in ((SMALL, 0.90), (WIDE, 0.99), (SMALL, 0.95), (SMALL, 0.85)):
        add_trial(shown.stored, text, score)
    assert shown.stored.storage.get_best_trial(1).number == 1
    (best,) = shown.detail()["best_trials"]
    assert (best["number"], best["values"]) == (2, [0.95])
    assert shown.stored.study.best_trial.number == 2


def test_feasibility_is_shown(shown: Shown) -> None:
    """Each trial's constraints must be where optuna-dashboard looks for them."""
    add_trial(shown.stored, SMALL, 0.9)
    add_trial(shown.stored, WIDE, None)
    fitting, rejected = shown.detail()["trials"]
    assert len(fitting["constraints"]) == len(rejected["constraints"]) == 4
    assert max(fitting["constraints"]) <= 0 < max(rejected["constraints"])


def test_the_smaller_of_equals_is_the_best(shown: Shown) -> None:
    """Of trials with the same score the one with fewest parameters is shown, as in a run."""
    for text in ("conv3 9 relu bn\ngap\nlinear 10", SMALL, "conv3 10 relu bn\ngap\nlinear 10"):
        add_trial(shown.stored, text, 0.9)
    assert shown.detail()["best_trials"][0]["number"] == 1


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_studies_of_others_are_shown_too(shown: Shown, direction: str) -> None:
    """Any study of the database opens, its best trial feasible where one is, whatever its way."""
    other = optuna.create_study(
        storage=shown.stored.storage, study_name="other", direction=direction
    )
    for value, over in ((1.0, 1.0), (2.0, 0.0), (3.0, 0.0), (4.0, 1.0)):
        trial = optuna.create_trial(
            params={"x": 0.5},
            distributions={"x": FloatDistribution(0, 1)},
            value=value,
            constraints={"over": over},
            user_attrs={"epochs": "many", "cost": 3, "parameters": [1, {"a": None}]},
        )
        other.add_trial(trial)
    detail = ask(shown.app, "/api/studies/2").json
    assert detail["best_trials"][0]["values"] == [2.0 if direction == "minimize" else 3.0]
    assert attributes(detail["trials"][0]) == {
        "epochs": "many",
        "cost": "3",
        "parameters": "1, (a none)",
    }


def test_a_study_in_which_nothing_fits_still_opens(shown: Shown) -> None:
    """A best trial is asked for once one is complete: there must be an answer, not an error."""
    add_trial(shown.stored, WIDE, 0.99)
    assert shown.detail()["best_trials"][0]["number"] == 0


def test_a_study_of_rejected_trials_alone(shown: Shown) -> None:
    """Where no trial completed there is no best one, and every page opens."""
    for _ in range(3):
        add_trial(shown.stored, WIDE, None)
    assert [ask(shown.app, path).code for path in ROUTES] == [200] * len(ROUTES)
    detail = shown.detail()
    assert detail["best_trials"] == []
    shown_attributes = attributes(detail["trials"][0])
    assert shown_attributes["outcome"] == "rejected"
    assert "parameters" in shown_attributes["reason"]


def test_a_study_without_trials(shown: Shown) -> None:
    """A study that has just begun opens, with the keys of its file as attributes."""
    assert [ask(shown.app, path).code for path in ROUTES] == [200] * len(ROUTES)
    kept = attributes(shown.detail())
    assert (kept["study.name"], kept["budget.parameters"]) == ("small", "2000")
    assert kept["space.width"] == "low 4, high 24"


def test_an_empty_database(tmp_path: Path) -> None:
    """A database without a study shows an empty list, and 404 for a study that is not there."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    open_storage(url, create=True)
    app = dashboard_app(open_storage(url, writing=False), url)
    assert ask(app, "/api/studies").json == {"study_summaries": []}
    assert [ask(app, path).code for path in PAGES] == [200] * len(PAGES)
    for path in ("/api/studies/1", "/csv/1", "/artifacts/1/1/ab", "/artifacts/1/ab"):
        assert ask(app, path).code == 404


def test_attributes_are_flat(shown: Shown) -> None:
    """Figures of the cost are numbers that sort, nested values are texts, nothing is cut."""
    add_trial(shown.stored, SMALL, 0.9)
    detail = shown.detail()
    kept = attributes(detail["trials"][0])
    assert kept["parameters"] == "178"
    assert kept["architecture"] == "input 1x8x8 | conv3 8 relu bn | gap | linear 10"
    assert (kept["epochs"], kept["train_accuracy"]) == ("10", "0.9")
    assert kept["accuracies_percent"] == " ".join(["90.00"] * 10)
    assert kept["recipe"].startswith("epochs ")
    assert kept["inactive"] == "stage2.conv1.width"
    assert not any("{" in value for value in kept.values())
    sortable = {union["key"] for union in detail["union_user_attrs"] if union["sortable"]}
    assert {"parameters", "macs", "activation_kib", "epochs", "loss"} <= sortable


def test_repeats_of_a_confirm_name_their_set(shown: Shown) -> None:
    """Each repeat is one line that says on which images its figures are."""
    repeat = {"trial": 3, "repeat": 1, "accuracies": [0.5, 0.9, 0.8, 0.9, 0.9, 0.9], "failure": ""}
    shown.stored.study.set_user_attr("confirm:1:selection:0001", repeat)
    shown.stored.study.set_user_attr("confirm:1:final:0001", {**repeat, "failure": "diverged"})
    kept = attributes(shown.detail())
    line = "trial 3, repeat 1: floor 80.00 %, last 90.00 % on the validation part"
    assert kept["confirm:1:selection:0001"] == line
    assert kept["confirm:1:final:0001"] == "trial 3, repeat 1: diverged"


@given(
    st.dictionaries(
        st.sampled_from(["cost", "epochs", "architecture", "flyweight", "confirm:1:final:0", "x"]),
        values,
    )
)
def test_any_attributes_can_be_shown(kept: dict[str, Any]) -> None:
    """Whatever somebody keeps with a trial or a study, it becomes texts and numbers."""
    for present in (trial_attributes, study_attributes):
        shown = present(kept)
        assert all(type(value) in (str, int, float) for value in shown.values())


def test_reading_goes_on_beside_a_writer(shown: Shown) -> None:
    """While a worker holds the write lock every page opens, and shows what was written before."""
    add_trial(shown.stored, SMALL, 0.9)
    path = shown.stored.artifacts.parent / "study.db"
    writer = sqlite3.connect(path, isolation_level=None, timeout=0)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE trial_values SET value = 0.1")
    assert [ask(shown.app, route).code for route in ROUTES] == [200] * len(ROUTES)
    assert shown.detail()["trials"][0]["values"] == [0.9]
    writer.execute("COMMIT")
    writer.close()


def test_a_writer_never_waits_for_the_dashboard(shown: Shown) -> None:
    """A worker that would not wait at all can write whenever it wants while pages are read."""
    add_trial(shown.stored, SMALL, 0.9)
    over = threading.Event()
    codes: list[int] = []

    def read() -> None:
        while not over.is_set():
            codes.extend(ask(shown.app, path).code for path in ("/api/studies", "/csv/1"))

    readers = [threading.Thread(target=read) for _ in range(2)]
    path = shown.stored.artifacts.parent / "study.db"
    writer = sqlite3.connect(path, isolation_level=None, timeout=0)
    for reader in readers:
        reader.start()
    try:
        for number in range(200):
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("UPDATE trial_values SET value = ?", (number / 200,))
            writer.execute("COMMIT")
    finally:
        over.set()
        for reader in readers:
            reader.join()
        writer.close()
    assert set(codes) == {200}


def test_new_trials_and_a_new_study_of_the_same_number_appear(shown: Shown) -> None:
    """What is read once must not hide what came later, even under a deleted study's number."""
    storage = ReadOnlyStorage(shown.source, shown.stored.url)
    add_trial(shown.stored, SMALL, 0.9)
    assert [trial.value for trial in storage.get_all_trials(1)] == [0.9]
    add_trial(shown.stored, SMALL, 0.8)
    assert [trial.value for trial in storage.get_all_trials(1)] == [0.9, 0.8]
    optuna.delete_study(study_name="small", storage=shown.stored.storage)
    with pytest.raises(KeyError):
        storage.get_all_trials(1)
    again = new_study(shown.stored.artifacts.parent)
    assert again.id == 1
    assert storage.get_all_trials(1) == []
    add_trial(again, SMALL, 0.7)
    assert [trial.value for trial in storage.get_all_trials(1)] == [0.7]
