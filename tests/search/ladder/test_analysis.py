from __future__ import annotations

import csv
import dataclasses
import json
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from search.ladder.analysis import analysis, compare, goal_words
from search.ladder.records import Replay
from search.ladder.report import analysis_text, ladder_tables, markdown, step_to_dict, write_csv
from search.ladder.result import StepResult
from search.spec.ladder_file import LadderFile
from search.statistics import Spread
from tests.search.ladder.test_records import replay
from tests.search.ladder_texts import GOOD, UNREPORTED, written


def result(folder: Path, *replays: Replay, step: int = 0, text: str = GOOD) -> StepResult:
    """A step of the small ladder, whose goal is 97 % over the last two epochs."""
    ladder = LadderFile.load(written(folder, text))
    return StepResult(ladder, ladder.steps[step], ladder.steps[step].recipe, replays)


@pytest.mark.parametrize(
    ("accuracies", "gap", "words"),
    [
        ((0.9, 0.9, 0.98), 0.02, "over-fits"),
        ((0.9, 0.95, 0.96), 0.0, "under-fits"),
        ((0.9, 0.98, 0.98), 0.001, "neither over- nor under-fits"),
        ((0.9, 0.98, 0.96), -0.03, "under-fits"),
        ((0.9, 0.98, 0.98), -0.03, "neither over- nor under-fits"),
        ((0.1, 0.2, 0.2), 0.1, "has hardly learned"),
    ],
)
def test_the_fit_follows_from_the_gap(
    tmp_path: Path, accuracies: tuple[float, ...], gap: float, words: str
) -> None:
    """A large gap over-fits; without one, training below the goal under-fits unless it is held."""
    found = result(tmp_path, replay(*accuracies, gap=gap))
    assert analysis(found, [found])[0].startswith(words)


@given(test=st.floats(0, 0.4), gap=st.floats(0, 0.3), images=st.integers(1, 100_000))
def test_what_has_hardly_learned_does_not_over_fit(test: float, gap: float, images: int) -> None:
    """Below half the way from 10 % to the goal of 97 %, no gap is called over-fitting."""
    with TemporaryDirectory() as folder:
        found = result(Path(folder), replay(test, test, gap=gap, images=images))
    words = analysis(found, [found])[0]
    assert words.startswith("has hardly learned") == (test + gap < 0.535)


@pytest.mark.parametrize(
    ("images", "gap", "over"),
    [(100, 0.05, False), (1_000, 0.05, True), (10_000, 0.0024, False), (10_000_000, 0.0024, False)],
)
def test_few_images_prove_no_gap(tmp_path: Path, images: int, gap: float, over: bool) -> None:
    """A gap is beyond a quarter of a point, and beyond two standard errors of the difference."""
    found = result(tmp_path, replay(0.9, 0.9, gap=gap, images=images))
    assert analysis(found, [found])[0].startswith("over-fits") == over


@given(
    names=st.lists(
        st.lists(st.text("abz", min_size=1, max_size=10), min_size=1, max_size=5).map("-".join),
        min_size=1,
        max_size=3,
    ),
    seeds=st.integers(1, 3),
    width=st.integers(80, 160),
)
@settings(max_examples=20)
def test_a_table_fits_the_width(names: list[str], seeds: int, width: int) -> None:
    """At 80 columns and more no line is longer, nothing is cut off, and names stay readable."""
    with TemporaryDirectory() as folder:
        one = result(Path(folder), *(replay(0.9, 1 / s, seed=s) for s in range(1, seeds + 1)))
    found = [
        dataclasses.replace(one, step=dataclasses.replace(one.step, name=name)) for name in names
    ]
    shown = StringIO()
    for table in ladder_tables(found, width):
        # Wider than the table, as a console cuts off without a word what is too long.
        Console(file=shown, width=1_000).print(table)
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in shown.getvalue()
    assert shown.getvalue().count(f"{100 * (one.best or Spread(0, None, 1)).mean:.2f}") >= len(
        names
    )
    starts = "".join(line.split("  ")[0].strip() for line in lines)
    assert all(name in starts for name in names)
    assert max(map(len, analysis_text([one], width).splitlines())) <= width


def test_json_has_every_figure(tmp_path: Path) -> None:
    """The values of a step are JSON, with and without replays and reported figures."""
    found = [result(tmp_path, replay(0.9, 0.8)), result(tmp_path, text=UNREPORTED)]
    first, second = (json.loads(json.dumps(step_to_dict(each, found))) for each in found)
    assert first["best"] == {"mean": 0.9, "deviation": None, "n": 1}
    assert first["reported"]["best_test"] == 91.5
    assert first["analysis"] == analysis(found[0], found)
    assert [epoch["accuracy"] for epoch in first["replays"][0]["epochs"]] == [0.9, 0.8]
    assert (second["best"], second["reported"], second["replays"]) == (None, None, [])


