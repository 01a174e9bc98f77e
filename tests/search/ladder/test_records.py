from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.ladder.records import Replay, Replays
from search.storage.database import open_storage
from tests.search.small_studies import url_in
from trainer.loop import Epoch

ACCURACIES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def replay(
    *accuracies: float,
    seed: int = 1,
    candidate: str = "a",
    gap: float = 0.0,
    images: int | None = 10_000,
) -> Replay:
    """A finished replay with these test accuracies; of an older version without ``images``."""
    epochs = tuple(
        Epoch(number, 0.1, accuracy + gap, accuracy, 2.0)
        for number, accuracy in enumerate(accuracies)
    )
    begun = Replay(candidate, seed, epochs, finished=True, device="here", versions={"torch": "2"})
    if images is None:
        return begun
    return dataclasses.replace(begun, clean_accuracy=accuracies[-1] + gap, clean_images=images)


def opened(folder: Path) -> Replays:
    """The replays of a database in this folder."""
    return Replays(open_storage(url_in(folder), create=True).engine)


@given(ACCURACIES, st.integers(1, 5))
def test_figures_are_of_the_epochs(accuracies: list[float], last: int) -> None:
    """Floor, last and best are ordered, and a constant distance of both accuracies is the gap."""
    found = replay(*accuracies, gap=0.25)
    assert min(accuracies) <= found.floor(last) <= found.last <= found.best == max(accuracies)
    assert found.clean_gap == pytest.approx(0.25)
    assert found.augmented_gap(last) == pytest.approx(0.25)
    assert found.seconds_per_epoch == 2.0


@given(ACCURACIES)
def test_a_replay_survives_its_dictionary(accuracies: list[float]) -> None:
    """What is read again equals what was written, path of the steps apart from each epoch."""
    kept = replay(*accuracies, images=None).to_dict()
    assert Replay.from_dict(kept) == replay(*accuracies, images=None)
    del kept["clean_accuracy"], kept["clean_images"]
    assert Replay.from_dict(kept) == replay(*accuracies, images=None)
    assert Replay.from_dict(replay(*accuracies).to_dict()) == replay(*accuracies)


def test_replays_are_kept_by_candidate_and_seed(tmp_path: Path) -> None:
    """A second save replaces the first, another seed or candidate stands beside it."""
    replays = opened(tmp_path)
    for each in (replay(0.1, seed=2), replay(0.2), replay(0.3, candidate="b"), replay(0.1, 0.4)):
        replays.save(each)
    found = opened(tmp_path).of(["a", "b", "c"])
    assert found["a"] == [replay(0.1, 0.4), replay(0.1, seed=2)]
    assert found["b"] == [replay(0.3, candidate="b")]
    assert found["c"] == []


def test_each_candidate_has_claims_of_its_own(tmp_path: Path) -> None:
    """A seed of one candidate is taken once, and says nothing of another's."""
    replays = opened(tmp_path)
    assert replays.claims("a").take(1) == 0
    assert replays.claims("a").take(1) is None
    assert replays.claims("b").take(1) == 0
