from __future__ import annotations

from pathlib import Path

from hypothesis import example, given

from search.show import show
from search.study.results import Study
from space.architecture import Architecture
from space.layers.words import format_shape
from tests.search.pages.test_pages import read_page
from tests.search.shown_studies import SMALL, WIDE, add_trial, new_study
from tests.space.strategies import BLOCKS, architectures
from tests.space.test_cost import relaxed


def test_a_study_shows_its_progress_and_its_front(tmp_path: Path) -> None:
    """A notebook shows the counts, a chart and the front; a trial shows network and curves."""
    stored = new_study(tmp_path)
    empty = Study(stored)._repr_html_()
    assert "0 trained, 0 rejected" in empty
    assert "<svg" not in empty
    add_trial(stored, SMALL, 0.9)
    add_trial(stored, WIDE, None)
    study = Study(stored)
    text = study._repr_html_()
    read_page(text)
    assert "1 trained, 1 rejected" in text
    assert "90.00 %" in text
    for trial, drawings in zip(study.trials, (2, 1), strict=True):
        shown = trial._repr_html_()
        read_page(shown)
        assert shown.count("<svg") == drawings


@relaxed
@given(architectures())
@example(BLOCKS)
def test_an_architecture_shows_its_lines(architecture: Architecture) -> None:
    """Each line stands in the table with its map."""
    text = architecture._repr_html_()
    read_page(text)
    for line, shape in zip(architecture.layers, architecture.shapes, strict=True):
        assert str(line) in text or str(line).startswith("again")
        assert format_shape(shape) in text


def test_lines_that_do_not_fit_are_text() -> None:
    """An architecture that is no network is shown as it is written."""
    lines = Architecture.parse("conv3 4\ngap").layers
    shown = Architecture((1, 2, 2), lines)._repr_html_()
    assert shown == "<pre>input 1x2x2\nconv3 4\ngap</pre>"


def test_what_show_found_is_a_picture() -> None:
    """The result of ``show`` is the picture of the network with its cost."""
    text = show("conv3 4 relu; gap; linear 10")._repr_html_()
    read_page(text)
    assert "<svg" in text
    assert "parameters" in text
