from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.spec.study_file import StudyFile
from search.spec.survey import Range, Survey, survey
from tests.search.small_studies import write_study

SHAPE = (1, 8, 8)


def surveyed(folder: Path, space: str, parameters: int) -> Survey:
    """What a study of a space and a budget holds."""
    file = StudyFile.load(write_study(folder, space=space, parameters=parameters))
    return survey(file, file.search_space(SHAPE, 10))


WIDTHS = 'layers = ["conv3 {a} relu", "gap", "linear 10"]\na = { low = 1, high = 20 }'


def test_a_survey_tells_what_the_space_holds(tmp_path: Path) -> None:
    """Size, share that fits and the range of every cost are those of all settings, nearly."""
    # Each width a costs 9 a + 10 a + 10 parameters: 29 to 390, of which eleven fit 220.
    found = surveyed(tmp_path, WIDTHS, 220)
    assert found.settings == 20
    assert (found.costs["parameters"].least, found.costs["parameters"].most) == (29, 390)
    assert found.fitting / found.draws == pytest.approx(11 / 20, abs=0.1)
    assert found.broken == {"parameters": found.draws - found.fitting}
    text = "\n".join(found.lines())
    assert "space: 20 settings" in text
    assert "parameters: 29 to 390, half of them at most" in text


def test_a_space_of_vanishing_maps_is_described(tmp_path: Path) -> None:
    """Where most maps vanish, their share is told and costs are those of the others."""
    space = 'layers = ["conv{k} 4 relu", "conv{k} 4 relu", "gap", "linear 10"]\nk = [3, 5, 7]'
    found = surveyed(tmp_path, space, 10_000)
    assert 0 < found.broken["maps too small for their layers"] < found.draws
    assert any("maps too small" in line for line in found.lines())


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_a_range_holds_its_values(values: list[float]) -> None:
    """The values are in order, and half of them are at most the middle one."""
    found = Range.of(values)
    assert found.least == min(values) <= found.median <= max(values) == found.most
    assert sum(value <= found.median for value in values) * 2 >= len(values)
