from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import flyweight
from search.run.command import RunResult
from search.study.records import TrialRecord
from tests.search.small_studies import SKELETON, begun, search_here


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the functions of Python return for a study with a trial."""
    folder: Path = tmp_path_factory.mktemp("study")
    stored = begun(folder, space=SKELETON, epochs=1, trials=1)
    search_here(stored, 1)
    study = flyweight.Study.open("tiny", storage=stored.url)
    (record,) = (each for each in stored.records() if each.score is not None)
    return {
        "status": flyweight.status("tiny", storage=stored.url)[0],
        "study": study,
        "trial": study.best,
        "record": record,
        "run": RunResult("tiny", 1, 1, 0, 1, 9.0, "", "", record, None, None, 400.0),
        "export": flyweight.export("tiny", folder / "tiny", storage=stored.url),
    }


@pytest.mark.parametrize("name", ["status", "study", "trial", "record", "run", "export"])
def test_results_print_as_a_few_lines(results: dict[str, object], name: str) -> None:
    """A notebook shows a line and a small table: no tensors, no values of dataclasses."""
    shown = repr(results[name])
    assert "tensor" not in shown
    assert "=" not in shown
    assert len(shown) < 1_000
    assert max(map(len, shown.splitlines())) <= 100
    assert "1 trial" in shown or "trial 0" in shown


def test_a_trial_prints_what_is_known_of_it(results: dict[str, object]) -> None:
    """Score, parameters and layers of a complete trial; the last accuracy of another."""
    record = results["record"]
    assert isinstance(record, TrialRecord)
    first, *layers = repr(record).splitlines()
    assert first.startswith("trial 0 complete, ")
    assert "validation floor" in first
    assert [line.strip() for line in layers] == (record.architecture or "").splitlines()
    waiting = replace(record, outcome=None, score=None, architecture=None, epochs=())
    assert repr(waiting).startswith("trial 0 not finished")
