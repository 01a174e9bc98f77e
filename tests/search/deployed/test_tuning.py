from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from search.deployed.accuracy import int8_accuracy
from search.deployed.tuning import tune
from search.spec.candidate import Candidate
from search.workers.data import DataSplit, search_split
from search.workers.stop import StopSignal
from search.workers.training import Training
from space.architecture import Architecture
from trainer.augment import Affine
from trainer.data import Images, open_dataset
from trainer.recipe import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")

ARCHITECTURE = Architecture.parse(
    ["conv3 12 pad1 bn relu", "maxpool2", "conv3 12 pad1 bn relu", "gap", "linear 10"], (1, 8, 8)
)
CANDIDATE = Candidate(ARCHITECTURE, Recipe(epochs=8, learning_rate=0.02, batch_size=64, seed=3))
WHAT_READS = {"line1.bn": "line3.conv.weight", "line3.bn": "line5.linear.weight"}
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@pytest.fixture(scope="module")
def data() -> DataSplit:
    """The digits."""
    return search_split(open_dataset("digits"), torch.device("cpu"))


@pytest.fixture(scope="module")
def weights(data: DataSplit) -> dict[str, Tensor]:
    """A trained network whose maps have channels of very unequal size, one scale for all.

    What one layer makes larger the next one makes smaller, so that in floats nothing changes.
    """
    training = Training(CANDIDATE, data, StopSignal())
    training.run()
    found = {name: each.clone() for name, each in training.network.state_dict().items()}
    generator = torch.Generator().manual_seed(5)
    for norm, reader in WHAT_READS.items():
        size = 2 ** (7 * torch.rand(12, generator=generator) - 3.5)
        found[f"{norm}.weight"] *= size
        found[f"{norm}.bias"] *= size
        found[reader] /= size.view(1, -1, *[1] * (found[reader].dim() - 2))
    return found


def in_int8(weights: Mapping[str, Tensor], data: DataSplit) -> float:
    """Return the accuracy of the whole numbers on the validation part."""
    found = int8_accuracy(ARCHITECTURE, weights, data.normalisation, data.training, data.evaluation)
    assert found is not None
    return found


def test_tuning_wins_back_what_int8_lost(data: DataSplit, weights: dict[str, Tensor]) -> None:
    """A network with maps of unequal channels loses points by int8, and tuning returns most."""
    before = {name: each.clone() for name, each in weights.items()}
    tuned = tune(CANDIDATE, weights, data.normalisation, data.training).state_dict()
    plain = in_int8(weights, data)
    assert plain < 0.96
    assert in_int8(tuned, data) > plain + 0.015
    for name, each in tuned.items():
        assert torch.equal(weights[name], before[name])
        assert each.dtype == before[name].dtype
        assert torch.equal(each, before[name]) == name.endswith(STATISTICS), name


def test_the_same_seed_gives_the_same_network(data: DataSplit, weights: dict[str, Tensor]) -> None:
    """Two tunings agree to the last bit, and the seed of the recipe decides."""
    recipe = Recipe(batch_size=200, augment=(Affine(degrees=5.0),), label_smoothing=0.1, seed=4)
    candidates = [Candidate(ARCHITECTURE, recipe)] * 2
    candidates.append(Candidate(ARCHITECTURE, Recipe(**{**vars(recipe), "seed": 5})))
    found = []
    some = Images(data.training.pixels[:300], data.training.labels[:300])
    for candidate in candidates:
        torch.rand(1)  # What else is drawn does not matter.
        tuned = tune(candidate, weights, data.normalisation, some).state_dict()
        found.append(torch.cat([each.flatten() for each in tuned.values()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
