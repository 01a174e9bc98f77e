"""A study that asks for the smallest network that holds a target, from its run to its card."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from search.cli.app import main
from search.cli.summary import confirm_summary
from search.confirm.choice import champion_of
from search.confirm.command import confirm
from search.errors import ResumeError
from search.run.command import run
from search.status import status, status_text
from search.studies import copy_study
from search.study.problem import problem_of
from search.study.records import TrialRecord
from search.study.study import StoredStudy, open_study
from tests.search.small_studies import begun, quiet, search_here, template, url_in, write_study

SPACE = template("conv3 {a} relu bn", "gap", "linear 10", a="[4, 8, 16, 24]")


def _study(target: float) -> str:
    return f'floor_epochs = 1\ngoal = "smallest"\ntarget = {target}'


def _searched(folder: Path, target: float) -> StoredStudy:
    stored = begun(folder, space=SPACE, epochs=1, learning_rate=0.02, study=_study(target))
    search_here(stored, 4)
    return stored


def _sizes(records: list[TrialRecord]) -> dict[int, int]:
    return {record.number: record.parameters or 0 for record in records}


def test_the_value_stays_the_floor(tmp_path: Path) -> None:
    """Scores of those that hold the target fall with their size; what people see does not."""
    stored = _searched(tmp_path, 0.05)
    records = [record for record in stored.records() if record.trained]
    assert len({record.parameters for record in records}) == 4
    assert [record.score for record in records] == [r.epochs[0].accuracy for r in records]
    ranked = sorted(records, key=lambda record: -(record.rank_score or 0))
    assert [r.parameters for r in ranked] == sorted(r.parameters or 0 for r in records)
    assert not problem_of(stored, 4).repair


@pytest.mark.usefixtures("warm_workers")
@pytest.mark.parametrize("target", [0.05, 0.999])
def test_the_champion_is_the_smallest_that_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: float
) -> None:
    """If all hold it is the smallest, if none does the most accurate; all say what was asked."""
    stored = _searched(tmp_path, target)
    sizes, url = _sizes(stored.records()), url_in(tmp_path)
    how = {"storage": url, "device": "cpu", "workers": 1, "data": tmp_path}
    done = confirm("tiny", top=2, seeds=2, console=quiet(), **how)  # type: ignore[arg-type]
    champion = champion_of(done)
    means = {trial: sum(done.validation_floors(trial)) / 2 for trial in done.plan.trials}
    words = confirm_summary(stored, done)
    assert f"the smallest whose mean holds {100 * target:.2f} % is chosen" in words
    if target < 0.5:
        assert champion == min(sizes, key=lambda trial: sizes[trial])
        assert "none holds" not in words
    else:
        assert champion == max(means, key=lambda trial: means[trial])
        assert "none holds 99.90 %, so the most accurate is the champion" in words
    (state,) = status("tiny", storage=url)
    assert state.asked == f"the smallest network that holds {100 * target:.2f} %"
    assert state.asked in status_text(state)
    assert state.best is not None
    if target < 0.5:
        assert state.best.parameters == min(sizes.values())
    out = tmp_path / "small"
    assert main(["export", "tiny", "--out", str(out), "--storage", url]) == 0
    assert f"The study asked for {state.asked}." in (out / "README.md").read_text()
    capsys.readouterr()


@pytest.mark.usefixtures("warm_workers")
def test_a_run_ends_with_what_was_asked(tmp_path: Path) -> None:
    """The result names the goal and has the smallest that holds it; another goal is refused."""
    path = write_study(
        tmp_path, space=SPACE, epochs=1, learning_rate=0.02, study=_study(0.05), trials=2
    )
    shown = Console(width=200, file=StringIO())
    how = {"storage": url_in(tmp_path), "data": tmp_path, "device": "cpu", "workers": 1}
    result = run(path, console=shown, **how)  # type: ignore[arg-type]
    assert result.asked == "the smallest network that holds 5.00 %"
    assert result.best is not None
    sizes = _sizes(open_study("tiny", url_in(tmp_path), writing=False).records())
    assert result.best.parameters == min(sizes.values())
    path.write_text(path.read_text().replace('goal = "smallest"', 'goal = "accuracy"'))
    with pytest.raises(ResumeError, match=r'study\.goal: was "smallest", now "accuracy"'):
        run(path, console=shown, **how)  # type: ignore[arg-type]


def test_a_copy_under_another_goal_is_ranked_by_it(tmp_path: Path) -> None:
    """Trials of a study of accuracy that are taken over are ranked by their size."""
    study = 'floor_epochs = 1\nscore = "floor"'
    stored = begun(tmp_path, space=SPACE, epochs=1, learning_rate=0.02, study=study)
    search_here(stored, 4)
    path = write_study(
        tmp_path, name="other", space=SPACE, epochs=1, learning_rate=0.02, study=_study(0.05)
    )
    copy_study("tiny", "other", file=path, storage=url_in(tmp_path))
    copied = open_study("other", url_in(tmp_path), writing=False)
    assert copied.file.settings.score == "floor"
    ranked = sorted(copied.records(), key=lambda record: -(record.rank_score or 0))
    assert [r.parameters for r in ranked] == sorted(_sizes(stored.records()).values())
