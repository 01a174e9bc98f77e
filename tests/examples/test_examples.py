from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run_example(name: str, folder: Path, *arguments: str) -> list[str]:
    """Run an example to its end in a folder of its own, as its docstring says; give its lines."""
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_study_from_python_runs_and_resumes(tmp_path: Path) -> None:
    """The study trains its trials and shows them as a frame; a second run trains none."""
    first = run_example("study_from_python.py", tmp_path, "studies")
    assert any(line.startswith("6 trials trained") for line in first)
    columns = ["outcome", "score", "cost_parameters", "params_recipe.learning_rate"]
    assert columns in [line.split() for line in first]
    assert (tmp_path / "studies" / "study.db").exists()
    again = run_example("study_from_python.py", tmp_path, "studies")
    assert not any(line.startswith("trial ") for line in again)
    assert again[-1] == first[-1]


def test_a_template_space_shows_what_candidates_cost(tmp_path: Path) -> None:
    """The candidates come with their cost, and the one that is built has what was counted."""
    lines = run_example("template_space.py", tmp_path)
    costs = [line for line in lines if "MACs" in line]
    assert costs
    fitting = [int(line.split()[0]) for line in costs if line.endswith("  fits")]
    (largest,) = [line for line in lines if line.startswith("the largest that fits")]
    assert f" {max(fitting)} parameters" in largest
    assert list(tmp_path.iterdir()) == []


def test_a_module_of_ones_own_learns(tmp_path: Path) -> None:
    """The module reaches the accuracy at which the example stops asking for epochs."""
    lines = run_example("train_own_module.py", tmp_path)
    accuracies = [
        float(found) for line in lines for found in re.findall(r"accuracy ([\d.]+)%", line)
    ]
    assert accuracies[-1] >= 99
    assert all(accuracy < 99 for accuracy in accuracies[:-1])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_use_the_public_names_alone(path: Path) -> None:
    """An example imports ``flyweight`` and none of its parts, and says how it is run."""
    text = path.read_text()
    assert f"\n    python examples/{path.name}" in (ast.get_docstring(ast.parse(text)) or "")
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.M))
    assert "flyweight" in imported
    assert imported.isdisjoint({"search", "space", "trainer"})


def test_every_example_is_run_here() -> None:
    """No example is left out of the tests above."""
    text = Path(__file__).read_text()
    assert all(f'run_example("{path.name}"' in text for path in EXAMPLES)
