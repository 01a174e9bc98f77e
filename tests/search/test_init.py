from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.cli.app import main
from search.errors import ExportError, InputError
from search.init import init, study_text
from search.spec.study_file import StudyFile
from search.validate import describe
from space.deployed.boards import boards
from trainer.data import DATASET_NAMES


@pytest.mark.parametrize("dataset", DATASET_NAMES)
def test_every_data_set_has_a_study_with_room(dataset: str, tmp_path: Path) -> None:
    """The file is valid, and some candidates of its space fit the budget."""
    path = init(dataset, tmp_path / "a.toml", parameters=8_000)
    file = StudyFile.load(path)
    assert file.budget.most_parameters == 8_000
    assert file.settings.dataset == dataset
    if dataset in ("digits", "cifar10"):
        assert not any("0 %" in line and "fit" in line for line in describe(path))


@pytest.mark.parametrize("board", boards())
def test_every_board_has_a_study(board: str, tmp_path: Path) -> None:
    """A board's memory is the limit, together with parameters where they are given."""
    file = StudyFile.load(init("mnist", tmp_path / "a.toml", board=board))
    assert file.budget.is_deployed
    assert file.budget.parameters is None
    both = StudyFile.load(init("mnist", tmp_path / "b.toml", board=board, parameters=5_000))
    assert both.budget.parameters == 5_000
    assert both.budget.is_deployed


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30
    ).filter(str.isprintable)
)
def test_a_path_of_any_name_can_be_read_again(path: str) -> None:
    """Whatever a folder is called, the study that is made for it can be read."""
    text = study_text(f"folder:{path}", "a", Path("a.toml"), parameters=None, board=None)
    assert tomllib.loads(text)["study"]["dataset"] == f"folder:{path}"


def test_names_say_data_and_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file the study and its file are called after data set and budget."""
    monkeypatch.chdir(tmp_path)
    assert init("folder:My Photos/Cats & dogs", parameters=2_500) == Path("cats-dogs-2-5k.toml")
    assert init("mnist", board="rpi-pico") == Path("mnist-rpi-pico.toml")
    assert init("digits") == Path("digits-20k.toml")


def test_what_is_wrong_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A data set or board that is not known, a bad name, a file that is there: one line each."""
    path = tmp_path / "a.toml"
    with pytest.raises(InputError, match=r'"mnits" is no data set .did you mean "mnist"'):
        init("mnits", path)
    with pytest.raises(InputError, match=r'"rpi-picoo" is no board that is known .did you mean'):
        init("mnist", path, board="rpi-picoo")
    with pytest.raises(ExportError, match="does not exist"):
        init("mnist", tmp_path / "no" / "a.toml")
    assert main(["init", "mnist", "--out", str(path), "--name", "Bad Name"]) == 2
    assert not path.exists()
    assert main(["init", "mnist", "--out", str(path)]) == 0
    assert main(["init", "mnist", "--out", str(path)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_next_command_can_be_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose name has spaces is one word in the command that comes next."""
    path = tmp_path / "my study.toml"
    assert main(["init", "digits", "--out", str(path)]) == 0
    command = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ")
    assert shlex.split(command) == ["flyweight", "validate", str(path)]
