from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from search.errors import printable
from search.export.card_head import LICENCE, as_yaml, head_lines
from search.export.model_card import as_markdown
from search.export.model_card import model_card as card_of
from search.export.package import package_page
from search.export.trained_network import SeedRun, TrainedNetwork
from space.architecture import Architecture
from space.cost import cost
from space.deployed.cost import deployed_cost
from tests.search.trained_networks import CHAMPION, HOSTILE, TRIAL, trained_network

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
ANY_TEXT = st.text() | st.sampled_from(HOSTILE) | st.text("<>&|`*_[]()#!\\~+-.:/\n 1aw", min_size=1)


def model_card(trained: TrainedNetwork, package: str) -> str:
    """The card of a network as a package."""
    return card_of(trained, package_page(trained, package))


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


def head_of(card: str) -> dict[str, Any]:
    """What the Hugging Face Hub reads of a card."""
    before, head, _ = card.split("---\n", 2)
    assert not before
    found: dict[str, Any] = yaml.safe_load(head)
    return found


@given(ANY_TEXT)
def test_any_text_in_the_head_is_itself(text: str) -> None:
    """In the head of a card any text is nothing but text, for YAML and for Markdown."""
    line = printable(" ".join(text.split()))
    escaped = as_yaml(text)
    assert yaml.safe_load(f"key: {escaped} # more") == {"key": line}
    (content,) = inline(MARKDOWN.parse(f"key: {escaped}\n"))
    assert {token.type for token in content} <= {"text", "text_special"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_head_has_the_same_keys_whatever_the_names_are(hostile: str) -> None:
    """A hostile name stands where a name stands, and adds no key to the head."""
    head = head_of(model_card(trained_network(name=hostile, dataset=hostile), "shapes"))
    plain = head_of(model_card(trained_network(), "shapes"))
    (result,), (wanted,) = head.pop("model-index"), plain.pop("model-index")
    assert head == plain
    assert result["name"] == printable(" ".join(hostile.split()))
    assert result["results"][0]["metrics"] == wanted["results"][0]["metrics"]


def test_the_head_has_the_accuracy_of_these_files() -> None:
    """The accuracy is that of the weights that are there, in their number format, when known."""
    seeds = (SeedRun(1, 0.99, 0.98, 0.97), SeedRun(2, 0.95, 0.9, 0.8))
    measured = trained_network(figures=replace(CHAMPION, runs=seeds), dataset="mnist")
    for network, int8, wanted in [
        (measured, False, 0.99),
        (measured, True, 0.97),
        (trained_network(), True, None),
        (trained_network(figures=TRIAL), False, None),
    ]:
        head = yaml.safe_load("\n".join(list(head_lines(network, "", (), int8=int8))[1:-1]))
        found = head.get("model-index", [{"results": [{"metrics": [{"value": None}]}]}])
        assert found[0]["results"][0]["metrics"][0]["value"] == wanted
        assert head["pipeline_tag"] == "image-classification"
        assert head.get("datasets") == (["mnist"] if network is measured else None)


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
    card, chip = model_card(trained, "shapes"), deployed_cost(trained.architecture)
    floor = "floor (lowest of the last 5 of 15 epochs)"
    for line in (
        "# shapes-8k",
        "library_name: pytorch",
        "import shapes",
        f"| validation | {floor} | 3 | 99.41 % |",
        f"| test | {floor} | 3 | 99.35 % ± 0.05 |",
        "| test | after the last epoch | 3 | 99.41 % ± 0.04 |",
        "| test | after the last epoch, these weights (seed 8) | 1 | 99.41 % |",
        "Trial 17, chosen on the validation part by the first confirm of its study.",
        "The test set had not been looked at before.",
        "Trained on one CPU in 1,234 s with python 3.12.1, torch 2.12.0.",
        f"| parameters | {cost(trained.architecture).parameters:,} |",
        f"| RAM as C in int8: all maps, image and logits | {chip.ram:,} bytes |",
        f"| flash as C in int8: weights and tables | {chip.constants:,} bytes |",
        f"| flash as C in int8: code for cortex-m4 | {chip.code:,} bytes |",
        *LICENCE,
        "| `conv3 6 pad1 bn relu skip drop0.1` | 6x10x10 |",
        "| `maxpool2` | 6x5x5 |",
        "| `learning_rate` | 0.01 |",
        "| `augment` 1 | affine: degrees 7, translate 0.05, scale 0, shear 0, "
        "fill 0, interpolation bilinear |",
    ):
        assert line in card.splitlines(), line


def test_card_of_a_tuned_champion() -> None:
    """The card says that the figures in int8 are of tuned networks, and what decided on that."""
    assert "tuned" not in model_card(trained_network(), "shapes")
    card = model_card(trained_network(figures=replace(CHAMPION, int8_loss=0.00234)), "shapes")
    assert "In int8 it lost 0.23 points on the validation part" in card
    assert "tuned for\nint8 afterwards" in card


def test_card_of_a_later_confirm() -> None:
    """A later confirm's card says that the test set had been seen."""
    for confirm, words in [(2, ("the second confirm", "once")), (12, ("confirm 12", "11 times"))]:
        figures = replace(CHAMPION, confirm=confirm, runs=(SeedRun(3, 0.99, 0.98),))
        card = model_card(trained_network(figures=figures), "shapes")
        assert f"by {words[0]} of its study." in card
        assert f"The test set had been looked at {words[1]} before." in card
        assert "with 1 seed." in card
        assert "| test | after the last epoch | 1 | 99.00 % |" in card


def test_a_network_that_runs_on_no_chip_says_why() -> None:
    """Where a layer is too large for int8, the card has the reason in the place of the bytes."""
    large = Architecture.parse(["conv99 1 pad49", "gap", "linear 2"], (9, 3, 3))
    card = model_card(trained_network(large), "shapes")
    assert "In int8 it does not run on a chip: " in card
    assert "RAM as C" not in card


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
