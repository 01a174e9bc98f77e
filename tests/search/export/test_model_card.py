from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from search.errors import printable
from search.export.model_card import as_markdown, model_card
from search.export.trained_network import SeedRun
from space.cost import cost
from tests.search.trained_networks import CHAMPION, HOSTILE, TRIAL, trained_network

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
ANY_TEXT = st.text() | st.sampled_from(HOSTILE) | st.text("<>&|`*_[]()#!\\~+-.:/\n 1aw", min_size=1)


def shown(text: str) -> str:
    """Say what a reader sees of a text: one line, and escapes for what cannot be printed."""
    return printable(" ".join(text.split())) or "(no name)"


def inline(tokens: list[Token]) -> list[list[Token]]:
    """Give the content of every paragraph, heading and cell."""
    return [token.children or [] for token in tokens if token.type == "inline"]


@given(ANY_TEXT)
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """In a heading and in a cell of a table any text is nothing but text."""
    escaped = as_markdown(text)
    tokens = MARKDOWN.parse(f"# {escaped}\n\n| a | b |\n| --- | --- |\n| x | {escaped} |\n")
    heading, *cells = inline(tokens)
    assert len(cells) == 4
    for content in (heading, cells[3]):
        assert {token.type for token in content} <= {"text", "text_special"}
        assert "".join(token.content for token in content) == shown(text)


def test_names_are_left_alone() -> None:
    """The names of usual studies, data sets and machines need no escapes."""
    for name in ("mnist-8k", "folder:data/shapes", "2 x CPU (8 cores)", "2.12.0+cu130"):
        assert as_markdown(name) == name


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_add_nothing(hostile: str) -> None:
    """A card has the same structure whatever its network, data and classes are called."""
    plain = trained_network(class_names=("a", "b", "c"))
    other = trained_network(
        name=hostile,
        dataset=hostile,
        class_names=(hostile,) * 3,
        figures=replace(CHAMPION, hardware=hostile, versions={hostile: hostile}),
    )
    kinds, others = (
        [token.type for token in MARKDOWN.parse(model_card(network, "shapes"))]
        for network in (plain, other)
    )
    assert kinds == others
    html = MARKDOWN.render(model_card(other, "shapes"))
    assert "<script" not in html
    assert "<a " not in html
    assert "<img" not in html


def test_names_that_are_no_utf_8_are_spelled_as_in_tables() -> None:
    """A reader finds the class of a table in the card, and can write the card to a file."""
    card = model_card(trained_network(class_names=("caf\udce9", "b", "c")), "shapes")
    assert r"caf\\udce9" in card  # a backslash that Markdown shows
    card.encode()


def test_card_of_a_champion() -> None:
    """A champion's card says of every figure which set, how many seeds and which confirm."""
    trained = trained_network()
    card = model_card(trained, "shapes")
    floor = "floor (lowest of the last 5 of 15 epochs)"
    for line in (
        "# shapes-8k",
        "import shapes",
        f"| validation | {floor} | 3 | 99.41 % |",
        f"| test | {floor} | 3 | 99.35 % ± 0.05 |",
        "| test | after the last epoch | 3 | 99.41 % ± 0.04 |",
        "| test | after the last epoch, these weights (seed 8) | 1 | 99.41 % |",
        "Trial 17, chosen on the validation part by the first confirm of its study.",
        "The test set had not been looked at before.",
        "Trained on one CPU in 1,234 s with python 3.12.1, torch 2.12.0.",
        f"| parameters | {cost(trained.architecture).parameters:,} |",
        "| `conv3 6 pad1 bn relu skip drop0.1` | 6x10x10 |",
        "| `maxpool2` | 6x5x5 |",
        "| `learning_rate` | 0.01 |",
        "| `augment` 1 | affine: degrees 7, translate 0.05, scale 0, shear 0, "
        "fill 0, interpolation bilinear |",
    ):
        assert line in card.splitlines(), line


def test_card_of_a_later_confirm() -> None:
    """A later confirm's card says that the test set had been seen."""
    for confirm, words in [(2, ("the second confirm", "once")), (12, ("confirm 12", "11 times"))]:
        figures = replace(CHAMPION, confirm=confirm, runs=(SeedRun(3, 0.99, 0.98),))
        card = model_card(trained_network(figures=figures), "shapes")
        assert f"by {words[0]} of its study." in card
        assert f"The test set had been looked at {words[1]} before." in card
        assert "with 1 seed." in card
        assert "| test | after the last epoch | 1 | 99.00 % |" in card


def test_card_of_a_trial() -> None:
    """A trial's card has no test figure and says what its validation figure is worth."""
    card = model_card(trained_network(figures=TRIAL), "shapes")
    assert "| test |" not in card
    assert "not confirmed" in card
    assert "The test set has not been looked at." in card


def test_figures_hold_together() -> None:
    """Champions have runs and a confirm, trials neither."""
    for figures, changes in [(CHAMPION, {"runs": ()}), (TRIAL, {"confirm": 1})]:
        with pytest.raises(ValueError, match="runs and confirm"):
            replace(figures, **changes)
    assert CHAMPION.to_dict()["test_floor"]["n"] == 3
    assert "test_floor" not in TRIAL.to_dict()
