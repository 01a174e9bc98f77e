from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from search.cli.app import app, main
from tests.search.ladder_texts import GOOD as LADDER
from tests.search.small_studies import (
    HARDLY_EVER_FITS,
    STAGES,
    begun,
    flyweight,
    reopened,
    wait_for,
    write_study,
)

BROKEN = '"conv3 8", "maxpool2", "conv7 10", "gap"'
COMMANDS = sorted(
    command.name or command.callback.__name__
    for command in app.registered_commands
    if command.callback is not None
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands work in an empty folder; the handlers that they set are put back."""
    monkeypatch.chdir(tmp_path)
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def _dump() -> list[str]:
    connection = sqlite3.connect("studies/study.db")
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` prints the version and nothing else."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{version('flyweight')}\n"


def test_the_designed_commands_are_there() -> None:
    """No command of the design is missing."""
    assert set(COMMANDS) == {
        "calibrate",
        "compare",
        "data",
        "explain",
        "init",
        "report",
        "run",
        "schema",
        "show",
        "status",
        "dashboard",
        "confirm",
        "export",
        "ladder",
        "predict",
        "replay",
        "validate",
    }
    assert [group.name for group in app.registered_groups] == ["studies"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` of each command says what it does and what each option is for."""
    assert main([command, "--help"]) == 0
    words = capsys.readouterr().out
    assert "Usage: flyweight" in words
    assert "--storage" in words or command in ("init", "ladder", "predict", "schema", "validate")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run"], "STUDY.toml"),
        (["run", "none.toml"], "none.toml"),
        (["run", "tiny.toml", "--trials", "0"], "--trials"),
        (["run", "tiny.toml", "--wrong"], "--wrong"),
        (["run", "tiny.toml", "--device", "cuda:99"], "cuda:99"),
        (["run", "tiny.toml", "--storage", "tiny.toml"], "tiny.toml"),
        (["run", "tiny.toml", "--storage", "sqlite:///tiny.toml"], "not an SQLite database"),
        (["run", "bad.toml"], "bad.toml"),
        (["run", "none.db"], "none.db"),
        (["status"], "study.db"),
        (["confirm", "tiny"], "study.db"),
        (["confirm", "tiny.toml"], "study.db"),
        (["ladder"], "LADDER.toml"),
        (["ladder", "none.toml"], "none.toml"),
        (["ladder", "tiny.toml"], "flyweight run"),
        (["run", "ladder.toml"], "flyweight ladder"),
        (["ladder", "ladder.toml", "--step", "rotatoin"], 'did you mean "rotation"'),
        (["ladder", "ladder.toml", "--seeds", "0"], "--seeds"),
        (["ladder", "ladder.toml", "--epochs", "1"], "--epochs"),
        (["ladder", "ladder.toml", "--parameters", "5"], "give at least 152"),
        (["ladder", "ladder.toml", "--device", "cuda:99"], "cuda:99"),
        (["ladder", "ladder.toml", "--csv", "nowhere/a.csv"], "the folder nowhere does not exist"),
        (["ladder", "ladder.toml", "--markdown", "."], "is a folder"),
        (["ladder", "twice.toml"], "is the name of step 1 already"),
        (["ladder", "shape.toml"], "line 3"),
        (["ladder", "word.toml"], "conv3x"),
        (["nothing"], "nothing"),
    ],
)
def test_bad_input_is_one_line_and_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error is one line that names what is wrong, without a traceback, and leaves no file."""
    write_study(Path.cwd())
    Path("bad.toml").write_text("[study\n")
    Path("ladder.toml").write_text(LADDER)
    Path("twice.toml").write_text(LADDER.replace('"rotation"', '"skeleton"'))
    Path("shape.toml").write_text(LADDER.replace('"conv3 8 relu", "conv1 10", "gap"', BROKEN))
    Path("word.toml").write_text(LADDER.replace("conv3 8 relu", "conv3x 8 relu"))
    assert main(arguments) == 2
    words = capsys.readouterr().err
    assert named in words
    assert words.startswith("flyweight: ")
    assert words.count("\n") == 1
    assert not Path("studies", "study.db").exists()


def test_all_problems_of_a_file_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A study file with several mistakes gives one line for each of them."""
    path = write_study(Path.cwd(), sampler="guess", epochs=0, parameters=-1)
    assert main(["run", str(path)]) == 2
    words = capsys.readouterr().err
    assert "study.sampler" in words
    assert "recipe.epochs" in words
    assert "budget.parameters" in words
    assert "Traceback" not in words


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    """``--debug`` adds the traceback to the line."""
    assert main(["run", "none.toml", "--debug"]) == 2
    words = capsys.readouterr().err
    assert "Traceback" in words
    assert words.splitlines()[-1].startswith("flyweight: ")


