"""The page on adding parts, done: its edits are made in a copy, and the parts used from there."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text()
COPIED = ("flyweight", "search", "space", "trainer")

EDIT = re.compile(
    r"^<!-- (?P<file>\S+), (?P<how>new|after|before|instead of)(: (?P<place>.+?))? -->\n"
    r"```\w+\n(?P<text>.*?)^```$",
    re.M | re.S,
)

KERNEL_STUDY = """
[study]
name = "kernel"
dataset = "digits"
floor_epochs = 1
trials = 2
seeds_per_candidate = 2
sampler = "random"
pruner = "none"

[budget]
parameters = 3_000

[space]
stages = 1
convs = 1
width = 8
padding = "same"
activation = ["mish"]

[recipe]
epochs = 1
"""
"""A study whose only new part is the activation, so that the kernels can train it."""

WRONG_STUDY = """
[study]
name = "wrong"
dataset = "wrong-dataset"
sampler = "wrong-sampler"
pruner = "wrong-pruner"

[budget]
parameters = 3_000

[space]
width = 8
activation = "wrong-activation"

[recipe]
optimizer = "wrong-optimizer"
schedule = "wrong-schedule"

[[recipe.augment]]
kind = "wrong-augmentation"
"""

WRONG_LAYER = """
[study]
name = "wrong-layer"
dataset = "digits"

[budget]
parameters = 3_000

[space]
layers = ["conv3 8 wronglayer", "gap", "linear 10"]
"""

COMPARE = """
import json, sys
import torch
from safetensors import safe_open
from torch import nn
from space import Architecture, build
from trainer.batches import normalise
from trainer.data import Normalisation, open_dataset
from trainer.native.network import CompiledNetwork
from trainer.weights import FlatWeights

sys.path.insert(0, "exports/shapes")
from shapes import CLASSES, load

test = open_dataset("shapes", ".").test()
images = test.pixels / 255
with torch.inference_mode():
    exported = load()(images)

network = build(Architecture.parse(open("exports/shapes/state-dict/layers.txt").read())).eval()
with safe_open("exports/shapes/state-dict/weights.safetensors", "pt") as file:
    about = file.metadata()
    network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})
scale = json.loads(about["normalisation"])
normalisation = Normalisation(tuple(scale["mean"]), tuple(scale["std"]))
with torch.inference_mode():
    torch.testing.assert_close(network(normalise(images, normalisation)), exported)
assert tuple(json.loads(about["classes"])) == CLASSES == ("diamond", "disc", "square")
accuracy = float((exported.argmax(1) == test.labels).float().mean())

