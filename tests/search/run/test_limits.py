"""A study with several limits on parameters, from its run to its exports."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pandas
import pytest
from rich.console import Console

from search.cli.app import main
from search.cli.summary import confirm_summary, run_summary
from search.confirm.command import confirm
from search.run.command import run
from search.spec.study_file import StudyFile
from search.status import status, status_text, write_csv
from search.strategies.problem import LIMIT
from search.studies import copy_study
from search.study.confirms import load_confirm
from search.study.problem import problem_of
from search.study.records import Outcome, best_of
from search.study.study import StoredStudy, open_study
from tests.search.ladder_texts import GOOD
from tests.search.small_studies import begun, quiet, search_here, template, url_in, write_study

LIMITS = (150, 250, 400)
TEXT = "[150, 250, 400]"
SPACE = template("conv3 {a} relu bn", "gap", "linear 10", a="{ low = 4, high = 18 }")
"""From 98 to 406 parameters, of which the last are over every limit."""


def _searched(
    folder: Path, trials: int = 6, sampler: str = "random", **values: object
) -> StoredStudy:
    stored = begun(
        folder, space=SPACE, epochs=1, parameters=TEXT, sampler=sampler, trials=trials, **values
    )
    search_here(stored, trials)
    return stored


@pytest.mark.parametrize("sampler", ["random", "evolution"])
def test_each_trial_is_held_to_a_limit_of_its_own(tmp_path: Path, sampler: str) -> None:
    """Each limit has its share of the trained trials; constraints and rejections are by it."""
    stored = _searched(tmp_path, sampler=sampler)
    records = stored.records()
    assert Counter(r.limit for r in records if r.trained) == dict.fromkeys(LIMITS, 2)
    problem = problem_of(stored, 6)
    for trial, record in zip(stored.study.get_trials(), records, strict=True):
        assert record.limit is not None
        assert record.limit == trial.params[LIMIT]
        assert (record.outcome is Outcome.REJECTED) == ((record.parameters or 0) > record.limit)
        assert (trial.constraints["parameters"] > 0) == (record.outcome is Outcome.REJECTED)
        found = problem.describe(trial.params)
        assert (found.limit, found.key) == (record.limit, record.key)
        assert found.fits == (record.outcome is not Outcome.REJECTED)
        assert trial.distributions == problem.distributions
    begun(tmp_path, space=SPACE, epochs=1, parameters=TEXT, sampler=sampler, trials=9)


@pytest.mark.usefixtures("warm_workers")
def test_a_champion_for_each_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run, status, confirm and export name the best of each limit, of all that fit it."""
    path = write_study(tmp_path, space=SPACE, epochs=1, parameters=TEXT, trials=6)
    url = url_in(tmp_path)
    how = {"storage": url, "device": "cpu", "workers": 1, "data": tmp_path}
    result = run(path, console=Console(file=StringIO()), **how)  # type: ignore[arg-type]
    stored = open_study("tiny", url, writing=False)
    records = stored.records()
    for limit in LIMITS:
        fitting = [r for r in records if r.score is not None and (r.parameters or 0) <= limit]
        assert result.best_within[limit] == best_of(fitting)
    assert "most 150 parameters: trial" in run_summary(result, "tiny.toml")
    done = confirm("tiny", top=1, seeds=1, console=quiet(), **how)  # type: ignore[arg-type]
    assert done.finished
    assert done.champions.keys() == set(LIMITS)
    assert done == load_confirm(stored, 1)
    sizes = dict(zip(done.plan.trials, done.plan.parameters, strict=True))
    for limit, champion in done.champions.items():
        assert limit is not None
        fitting_floors = [
            done.validation_floors(trial)[0] for trial, size in sizes.items() if size <= limit
        ]
        assert done.validation_floors(champion)[0] == max(fitting_floors)
        assert [repeat.repeat for repeat in done.final_of(champion)] == [0]
    words = confirm_summary(stored, done)
    assert all(f"champion of at most {limit} parameters" in words for limit in LIMITS)
    capsys.readouterr()
    assert main(["status", "tiny", "--json", "--storage", url]) == 0
    state = json.loads(capsys.readouterr().out)
    assert [each["limit"] for each in state["limits"]] == list(LIMITS)
    assert [each["trained"] for each in state["limits"]] == [2, 2, 2]
    champions = {each["limit"]: each["trial"] for each in state["champions"]}
    assert champions == done.champions
    write_csv("tiny", tmp_path / "trials.csv", storage=url)
    written = pandas.read_csv(tmp_path / "trials.csv", dtype={"best_within": str})
    for limit in LIMITS:
        best = result.best_within[limit]
        named = [str(limit) in str(text).split() for text in written["best_within"]]
        assert best is not None
        assert list(written["number"][named]) == [best.number]
    out = tmp_path / "net"
    export = ["export", "tiny", "--out", str(out), "--storage", url]
    assert main(export) == 2
    assert "give --parameters with one of 150, 250, 400" in capsys.readouterr().err
    assert main([*export, "--parameters", "300"]) == 2
    assert "no limit of 300 parameters" in capsys.readouterr().err
    assert main([*export, "--parameters", "250"]) == 0
    kept = json.loads((out / "architecture.json").read_text())
    assert (kept["figures"]["trial"], kept["figures"]["limit"]) == (done.champions[250], 250)
    assert "This is the one of at most 250 parameters." in (out / "README.md").read_text()


