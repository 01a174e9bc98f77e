from __future__ import annotations

from pathlib import Path

import pytest

from search.ladder.page import ladder_page
from search.ladder.result import StepResult
from search.pages.html import html
from search.spec.ladder_file import LadderFile
from tests.search.ladder.test_records import replay
from tests.search.ladder_texts import GOOD, UNREPORTED, written
from tests.search.pages.test_pages import read_page

COMMAND = "flyweight ladder small.toml --html small.html"


def _results(folder: Path, text: str = GOOD) -> list[StepResult]:
    """Two replays of the first step, and none of the second."""
    ladder = LadderFile.load(written(folder, text))
    first, second = ladder.steps
    runs = (replay(0.8, 0.95, 0.98), replay(0.8, 0.94, 0.97, seed=2))
    return [
        StepResult(ladder, first, first.recipe, runs),
        StepResult(ladder, second, second.recipe, ()),
    ]


def test_the_page_has_target_result_and_analysis_of_each_step(tmp_path: Path) -> None:
    """Each step says what it set out for and what came of it, with its network as a picture."""
    text = html(ladder_page(_results(tmp_path), COMMAND))
    reader = read_page(text)
    assert not reader.links
    for words in (
        "A small ladder",
        "Goal: 97.00 % on digits, at most 500 parameters.",
        "The best of 1 step is skeleton",
        "Target: Begin.",
        "Target: Turn the images.",
        "Note: Nothing else.",
        "Result: goal reached in 2 and held in 0 of 2 replays",
        COMMAND,
        "https://example.org/small",
    ):
        assert words in text
    assert text.count("<svg") == 3  # two networks, and the curves of the step that was replayed


def test_the_authors_log_stands_beside_the_replays(tmp_path: Path) -> None:
    """The curves have as many dots as all replays and the log have epochs."""
    reported = html(ladder_page(_results(tmp_path), COMMAND))
    assert reported.count('class="dot two"') == 3
    assert reported.count('class="dot one"') == 6
    assert "reported, test" in reported


@pytest.mark.parametrize("text", [GOOD, UNREPORTED])
def test_no_replay_is_said(tmp_path: Path, text: str) -> None:
    """A ladder of which nothing was trained to its end still has a page."""
    results = [
        StepResult(each.ladder, each.step, each.recipe, ()) for each in _results(tmp_path, text)
    ]
    page = html(ladder_page(results, COMMAND))
    read_page(page)
    assert "No step has been replayed to its end." in page
