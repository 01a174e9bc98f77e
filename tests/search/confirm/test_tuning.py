from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from search.cli.summary import confirm_summary
from search.confirm.retrain import retrain
from search.deployed.accuracy import int8_accuracy
from search.export.command import export
from search.export.package import read_weights
from search.export.trained_network import TrainedNetwork
from search.studies.copying import copy_study
from search.study.confirms import (
    FINAL,
    MOST_INT8_LOSS,
    SELECTION,
    Confirm,
    ConfirmPlan,
    load_confirm,
    save_plan,
    save_repeat,
)
from search.study.study import StoredStudy, open_study
from search.workers.data import final_split, open_data
from search.workers.stop import StopSignal
from tests.search.export.c.compiled import COMPILERS, compiled, logits_of, needs_compiler
from tests.search.small_studies import SKELETON, begun, search_here, url_in, worker_context

PLAIN, TUNED = 1, 2
"""The confirms of the study: one whose selection lost by int8, and one whose selection did not."""


@dataclass(frozen=True)
class TwoConfirms:
    """A study of the digits with two finished confirms."""

    folder: Path
    stored: StoredStudy
    confirms: dict[int, Confirm]

    def exported(self, formats: str, out: Path) -> TrainedNetwork:
        """Return the champion as it was written."""
        return export(self.stored.name, out, formats, storage=url_in(self.folder))


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> TwoConfirms:
    """Retrain in this process, with figures of the selection in int8 that decide either way."""
    folder = tmp_path_factory.mktemp("tuning")
    stored = begun(folder, space=SKELETON, epochs=3)
    search_here(stored, 1)
    stored.make_artifacts()
    confirms = {}
    for ordinal, lost in ((PLAIN, MOST_INT8_LOSS), (TUNED, 0.0045)):
        save_plan(stored, ConfirmPlan(ordinal, (0,), 2, 1, 1, tunes=True))
        retrain(stored, worker_context(), ordinal, SELECTION, StopSignal())
        for slot, repeat in enumerate(load_confirm(stored, ordinal).selection):
            assert repeat.int8 is not None
            lossy = dataclasses.replace(repeat, int8=repeat.last - lost)
            save_repeat(stored, ordinal, SELECTION, slot, lossy)
        retrain(stored, worker_context(), ordinal, FINAL, StopSignal())
        confirms[ordinal] = load_confirm(stored, ordinal)
    return TwoConfirms(folder, stored, confirms)


def test_all_final_seeds_are_tuned_or_none(tested: TwoConfirms) -> None:
    """What was lost on validation decides, and is kept with each repeat."""
    assert [repeat.tuning for repeat in tested.confirms[PLAIN].final] == [None, None]
    tunings = [repeat.tuning for repeat in tested.confirms[TUNED].final]
    assert [each and each.loss for each in tunings] == [pytest.approx(0.0045)] * 2
    assert [bool(each and each.weights) for each in tunings] == [True, False]
    assert [repeat.tuning for repeat in tested.confirms[TUNED].selection] == [None, None]


def test_a_confirm_says_that_it_tuned(tested: TwoConfirms) -> None:
    """The table names the loss, its set and the rule; without tuning there is no word of it."""
    words = confirm_summary(tested.stored, tested.confirms[TUNED])
    assert "lost 0.45 points on validation, more than 0.10 points" in words
    assert "3 epochs each" in words
    assert "tuned" not in confirm_summary(tested.stored, tested.confirms[PLAIN])


def test_the_kept_weights_are_those_that_were_tuned(tested: TwoConfirms, tmp_path: Path) -> None:
    """In int8 they score what was recorded; the package in floats has those of the training."""
    trained = tested.exported("torch", tmp_path / "net")
    first = tested.confirms[TUNED].final[0]
    assert trained.figures.confirm == TUNED
    assert trained.figures.int8_loss == pytest.approx(0.0045)
    assert trained.int8_weights is not None
    written = read_weights(tmp_path / "net", trained.architecture)
    assert not _equal(trained.int8_weights, trained.weights)
    assert _equal(written, trained.weights)
    data = final_split(open_data(tested.stored.file, tested.folder), torch.device("cpu"))
    measured = int8_accuracy(
        trained.architecture,
        trained.int8_weights,
        trained.normalisation,
        data.training,
        data.evaluation,
    )
    assert measured == first.int8


@needs_compiler
def test_the_exported_c_holds_the_tuned_network(tested: TwoConfirms, tmp_path: Path) -> None:
    """It scores on the test set what the confirm measured, and its page says what it is."""
    tested.exported("c-int8", tmp_path / "net")
    data = final_split(open_data(tested.stored.file, tested.folder), torch.device("cpu"))
    images = data.evaluation.pixels.permute(0, 2, 3, 1).contiguous().numpy()
    found = logits_of(compiled(tmp_path / "net", COMPILERS[0]), images).argmax(1)
    accuracy = (found == data.evaluation.labels.numpy()).mean()
    assert accuracy == pytest.approx(tested.confirms[TUNED].final[0].int8)
    assert "lost 0.45 points on the validation part" in (tmp_path / "net/README.md").read_text()


def test_a_copy_has_tuned_weights_of_its_own(tested: TwoConfirms, tmp_path: Path) -> None:
    """A copied study names the files of its own artifacts, and exports the same network."""
    url = url_in(tested.folder)
    copy_study("tiny", "copy", storage=url)
    copy = load_confirm(open_study("copy", url, writing=False), TUNED).final[0].tuning
    first = tested.confirms[TUNED].final[0].tuning
    assert copy is not None
    assert first is not None
    assert copy.weights != first.weights
    assert copy.weights_sha256 == first.weights_sha256
    trained = tested.exported("torch", tmp_path / "net")
    copied = export("copy", tmp_path / "other", storage=url)
    assert copied.int8_weights is not None
    assert trained.int8_weights is not None
    assert _equal(copied.int8_weights, trained.int8_weights)


def _equal(some: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    assert some.keys() == others.keys()
    return all(torch.equal(each, others[name]) for name, each in some.items())