layers = nn.Conv2d(1, 5, 3), nn.Mish(), nn.Conv2d(5, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
module = nn.Sequential(*layers)
weights = FlatWeights(module)
gradients = weights.make_gradient()
pixels, upstream = 12 * torch.randn(40, 1, 9, 9), torch.randn(40, 3)
kernels = CompiledNetwork(module, (1, 9, 9), gradients, 40, 1)
logits = module(pixels)
torch.testing.assert_close(kernels.forward(pixels, 0), logits, rtol=1e-4, atol=1e-4)
kernels.backward(upstream)
for parameter, wanted in zip(
    module.parameters(), torch.autograd.grad(logits, list(module.parameters()), upstream)
):
    torch.testing.assert_close(gradients[parameter], wanted, rtol=1e-3, atol=1e-3)
print(json.dumps({"accuracy": accuracy}))
"""
"""Loads both exports, and holds the new kernel against torch; prints the test accuracy."""


@dataclass(frozen=True)
class Done:
    """A process that has ended: its exit code, and all that it printed on both streams."""

    code: int
    text: str


@dataclass(frozen=True)
class Extended:
    """A copy of the packages with all new parts, and what the commands in it have left."""

    folder: Path
    done: dict[str, Done]

    def succeeded(self, what: str) -> str:
        """What a command printed that must have succeeded."""
        assert self.done[what].code == 0, self.done[what].text
        return self.done[what].text

    def known(self, wrong: str) -> set[str]:
        """All words by which a command complains of a wrong name: those that it lists."""
        told = "\n".join(self.done[what].text for what in ("validate", "wrong format"))
        (complaint,) = re.findall(rf'"{wrong}" is not (.+)', told)
        return set(re.findall(r"[\w-]+", complaint))

    def study(self, name: str) -> optuna.Study:
        """A study as plain Optuna reads it."""
        self.succeeded(f"run {name}")
        storage = f"sqlite:///{self.folder / 'studies' / 'study.db'}"
        return optuna.load_study(study_name=name, storage=storage)

    @cached_property
    def trials(self) -> list[dict[str, Any]]:
        """The attributes of each trained trial of the study with all parts."""
        attributes = [trial.user_attrs for trial in self.study("shapes").get_trials()]
        trained = [kept for kept in attributes if "recipe" in kept and "seconds" in kept]
        assert len(trained) == 3
        return trained

    @cached_property
    def sections(self) -> dict[str, Any]:
        """The sections of that study as it is stored."""
        stored: dict[str, Any] = self.study("shapes").user_attrs["flyweight"]
        return stored


def edit(folder: Path) -> None:
    """Make all edits of the page in a folder."""
    for found in EDIT.finditer(PAGE):
        path, text = folder / found["file"], found["text"]
        if found["how"] == "new":
            assert not path.exists(), path
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            continue
        old = path.read_text()
        pattern = r"\s+".join(map(re.escape, found["place"].split()))
        places = list(re.finditer(rf"^[ \t]*{pattern}.*\n", old, re.M))
        assert len(places) == 1, (path, found["place"], places)
        start, end = places[0].span()
        blank = re.search(r"\n(\n*)\Z", old[:start])
        match found["how"]:
            case "after":
                new = old[:end] + text + old[end:]
            case "before":  # with as many blank lines between as there were
                new = old[:start] + text + (blank[1] if blank else "") + old[start:]
            case _:
                new = old[:start] + text + old[end:]
        path.write_text(new)


def extend(folder: Path) -> dict[str, Done]:
    """Copy the packages, make the edits of the page and use all parts, in fresh processes."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    edit(folder)
    others = {"kernel": KERNEL_STUDY, "wrong": WRONG_STUDY, "wrong-layer": WRONG_LAYER}
    for name, text in others.items():
        (folder / "studies" / f"{name}.toml").write_text(text)
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "COLUMNS": "1000",
    }

    def python(*arguments: str) -> Done:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def flyweight(*arguments: str) -> Done:
        return python("-m", "flyweight", *arguments)

    studies = [f"studies/{name}.toml" for name in ("shapes", *others)]
    exported = ("export", "shapes", "--out", "exports/shapes", "--format")
    with ThreadPoolExecutor(2) as pool:
        started = {
            "run kernel": pool.submit(flyweight, "run", studies[1], "--workers", "1"),
            "run shapes": pool.submit(flyweight, "run", studies[0], "--workers", "1"),
            "validate": pool.submit(flyweight, "validate", *studies),
            "wrong format": pool.submit(flyweight, *exported, "wrong-format"),
        }
        done = {name: future.result() for name, future in started.items()}
    done["export"] = flyweight(*exported, "torch,state-dict")
    done["compare"] = python("-c", COMPARE)
    return done


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Extended:
    """One copy for all tests, made by the first process that needs it where several run them."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, kept = shared / "extended", shared / "extended.json"
    with FileLock(shared / "extended.lock"):
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            done = extend(folder)
            kept.write_text(json.dumps({name: asdict(it) for name, it in done.items()}))
    done = {name: Done(**it) for name, it in json.loads(kept.read_text()).items()}
    return Extended(folder, done)


def test_the_studies_are_valid(extended: Extended) -> None:
    """Of all files that are validated only the wrong ones are complained of."""
    assert extended.done["validate"].code == 2
    told = extended.done["validate"].text
    assert re.findall(r"^studies/(.+)\.toml: ok$", told, re.M) == ["shapes", "kernel"]
    complaints = re.findall(r"^flyweight: studies/(.+)\.toml: ", told, re.M)
    assert set(complaints) == {"wrong", "wrong-layer"}


def test_what_the_page_shows_is_clean(extended: Extended) -> None:
    """The new code passes the linter and is formatted as all other code."""
    for command in (("check",), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *COPIED],
            cwd=extended.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_every_table_of_the_page_is_there() -> None:
    """Each table that the page names is one, in the file that it names."""
    rows = re.findall(r"^\| an? \[.+\| `(\w+)` \| `(.+)\.py` \|$", PAGE, re.M)
    assert len(rows) == 9
    for name, file in rows:
        assert len(getattr(importlib.import_module(file.replace("/", ".")), name)) > 0


def test_every_use_on_the_page_is_in_the_study() -> None:
    """Each line that the page shows as the use of a part is one of a study that is run here."""
    *uses, study = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.S)]
    keys = {**study["study"], **study["space"], **study["recipe"]}
    kernel = tomllib.loads(KERNEL_STUDY)["space"]
    assert len(uses) == 8
    for use in uses:
        if "activation" in use:
            assert set(kernel["activation"]) <= set(use["activation"])
        elif "recipe" in use:
            assert use["recipe"] == {"augment": study["recipe"]["augment"]}
        else:
            assert use.items() <= keys.items()


def test_an_activation(extended: Extended) -> None:
    """Mish is drawn by stages and by template, in the exported source, and listed."""
    drawn = extended.study("kernel").get_trials()
    assert all("mish" in trial.user_attrs["architecture"] for trial in drawn)
    assert all("mish" in kept["architecture"] for kept in extended.trials)
    assert "nn.Mish()" in (extended.folder / "exports/shapes/shapes/network.py").read_text()
    assert "mish" in extended.known("wrong-activation")


def test_a_kernel(extended: Extended) -> None:
    """The compiled kernels train the new activation, with torch's values and gradients."""
    extended.succeeded("compare")
    trials = extended.study("kernel").get_trials()
    assert [trial.user_attrs["path"] for trial in trials] == ["compiled"] * 2