def test_a_mistake_of_ours_is_one_line_and_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody expected is told in one line too, with a hint at ``--debug``."""

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("over\ntwo lines")

    monkeypatch.setattr("search.run.command.run", fails)
    assert main(["run", "none.toml"]) == 1
    words = capsys.readouterr().err
    assert words.count("\n") == 1
    assert "ZeroDivisionError" in words
    assert "--debug" in words


def test_a_study_that_differs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Running a changed file ends with 2, names the difference and changes nothing."""
    begun(tmp_path)
    before = _dump()
    path = write_study(tmp_path, space=STAGES.replace("high = 24", "high = 23"), epochs=4)
    assert main(["run", str(path), "--device", "cpu"]) == 2
    words = capsys.readouterr().err
    assert "space.width" in words
    assert "recipe.epochs" in words
    assert words.count("\n") == 1
    assert _dump() == before


def test_a_space_over_the_budget_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A budget that no candidate can keep to is refused before there is a study."""
    path = write_study(tmp_path, parameters=10)
    assert main(["run", str(path)]) == 2
    assert "no candidate of this space has fewer than" in capsys.readouterr().err
    assert not Path("studies").exists()


def test_a_study_without_a_score_cannot_be_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a trial has completed confirm says what to do first."""
    begun(tmp_path)
    assert main(["confirm", "tiny"]) == 2
    assert "use flyweight run first" in capsys.readouterr().err


@pytest.mark.usefixtures("warm_workers")
def test_minutes_and_seconds_are_one_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A limit in minutes ends the run like one in seconds; both at once are refused."""
    path = str(write_study(tmp_path))
    assert main(["run", path, "--minutes", "1", "--timeout", "60"]) == 2
    assert "give one of them" in capsys.readouterr().err
    assert main(["run", path, "--minutes", "0", "--workers", "1", "--device", "cpu"]) == 0
    assert "run the same command to resume" in capsys.readouterr().out


@pytest.mark.usefixtures("warm_workers")
def test_a_run_tells_its_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is done prints a line for each trial, its best with layers, and what is next."""
    path = write_study(tmp_path, parameters=100_000, epochs=1, trials=2)
    assert main(["run", str(path), "--workers", "2", "--device", "cpu"]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    lines = output.splitlines()
    assert sum(line.startswith("trial ") for line in lines) == 2
    assert "tiny: 2 trained, 0 rejected" in output
    assert "best: trial" in output
    assert lines[-1] == f"next: flyweight confirm {path}"


@pytest.mark.slow
def test_a_budget_that_nothing_keeps_to_ends_the_run(tmp_path: Path) -> None:
    """After 1,000 rejections in a row the run ends with 1 and tells the smallest seen."""
    path = write_study(tmp_path, space=HARDLY_EVER_FITS, parameters=100, sampler="random", trials=1)
    process = flyweight(tmp_path, "run", str(path), "--workers", "2", "--device", "cpu")
    wait_for(lambda: (tmp_path / "studies" / "study.db").exists(), "the study begins")
    _, errors = process.communicate(timeout=3_600)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    smallest = min(record.parameters or 0 for record in reopened(tmp_path).records())
    assert "1,000 candidates in a row did not fit the budget" in errors
    assert f"{smallest:,} parameters (budget 100)" in errors
