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
    added = '    ActivationEntry("gelu", "GELU", "gelu"),\n'
    drawn = """
section = {"activation": "gelu", "width": 4, "stages": 1, "convs": 1}
space = SearchSpace.from_section(section, input_shape=(2, 8, 8), classes=3)
assert "gelu" in str(space.suggest(None).architecture)
try:
    Layer.parse("nonsense")
except ValueError as error:
    assert " gelu " in str(error)
else:
    raise AssertionError
"""
    in_a_changed_copy(
        tmp_path,
        {"layers/activations.py": (last, last + added)},
        GOES_ALL_THE_WAY + drawn,
        "conv3 6 pad1 gelu bn\nconv3 6 pad1 skip gelu\ngap\nlinear 3",
        "GELU(approximate='none')",
        "nn.GELU(),;functional.gelu(x)",
    )