def test_status_shows_the_limits_before_a_confirm(tmp_path: Path) -> None:
    """A limit that nothing has fitted yet says so."""
    stored = _searched(tmp_path, trials=2)
    (state,) = status("tiny", storage=stored.url)
    words = status_text(state)
    assert "best of each limit (validation floor):" in words
    assert [each.trained for each in state.limits] == [1, 1, 0]
    assert state.asked == "the best networks of at most 150, 250 and 400 parameters"


def test_a_candidate_is_the_same_under_each_limit(tmp_path: Path) -> None:
    """Drawn again under another limit it is a repeat; a counted space trains each as often."""
    space = template("conv3 {a} relu", "gap", "linear 10", a="[4, 5]")
    study = "floor_epochs = 1\nseeds_per_candidate = 2"
    stored = begun(
        tmp_path, space=space, epochs=1, parameters=TEXT, learning_rate=0.01, study=study
    )
    for limit in LIMITS[:2]:
        stored.study.enqueue_trial({LIMIT: limit, "a": 4})
    search_here(stored, 9)
    first, second, *others = stored.records()
    assert (first.limit, second.limit) == LIMITS[:2]
    assert second.repeat_of == first.number
    assert sum(record.trained for record in others) == 2
    assert {record.key for record in others if record.trained} != {first.key}


def test_trials_of_one_limit_are_taken_over(tmp_path: Path) -> None:
    """A copy under several limits holds each trial to the smallest that it fits."""
    stored = begun(tmp_path, space=SPACE, epochs=1, parameters=400, sampler="random")
    search_here(stored, 4)
    path = write_study(tmp_path, name="many", space=SPACE, epochs=1, parameters=TEXT)
    copy_study("tiny", "many", file=path, storage=url_in(tmp_path))
    copied = open_study("many", url_in(tmp_path), writing=False)
    for record, trial in zip(copied.records(), copied.study.get_trials(), strict=True):
        fitting = min(limit for limit in LIMITS if (record.parameters or 0) <= limit)
        assert record.limit == trial.params[LIMIT] == fitting
    back = write_study(tmp_path, name="back", space=SPACE, epochs=1, parameters=400)
    copy_study("many", "back", file=back, storage=url_in(tmp_path))
    returned = open_study("back", url_in(tmp_path), writing=False)
    assert {record.limit for record in returned.records()} == {None}


def test_a_study_starts_from_a_candidate_under_the_limit_that_it_fits(tmp_path: Path) -> None:
    """The first trial is the given network, whatever limit would have its turn."""
    lines = ["conv3 8 relu", "conv1 10", "gap"]
    (tmp_path / "ladder.toml").write_text(GOOD)
    stored = begun(
        tmp_path,
        space=template("conv3 {a} relu", "conv1 10", "gap", a="{ low = 4, high = 18 }"),
        epochs=1,
        parameters="[100, 160, 400]",
        learning_rate=0.01,
        study='floor_epochs = 1\nstart_from = ["ladder.toml#skeleton"]',
    )
    search_here(stored, 1)
    (first,) = stored.records()
    assert (first.architecture or "").splitlines()[1:] == lines
    assert (first.parameters, first.limit, first.outcome) == (152, 160, Outcome.COMPLETE)


def test_limits_are_part_of_the_file(tmp_path: Path) -> None:
    """The resolved file keeps the list, and reads it back."""
    file = StudyFile.load(write_study(tmp_path, space=SPACE, parameters=TEXT))
    assert file.to_dict()["budget"] == {"parameters": list(LIMITS)}
    assert StudyFile.from_dict(json.loads(json.dumps(file.to_dict()))).budget == file.budget