def test_a_layer(extended: Extended) -> None:
    """The channel shuffle is in the trained networks, in the exported source, and listed."""
    assert all("shuffle4" in kept["architecture"] for kept in extended.trials)
    source = (extended.folder / "exports/shapes/shapes/network.py").read_text()
    assert "nn.ChannelShuffle(4)" in source
    assert "shuffle" in extended.known("wronglayer")


def test_an_optimizer(extended: Extended) -> None:
    """RMSprop is in every trial's recipe, and listed."""
    assert {kept["recipe"]["optimizer"] for kept in extended.trials} == {"rmsprop"}
    assert "rmsprop" in extended.known("wrong-optimizer")


def test_a_schedule(extended: Extended) -> None:
    """The linear schedule is in every trial's recipe with its key, and listed."""
    recipes = [kept["recipe"] for kept in extended.trials]
    assert {(recipe["schedule"], recipe["warmup"]) for recipe in recipes} == {("linear", 0.1)}
    assert "linear" in extended.known("wrong-schedule")


def test_an_augmentation(extended: Extended) -> None:
    """The erased square is in every trial's recipe, its size searched, and it is listed."""
    steps = [step for kept in extended.trials for step in kept["recipe"]["augment"]]
    assert {step["kind"] for step in steps} == {"erase"}
    assert len({step["size"] for step in steps}) == 3
    assert "erase" in extended.known("wrong-augmentation")


def test_a_data_set(extended: Extended) -> None:
    """The shapes are learned, described in the exported README, and listed."""
    assert extended.sections["data"]["name"] == "shapes"
    assert json.loads(extended.succeeded("compare").splitlines()[-1])["accuracy"] > 0.5
    card = (extended.folder / "exports/shapes/shapes/README.md").read_text()
    assert "image = (5 - torch.hypot(axis, axis[:, None])).clamp(0, 1)[None]" in card
    assert "shapes" in extended.known("wrong-dataset")


def test_a_sampler(extended: Extended) -> None:
    """The stored study names the Gaussian process, and it is listed."""
    assert extended.sections["file"]["study"]["sampler"] == "gp"
    assert "gp" in extended.known("wrong-sampler")


def test_a_pruner(extended: Extended) -> None:
    """The stored study names the pruner by percentile, and it is listed."""
    assert extended.sections["file"]["study"]["pruner"] == "percentile"
    assert "percentile" in extended.known("wrong-pruner")


def test_an_export_format(extended: Extended) -> None:
    """Its two files are there, give the package's logits, and the format is listed."""
    assert "the weights and the layers" in extended.succeeded("export")
    extended.succeeded("compare")
    written = {path.name for path in (extended.folder / "exports/shapes/state-dict").iterdir()}
    assert written == {"weights.safetensors", "layers.txt"}
    assert "state-dict" in extended.known("wrong-format")
