from __future__ import annotations

from pathlib import Path

import optuna
import pandas
import pytest

from search.cli.app import main
from search.errors import StorageError
from search.status import FrontPoint, front_of, status, status_text
from search.study import Study
from tests.search.small_studies import SKELETON, begun, search_here, url_in


def test_every_study_of_ours_is_shown(tmp_path: Path) -> None:
    """Without a name all our studies are shown, and those of others are passed over."""
    for name in ("one", "two"):
        search_here(begun(tmp_path, name=name, space=SKELETON, epochs=1), 1)
    url = url_in(tmp_path)
    optuna.create_study(study_name="another", storage=url)
    assert [state.name for state in status(storage=url)] == ["one", "two"]
    with pytest.raises(StorageError, match="'another' was not made by flyweight"):
        status("another", storage=url)


def test_more_trials_than_the_file_asks_for(tmp_path: Path) -> None:
    """A study that was run with a larger total says no nonsense such as 4 of 3."""
    stored = begun(tmp_path, space=SKELETON, epochs=1, trials=3)
    search_here(stored, 4)
    (state,) = status("tiny", storage=stored.url)
    assert status_text(state).startswith("tiny: 4 of 4 trials trained (4 complete)")
    assert state.total == 3


def test_the_front_has_what_nothing_beats(tmp_path: Path) -> None:
    """A trial is on the front where no other is as small and better, or smaller and as good."""
    stored = begun(tmp_path, space=SKELETON, epochs=2)
    search_here(stored, 6)
    records = [record for record in stored.records() if record.score is not None]
    points = [FrontPoint(r.number, r.parameters or 0, r.score or 0.0) for r in records]
    front = front_of(records)
    for point in points:
        beaten = any(
            (other.parameters <= point.parameters and other.score > point.score)
            or (other.parameters < point.parameters and other.score >= point.score)
            for other in points
        )
        same = [(p.parameters, p.score) for p in front]
        assert ((point.parameters, point.score) in same) != beaten
    assert sorted(front, key=lambda point: point.parameters) == list(front)


def test_trials_are_written_as_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--csv`` writes a line a trial with the frame's figures to the bit, for one study alone."""
    stored = begun(tmp_path, epochs=1, trials=3)
    search_here(stored, 3)
    stored.study.enqueue_trial({"stages": 1})
    path, url = tmp_path / "trials.csv", stored.url
    assert main(["status", "tiny", "--csv", str(path), "--storage", url]) == 0
    frame = Study.open("tiny", storage=url).frame()
    assert len(path.read_text().splitlines()) == len(frame) + 1
    written = pandas.read_csv(path)
    assert list(written.columns) == list(frame.columns)
    pandas.testing.assert_series_equal(written["score"], frame["score"], check_exact=True)
    drawn = [text.replace("\n", " | ") for text in frame["architecture"].dropna()]
    assert list(written["architecture"].dropna()) == drawn
    capsys.readouterr()
    assert main(["status", "--csv", str(path), "--storage", url]) == 2
    assert "name it" in capsys.readouterr().err
    assert main(["status", "tiny", "--csv", str(tmp_path / "no" / "f"), "--storage", url]) == 2
    assert "does not exist" in capsys.readouterr().err
