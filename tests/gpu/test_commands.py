from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.gpu import bench, command, study, suite
from tests.gpu.bench import Benchmark
from tests.gpu.card import default_folder
from tests.gpu.command import Situation, add_options, run_parts
from tests.gpu.parts import Part, Result, Turn
from tests.gpu.places import ROOT, TRIED
from tests.gpu.study import difference

PAGE = (ROOT / "docs" / "gpu.md").read_text()
MNIST = pytest.mark.skipif("FLYWEIGHT_DATA" not in os.environ, reason="FLYWEIGHT_DATA is not set")


def options(*arguments: str) -> argparse.Namespace:
    """The options that every command has, read."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(["--device", "cpu", *arguments])


def parts(_: Situation) -> list[Part]:
    """One part that ends, and one that fails."""

    def end(_: Turn) -> Iterator[Result]:
        yield {"third": 1 / 3}

    def fail(_: Turn) -> Iterator[Result]:
        raise RuntimeError("no such kernel")
        yield {}

    return [Part("good", "ends", end), Part("bad", "fails", fail)]


def test_the_exit_code_says_whether_a_part_failed(tmp_path: Path) -> None:
    """It is 1 after a failure, 0 without, 2 for a part or a device that there is not."""
    out = ["--out", str(tmp_path)]
    assert run_parts("bench", options(*out), parts, {}) == 1
    assert run_parts("bench", options(*out, "--parts", "go"), parts, {}) == 0
    assert run_parts("bench", options(*out, "--parts", "best"), parts, {}) == 2
    assert run_parts("bench", options(*out, "--device", "abacus"), parts, {}) == 2
    assert run_parts("bench", options(*out, "--limit", "0", "--parts", "bad"), parts, {}) == 0


def test_a_lost_card_is_found_again_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a failure has cost this process its card, another one takes the parts behind it."""

    def fail(_: Turn) -> Iterator[Result]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
        yield {}

    names = [part.name for part in Benchmark(torch.device("cpu"), None, 1).parts()]
    left = [name for name in names if name in ("streams", "memory")]
    parts = [Part("nodes", "", fail), *(Part(name, "", fail) for name in left)]
    given = ["--device", "cpu", "--out", str(tmp_path)]
    monkeypatch.setattr(command, "still_works", lambda _: False)
    monkeypatch.setattr(sys, "argv", ["bench", *given])
    assert run_parts("bench", options(*given), lambda _: parts, {}) == 1
    (path,) = tmp_path.iterdir()
    kept = json.loads(path.read_text())["parts"]
    assert {name: part["state"] for name, part in kept.items()} == {
        "nodes": "failed",
        "streams": "skipped",
        "memory": "skipped",
    }


def test_the_file_has_the_devices_name_and_says_where_figures_are_from(tmp_path: Path) -> None:
    """Every part has its machine, versions and commit; numbers are kept to six digits."""
    run_parts("bench", options("--out", str(tmp_path)), parts, {"batches": 3})
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"[a-z0-9-]+-bench\.json", path.name)
    kept = json.loads(path.read_text())
    origin = kept["parts"]["good"]["origin"]
    assert kept["card"] == origin["card"]
    assert origin["versions"]["torch"] == torch.__version__
    assert origin["settings"] == {"batches": 3}
    assert {"commit", "date", "cores", "processor", "command", "device"} <= origin.keys()
    assert kept["parts"]["good"]["result"] == {"third": 0.333333}


def test_results_of_no_card_do_not_lie_where_they_are_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A CPU's, and those of a stand-in, go to the folder that git ignores."""
    assert default_folder(torch.device("cpu")) == TRIED
    for name, committed in (("Hollow H100", False), ("NVIDIA H100 80GB HBM3", True)):
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _, name=name: name)
        assert (default_folder(torch.device("cuda", 0)) != TRIED) is committed
    ignored = [str(TRIED / "file.json"), "tests/benchmarks/results/gpu/a-card-study-abc.db"]
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    git = subprocess.run(["git", "check-ignore", *ignored], cwd=ROOT, capture_output=True)
    assert git.stdout.decode().split() == ignored


@MNIST
def test_the_benchmark_runs_on_a_cpu_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parts are measured once, and what needs CUDA is skipped with that reason."""
    arguments = ["--device", "cpu", "--out", str(tmp_path), "--batches", "1", "--steps", "1"]
    arguments += ["--parts", "training-seed001-eager", "nodes", "alignment"]
    assert bench.main(arguments) == 0
    assert "alignment: done\n" in capsys.readouterr().err
    assert bench.main(arguments) == 0
    assert "alignment: done before\n" in capsys.readouterr().err
    (path,) = tmp_path.iterdir()
    kept: dict[str, Any] = json.loads(path.read_text())["parts"]
    assert {name: part["state"] for name, part in kept.items()} == {
        "training-seed001-eager": "done",
        "nodes": "skipped",
        "alignment": "done",
    }
    assert kept["nodes"]["error"] == "cpu has no CUDA graphs"
    assert kept["training-seed001-eager"]["result"]["backend"] == "eager"
    assert list(kept["alignment"]["result"]) == ["12,16", "13,15", "14,14", "16,16"]


@given(st.lists(st.floats(90, 100), min_size=2), st.lists(st.floats(90, 100), min_size=2))
def test_the_difference_of_two_sides(card: list[float], cpu: list[float]) -> None:
    """It turns its sign with the sides, its error does not, and one run has none."""
    found, turned = difference(card, cpu), difference(cpu, card)
    assert found["difference"] == pytest.approx(fmean(card) - fmean(cpu))
    assert turned["difference"] == -found["difference"]
    assert turned["standard_error"] == pytest.approx(found["standard_error"])
    assert difference(card[:1], cpu) == difference(card, []) == {}


def test_every_option_is_described() -> None:
    """The table has each option of the commands, and no others."""
    described = re.findall(r"`(--[a-z]+)[^`]*`", "".join(re.findall(r"^\| `--[^|]*\|", PAGE, re.M)))
    shown = [module.make_parser().format_help() for module in (bench, study, suite)]
    assert set(described) == set(re.findall(r"--[a-z]+", " ".join(shown))) - {"--help"}


def test_every_part_is_described() -> None:
    """The page has a line for each part of the benchmark and of the study, and no others."""
    tables = PAGE.split("### gpu-bench")[1].split("\n## ")[0]
    described = re.findall(r"^\| `([^`]+)` \|", tables, re.M)
    names = [part.name for part in Benchmark(torch.device("cuda", 0), None, 1).parts()]
    kinds = [re.sub(r"^training-\w+-\w+$", "training-NET-BACKEND", name) for name in names]
    assert described == [*dict.fromkeys(kinds), "accuracy", "search"]


def test_every_target_is_described() -> None:
    """The page shows each target of the Makefile that has to do with a card."""
    targets = re.findall(r"^(gpu-\w+):", (ROOT / "Makefile").read_text(), re.M)
    assert {f"make {target}" for target in targets if target != "gpu-unpack"} == set(
        re.findall(r"make gpu-\w+", PAGE)
    )
