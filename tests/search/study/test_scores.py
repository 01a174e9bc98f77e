from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from search.spec.study_file import StudyFile
from search.study.scores import SCORES, as_begun, training_score
from tests.search.study_texts import sections

accuracies = st.lists(st.floats(0, 1), min_size=1, max_size=8)
sizes = st.integers(1, 2_000)
targets = st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0])


def _file(**study: Any) -> StudyFile:
    value = sections()
    value["study"] |= study
    return StudyFile.from_dict(value)


def _smallest(target: float, **study: Any) -> StudyFile:
    return _file(goal="smallest", target=target, **study)


@given(accuracies, sizes, st.sampled_from(sorted(SCORES)))
def test_where_accuracy_is_asked_for_size_counts_nothing(
    figures: list[float], size: int, score: str
) -> None:
    """The score is the statistic of the last epochs, also where a target is reached."""
    file = _file(target=0.1, score=score)
    assert training_score(file, figures, size) == SCORES[score](figures, 5)


@given(targets, accuracies, accuracies, sizes, sizes, st.sampled_from(sorted(SCORES)))
def test_the_smaller_of_two_that_hold_the_target_scores_more(
    target: float, one: list[float], other: list[float], small: int, large: int, score: str
) -> None:
    """Of two holders size alone decides, a holder is never behind, and accuracy decides below."""
    file = _smallest(target, score=score)
    small, large = sorted((small, large))
    first, second = (SCORES[score](each, 5) for each in (one, other))
    found = (training_score(file, one, small), training_score(file, other, large))
    if first >= target and second >= target:
        assert (found[0] > found[1]) == (small < large)
    elif first >= target:
        assert found[0] >= target > found[1] == second
    elif second >= target:
        assert found[1] >= target > found[0] == first
    else:
        assert found == (first, second)


def test_a_new_study_ranks_the_smallest_by_their_floors() -> None:
    """What is to hold the target is the floor; a file that names its score keeps it."""
    assert as_begun(_smallest(0.9)).settings.score == "floor"
    assert as_begun(_file(goal="smallest", target=0.9, score="mean")).settings.score == "mean"
    assert as_begun(_file(target=0.9)).settings.score == "mean"