def test_figures_of_older_replays_are_labelled(tmp_path: Path) -> None:
    """Where a replay has no clean accuracy, figure and table say of what the gap is instead."""
    older = result(tmp_path, replay(0.9, 0.8, 0.9, gap=0.05, images=None))
    newer = result(tmp_path, replay(0.9, 0.8, 0.9, gap=0.01))
    assert analysis(older, [older])[0] == (
        "over-fits: 90.00 % on batches while they were trained on (an older replay), +5.00 points "
        "from the test accuracy, over the last 2 epochs"
    )
    assert "91.00 % on clean training images, +1.00 points" in analysis(newer, [newer])[0]
    assert "| +5.00 * |" in markdown([older], "x")
    assert "* By an older version" in markdown([older], "x")
    assert "older version" not in markdown([newer], "x")
    both = result(tmp_path, replay(0.9, 0.9), replay(0.9, 0.9, seed=2, images=None))
    assert not both.clean
    after = dataclasses.replace(newer, ladder=older.ladder, step=older.ladder.steps[1])
    effect = next(line for line in analysis(after, [older, after]) if "which did" in line)
    assert "gap" not in effect


@pytest.mark.parametrize(
    ("accuracies", "words"),
    [
        ((0.9, 0.97, 0.98), "reached in epoch 2 and held over the last 2 epochs"),
        ((0.98, 0.9, 0.96), "reached in epoch 1, not held: floor 90.00 %"),
        ((0.9, 0.91, 0.96), "not reached, best 96.00 %"),
    ],
)
def test_the_goal_is_held_against_every_epoch(
    tmp_path: Path, accuracies: tuple[float, ...], words: str
) -> None:
    """Reached means in any epoch, held means in each of the last ones."""
    assert goal_words(result(tmp_path, replay(*accuracies))) == words


def test_several_replays_are_counted(tmp_path: Path) -> None:
    """With more seeds it says how many of them reached and held the goal."""
    found = result(
        tmp_path, replay(0.98, 0.98), replay(0.98, 0.5, seed=2), replay(0.5, 0.5, seed=3)
    )
    assert goal_words(found) == "reached in 2 and held in 1 of 3 replays"


def test_the_limit_on_parameters_is_part_of_the_goal(tmp_path: Path) -> None:
    """A step that is over the author's limit is told so."""
    found = result(tmp_path, replay(0.98, 0.98))
    settings = dataclasses.replace(found.ladder.settings, parameters=100)
    over = dataclasses.replace(found, ladder=dataclasses.replace(found.ladder, settings=settings))
    assert "152 parameters are over the limit of 100" in goal_words(over)


def test_a_change_is_told_with_what_it_did(tmp_path: Path) -> None:
    """The second step names what it changed, and by how much each figure moved."""
    first = result(tmp_path, replay(0.90, 0.90))
    second = result(tmp_path, replay(0.92, 0.93, gap=0.01), step=1)
    second = dataclasses.replace(second, ladder=first.ladder, step=first.ladder.steps[1])
    lines = analysis(second, [first, second])
    assert any(line.startswith("changed from skeleton: 152 -> 168 parameters") for line in lines)
    assert "which did: best +3.00, floor +2.00, train +4.00, gap +1.00 points" in lines
    alone = analysis(second, [second])
    assert not any(line.startswith("which did") for line in alone)


def test_all_steps_are_compared_with_the_reports(tmp_path: Path) -> None:
    """Mean, count within a quarter of a point and the furthest are over steps with own epochs."""
    first = result(tmp_path, replay(0.5, 0.917, 0.9))
    second = result(tmp_path, replay(0.955, 0.950), step=1)
    found = compare([first, second])
    assert found is not None
    assert (found.steps, found.within) == (2, 1)
    assert found.mean == pytest.approx((0.2 - 0.5) / 2)
    assert (found.largest, found.step) == (pytest.approx(-0.5), "small#rotation")
    longer = dataclasses.replace(second, recipe=dataclasses.replace(second.recipe, epochs=9))
    assert compare([longer]) is None
    assert analysis(longer, [longer])[-1] == "not compared: reported after 2 epochs, replayed for 9"


def test_what_was_not_reported_is_not_compared(tmp_path: Path) -> None:
    """Without reported figures, reports have no such column or line, and all else stays."""
    told = result(tmp_path, replay(0.98, 0.98))
    found = result(tmp_path, replay(0.98, 0.98), text=UNREPORTED)
    assert compare([found]) is None
    assert [*analysis(found, [found]), analysis(told, [told])[-1]] == analysis(told, [told])
    report, other = (markdown([each], "flyweight ladder x") for each in (found, told))
    assert "reported" in other
    assert "https://example.org/small" in other
    for word in ("reported", "after http", "None", ", after ."):
        assert word not in report
    assert "\nladder.toml. Trained on" in report
    write_csv([found], tmp_path / "out.csv")
    (row,) = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert (row["reported_best"], row["best"]) == ("", "98.0")


def test_a_step_without_a_finished_replay_has_no_analysis(tmp_path: Path) -> None:
    """What is under way is no finding; a failure is told with its reason."""
    under_way = dataclasses.replace(replay(0.9), finished=False)
    failed = dataclasses.replace(replay(0.9), failure="the loss is not finite")
    assert analysis(result(tmp_path, under_way), []) == []
    assert analysis(result(tmp_path, failed), []) == ["failed: the loss is not finite"]
