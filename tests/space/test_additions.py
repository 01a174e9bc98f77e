"""Adding to the layer language, on a copy of ``space`` in a fresh process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

GOES_ALL_THE_WAY = """
import sys, warnings
import torch
from search.export.codegen.layers import weight_names
from search.export.codegen.module import network_source
from space import Architecture, SearchSpace, build, cost
from space.layers import Layer
from trainer import Recipe, train
from trainer.data import Images, Normalisation

text, built, exported = sys.argv[1:]
architecture = Architecture.parse(text, (2, 8, 8))
assert str(architecture) == "input 2x8x8\\n" + text, str(architecture)
torch.manual_seed(0)
network = build(architecture)
assert sum(p.numel() for p in network.parameters()) == cost(architecture).parameters
for piece in built.split(";"):
    assert piece in repr(network), repr(network)

scale = Normalisation((0.0, 0.0), (1.0, 1.0))
source = network_source(architecture, "SmallNet", scale)
for piece in exported.split(";"):
    assert piece in source, source
names = {}
exec(compile(source, "network.py", "exec"), names)
alone = names["SmallNet"]()
places = weight_names(architecture)
alone.load_state_dict({
    f"{places[path]}.{parameter}": value
    for key, value in network.state_dict().items()
    for path, _, parameter in [key.rpartition(".")]
})
images = torch.rand(3, 2, 8, 8)
assert torch.equal(alone.eval()(images), network.eval()(images))

pixels = torch.randint(0, 256, (32, 2, 8, 8), dtype=torch.uint8)
data = Images(pixels, torch.arange(32) % architecture.classes)
before = {name: value.clone() for name, value in network.state_dict().items()}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    epochs = list(train(network, data, data, scale, Recipe(epochs=2, batch_size=8)))
assert [str(epoch.backend) for epoch in epochs] == ["eager", "eager"]
assert any(not torch.equal(before[name], value) for name, value in network.state_dict().items())
"""

REFUSES = """
for text, complaint in [("nonsense", "{0} "), ("{0}", '"{0}" lacks its'), ("{1}", "{2}")]:
    try:
        Layer.parse(text)
    except ValueError as error:
        assert complaint in str(error), error
    else:
        raise AssertionError(text)
"""


def in_a_changed_copy(tmp_path: Path, changes: dict[str, tuple[str, str]], *command: str) -> None:
    """Run Python with a copy of ``space`` in which one text of each file is replaced."""
    shutil.copytree(ROOT / "space", tmp_path / "space")
    for name, (old, new) in changes.items():
        file = tmp_path / "space" / name
        assert file.read_text().count(old) == 1
        file.write_text(file.read_text().replace(old, new))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_one_line_adds_an_activation(tmp_path: Path) -> None:
    """An activation added to the table is parsed, drawn, counted, built, trained and exported."""
    last = '    ActivationEntry("hardswish", "Hardswish", "hardswish"),\n'
    added = '    ActivationEntry("mish", "Mish", "mish"),\n'
    drawn = """
section = {"activation": "mish", "width": 4, "stages": 1, "convs": 1}
space = SearchSpace.from_section(section, input_shape=(2, 8, 8), classes=3)
assert "mish" in str(space.suggest(None).architecture)
try:
    Layer.parse("nonsense")
except ValueError as error:
    assert " mish " in str(error)
else:
    raise AssertionError
"""
    in_a_changed_copy(
        tmp_path,
        {"layers/activations.py": (last, last + added)},
        GOES_ALL_THE_WAY + drawn,
        "conv3 6 pad1 mish bn\nconv3 6 pad1 skip mish\ngap\nlinear 3",
        "Mish()",
        "nn.Mish(),;functional.mish(x)",
    )


LP_POOL = '''

@dataclass(frozen=True, slots=True)
class PowerPool(Pooling):
    """``lppool2``: the root of the sum of the squares of each window."""

    size: PoolSize

    spelling: ClassVar[Spelling] = Spelling.of("lppool", "size")

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the pool of the second norm."""
        return TorchCall("LPPool2d", (2, self.size))
'''

SHUFFLE = '''

@dataclass(frozen=True, slots=True)
class Shuffle(ElementWise):
    """``shuffle4``: interleave the channels of that many groups."""

    groups: Annotated[int, Whole("number of groups", 2, MAX_CHANNELS)]

    spelling: ClassVar[Spelling] = Spelling.of("shuffle", "groups")

    def misfit(self, shape: Shape) -> tuple[str, float] | None:
        """Refuse channels that the groups do not divide."""
        odd = shape[0] % self.groups
        return (f"{self.groups} groups do not divide {shape}", 1.0) if odd else None

    def module(self, shape: Shape, *, flat: bool = False) -> TorchCall:
        """Return the module, which works on maps only."""
        return TorchCall("ChannelShuffle", (self.groups,))

    def function(self) -> TorchCall:
        """Return the function."""
        return TorchCall("channel_shuffle", (self.groups,))
'''


MISFITS = """
try:
    Architecture.parse("conv1 3 shuffle2\\ngap")
except ValueError as error:
    assert str(error) == 'line 1 "conv1 3 shuffle2": 2 groups do not divide (3, 28, 28)', error
else:
    raise AssertionError
"""


def with_class(module: str, after: str, source: str, name: str) -> dict[str, tuple[str, str]]:
    """Describe the changes that add a class of words: its source, and its name in the table."""
    words = f"space.layers.{module} import "
    return {
        f"layers/{module}.py": (after, after + source),
        "layers/vocabulary.py": (
            "WORDS: tuple[type[Word], ...] = (\n",
            f"from {words}{name}\n\nWORDS: tuple[type[Word], ...] = (\n    {name},\n",
        ),
    }


def test_one_class_adds_a_word_that_makes_a_new_map(tmp_path: Path) -> None:
    """A pool added as one class is parsed, counted, built, trained and exported as a module."""
    end = "        return options\n"
    in_a_changed_copy(
        tmp_path,
        with_class("operations", end, LP_POOL, "PowerPool"),
        GOES_ALL_THE_WAY + REFUSES.format("lppool", "lppool1", "pool size 1 is too small"),
        "conv3 6 pad1 bn relu\nlppool2\nconv3 3 pad1\nlppool2\ngap",
        "LPPool2d(norm_type=2, kernel_size=2",
        "nn.LPPool2d(2, 2),  # 6x4x4;nn.LPPool2d(2, 2),  # 3x2x2",
    )


def test_one_class_adds_a_word_that_keeps_the_map(tmp_path: Path) -> None:
    """A channel shuffle added as one class goes all the way, as a module and as a function."""
    end = '        return TorchCall("dropout", (self.rate,), takes_training=True)\n'
    in_a_changed_copy(
        tmp_path,
        with_class("words", end, SHUFFLE, "Shuffle"),
        GOES_ALL_THE_WAY
        + REFUSES.format("shuffle", "shuffle1", "number of groups 1 is too small")
        + MISFITS,
        "conv3 4 pad1 shuffle2 bn relu\nconv1 4 skip shuffle2\ngap\nlinear 3",
        "ChannelShuffle(groups=2)",
        "nn.ChannelShuffle(2),;functional.channel_shuffle(x, 2)",
    )
