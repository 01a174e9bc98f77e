from __future__ import annotations

import csv
import signal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from search.ladder.command import ladder
from search.ladder.records import Replays
from search.ladder.report import analysis_text, ladder_tables, markdown, write_csv
from search.ladder.result import StepResult
from search.ladder.selection import ReplayPlan, choose_steps
from search.storage.database import open_storage
from tests.search.ladder_texts import GOOD, written
from tests.search.small_studies import flyweight, kill_all, quiet, url_in, wait_for
from trainer.data import open_dataset

LONG = GOOD.replace("epochs = 3", "epochs = 120").replace("test = [80.0, 90, 91.5]", "")


pytestmark = pytest.mark.usefixtures("warm_workers")


def replayed(folder: Path, text: str = GOOD, **how: object) -> tuple[list[StepResult], str]:
    """What a replay gives and what it prints."""
    shown = StringIO()
    console = Console(file=shown, width=200)
    results = ladder(
        written(folder, text),
        storage=url_in(folder),
        device="cpu",
        console=console,
        **how,  # type: ignore[arg-type]
    )
    return results, shown.getvalue()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, warm_workers: None) -> list[StepResult]:
    """Both steps of the small ladder, the first with two seeds."""
    folder = tmp_path_factory.mktemp("ladder")
    replayed(folder, workers=2)
    replayed(folder, steps=["skeleton"], seeds=2, workers=1)
    found, printed = replayed(folder)
    assert "kept already" in printed
    assert "seed" not in printed
    return found


def test_steps_are_replayed_with_their_recipes(results: list[StepResult]) -> None:
    """Every step has the epochs of its recipe, tested after each, with seeds from 1."""
    first, second = results
    assert [replay.seed for replay in first.done] == [1, 2]
    assert [len(replay.epochs) for replay in first.done] == [3, 3]
    assert [len(replay.epochs) for replay in second.done] == [2]
    assert first.best is not None
    assert first.best.n == 2
    assert first.done[0].epochs != first.done[1].epochs
    assert all(0 <= a <= 1 for replay in first.done for a in replay.accuracies)


def test_they_are_judged_on_the_test_set(results: list[StepResult]) -> None:
    """An accuracy is a number of right answers among the test images."""
    images = len(open_dataset("digits", Path("data")).test())
    for result in results:
        for accuracy in result.done[0].accuracies:
            assert round(accuracy * images) == pytest.approx(accuracy * images)


def test_training_images_are_judged_as_test_images_are(results: list[StepResult]) -> None:
    """Each replay has its accuracy on as many clean training images as there are test images."""
    images = len(open_dataset("digits", Path("data")).test())
    for result in results:
        assert result.clean
        for replay in result.done:
            assert replay.clean_images == images
            assert replay.clean_accuracy is not None
            right = replay.clean_accuracy * images
            assert round(right) == pytest.approx(right)
            assert replay.clean_gap == replay.clean_accuracy - replay.last


def test_the_first_seed_gives_the_same_again(tmp_path: Path, results: list[StepResult]) -> None:
    """The same step, seed and threads give the same figures in another database."""
    again, _ = replayed(tmp_path, steps=["rotation"], workers=1)
    assert again[0].done[0].accuracies == results[1].done[0].accuracies


def test_a_second_call_replays_only_what_is_missing(tmp_path: Path) -> None:
    """What is kept is not trained again; another number of epochs is another training."""
    _, first = replayed(tmp_path, steps=["rotation"], workers=1)
    assert first.count("rotation, seed 1: best") == 1
    _, second = replayed(tmp_path, steps=["rotation"], workers=1)
    assert "kept already" in second
    assert "seed" not in second
    _, third = replayed(tmp_path, steps=["rotation"], seeds=2, workers=1)
    assert "seed 1" not in third
    assert third.count("seed 2: best") == 1
    other, printed = replayed(tmp_path, steps=["rotation"], epochs=4, workers=1)
    assert printed.count("seed 1: best") == 1
    assert len(other[0].done[0].epochs) == 4
    assert other[0].difference is None


def test_the_reports_tell_the_same(results: list[StepResult], tmp_path: Path) -> None:
    """Table, analysis, Markdown and CSV name every step with its figures and its protocol."""
    shown = StringIO()
    for table in ladder_tables(results):
        Console(file=shown, width=200).print(table)
    report = markdown(results, "flyweight ladder x | y")
    for words in (shown.getvalue(), report):
        assert "A small ladder" in words
        assert "judged on the test set" in words
        assert "91.50" in words
        assert results[0].best is not None
        assert f"{100 * results[0].best.mean:.2f}" in words
        assert "±" in words
    assert "Turn the images." in analysis_text(results)
    assert "augmentation none -> affine (degrees 7)" in report
    assert "torch 2" in report
    write_csv(results, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["seed"]) for row in rows] == [
        ("skeleton", "1"),
        ("skeleton", "2"),
        ("rotation", "1"),
    ]
    assert float(rows[0]["best"]) == pytest.approx(100 * results[0].done[0].best, abs=1e-3)


def test_a_failed_replay_is_told_and_kept(tmp_path: Path) -> None:
    """A loss that is no number ends a replay with that reason; it counts as finished."""
    wild = GOOD.replace(
        'optimizer = "sgd"', 'optimizer = "sgd"\nlearning_rate = 100.0\nweight_decay = 10.0'
    )
    found, printed = replayed(tmp_path, wild, steps=["skeleton"], workers=1)
    assert "loss" in found[0].failure
    assert found[0].failure in printed
    assert found[0].done == []
    assert "failed: " in analysis_text(found)
    assert "kept already" in replayed(tmp_path, wild, steps=["skeleton"], workers=1)[1]


def test_an_interrupted_ladder_goes_on(tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and a word on how to go on; kill -9 loses what was under way alone."""
    path = written(tmp_path, LONG)
    arguments = ("ladder", str(path), "--step", "skeleton", "--seeds", "3", "--workers", "2")
    arguments = (*arguments, "--device", "cpu")

    def finished() -> int:
        if not (tmp_path / "studies" / "study.db").exists():
            return 0
        step = choose_steps(ReplayPlan((path,), ("skeleton",)), tmp_path)[0]
        kept = Replays(open_storage(url_in(tmp_path)).engine).of([step.fingerprint])
        return sum(replay.finished for replay in kept[step.fingerprint])

    process = flyweight(tmp_path, *arguments)
    wait_for(lambda: finished() >= 1, "a replay ends")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    if finished() < 3:
        assert process.returncode == 130
        assert "run the same command to resume" in errors
        assert errors.count("\n") == 1
    process = flyweight(tmp_path, *arguments)
    kill_all(process)
    assert finished() >= 1
    done = ladder(
        path,
        steps=["skeleton"],
        seeds=3,
        workers=2,
        storage=url_in(tmp_path),
        device="cpu",
        console=quiet(),
    )
    assert [replay.seed for replay in done[0].done] == [1, 2, 3]
