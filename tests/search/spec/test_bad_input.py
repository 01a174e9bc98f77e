"""What users get wrong, through the command line: one clear line, exit code 2, nothing lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import optuna
import pytest

from search.cli.app import main
from tests.search.small_studies import STAGES, begun, search_here, url_in, write_study


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a refused command says."""
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.startswith("flyweight: ")
    assert said.count("\n") == 1
    return said


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"dataset": "mnits"}, "study.dataset"),
        ({"trials": "true"}, "study.trials"),
        ({"parameters": -5}, "budget.parameters"),
        ({"parameters": 0}, "budget.parameters"),
        ({"parameters": 20}, "budget.parameters"),
        ({"space": "stages = []\nwidth = 8"}, "space.stages"),
        ({"space": "width = { low = 9, high = 4 }"}, "space.width"),
        ({"space": "width = 8\nwidht = 9"}, "space.widht"),
        ({"learning_rate": '"fast"'}, "recipe.learning_rate"),
        ({"learning_rate": "{ low = 0.1, high = 1, step = 1e-300 }"}, "recipe.learning_rate"),
        ({"dataset": "folder:a\\n\\u001b[31m"}, "study.dataset"),
        ({"dataset": "folder: "}, "study.dataset"),
        ({"space": "width = 8\nskip = true"}, "space.skip"),
        ({"sampler": "tpee"}, "study.sampler"),
    ],
)
def test_a_wrong_study_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], values: dict[str, object], key: str
) -> None:
    """Before anything starts the line names the file and the key, and no database is made."""
    path = write_study(tmp_path, **values)
    said = _refused(capsys, "run", str(path))
    assert f"{path.name}: {key}: " in said
    assert not (tmp_path / "studies").exists()


@pytest.mark.usefixtures("_here")
def test_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing study file, and one that is no TOML, are named."""
    assert "nope.toml" in _refused(capsys, "run", "nope.toml")
    (tmp_path / "broken.toml").write_text("[study\n")
    assert "line 1" in _refused(capsys, "run", "broken.toml")


@pytest.mark.usefixtures("_here")
def test_databases_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No database, another program's, a missing one and no URL are each refused and unchanged."""
    study = str(write_study(tmp_path))
    (tmp_path / "text.db").write_text("no database at all, but long enough for a header" * 9)
    before = (tmp_path / "text.db").read_bytes()
    assert "not an SQLite database" in _refused(
        capsys, "run", study, "--storage", "sqlite:///text.db"
    )
    assert (tmp_path / "text.db").read_bytes() == before
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")
    connection.close()
    assert "another program" in _refused(capsys, "run", study, "--storage", "sqlite:///other.db")
    assert "none.db does not exist" in _refused(capsys, "status", "--storage", "sqlite:///none.db")
    assert "not a database URL" in _refused(capsys, "run", study, "--storage", "nonsense")


@pytest.mark.usefixtures("_here")
def test_one_wrong_key_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that is refused is not compared with others as if it were there."""
    path = write_study(tmp_path, epochs=1)
    path.write_text(path.read_text().replace("floor_epochs = 1", "floor_epochs = 0"))
    assert "0 is too small" in _refused(capsys, "run", str(path))
    path.write_text(path.read_text().replace("floor_epochs = 0\n", ""))
    assert "5, the default, is more than" in _refused(capsys, "run", str(path))


@pytest.mark.usefixtures("_here")
def test_databases_of_plain_optuna(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A study of that name that is not ours is refused, and its database stays as it was."""
    study = str(write_study(tmp_path))
    for name, directions in (("one", ["maximize"]), ("two", ["minimize", "maximize"])):
        url = f"sqlite:///{name}.db"
        plain = optuna.create_study(study_name="tiny", storage=url, directions=directions)
        plain.tell(plain.ask(), [0.0] * len(directions))
        before = (tmp_path / f"{name}.db").read_bytes()
        for command in (("run", study), ("status", "tiny"), ("export", "tiny", "--out", "net")):
            assert "not made by flyweight" in _refused(capsys, *command, "--storage", url)
        assert "has no study yet" in _refused(capsys, "status", "--storage", url)
        assert (tmp_path / f"{name}.db").read_bytes() == before


@pytest.mark.usefixtures("_here")
def test_damaged_databases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that is missing, or a study that cannot be read, is named; nothing is made anew."""
    study = str(write_study(tmp_path))
    begun(tmp_path)
    file = tmp_path / "studies" / "study.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE study_user_attributes SET value_json = '{}'")
    connection.close()
    for command in (("run", study), ("status", "tiny")):
        assert "settings are damaged" in _refused(capsys, *command)
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE trial_user_attributes")
    connection.close()
    for command in (("run", study), ("status",), ("export", "tiny", "--out", "net")):
        assert "lacks the table trial_user_attributes" in _refused(capsys, *command)


@pytest.mark.usefixtures("_here")
def test_places_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names too long, of another driver, empty files and line breaks are each one line."""
    study = str(write_study(tmp_path))
    long = f"sqlite:///{'a' * 300}.db"
    for command in (("run", study), ("status",)):
        assert "too long" in _refused(capsys, *command, "--storage", long)
    other = "sqlite+pysqlcipher:///x.db"
    assert "write it as sqlite:///" in _refused(capsys, "run", study, "--storage", other)
    assert not (tmp_path / "x.db").exists()
    (tmp_path / "empty.db").touch()
    empty = ("--storage", "sqlite:///empty.db")
    assert "has no study yet" in _refused(capsys, "status", "tiny", *empty)
    assert r"a\nb" in _refused(capsys, "status", "--storage", "sqlite:///a\nb/s.db")


@pytest.mark.usefixtures("_here")
def test_options_name_what_they_refuse(capsys: pytest.CaptureFixture[str]) -> None:
    """An option out of its range is named with the value that it was given."""
    said = _refused(capsys, "run", "a.toml", "--trials", "-3")
    assert "--trials" in said
    assert "-3" in said


@pytest.mark.usefixtures("_here")
def test_data_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with one class, a missing one and nobody's home are refused by their paths."""
    (tmp_path / "one" / "only").mkdir(parents=True)
    for folder in ("one", "missing"):
        study = write_study(tmp_path, name=folder, dataset=f"folder:{folder}")
        assert folder in _refused(capsys, "run", str(study))
    study = write_study(tmp_path, dataset="folder:~nobody-at-all/images")
    assert "~nobody-at-all" in _refused(capsys, "run", str(study))
    assert not (tmp_path / "studies").exists()


@pytest.mark.usefixtures("_here")
def test_devices_that_do_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A device that this machine lacks is refused before the study begins."""
    study = str(write_study(tmp_path))
    assert "cuda:99" in _refused(capsys, "run", study, "--device", "cuda:99")
    assert "abacus" in _refused(capsys, "run", study, "--device", "abacus")
    assert not (tmp_path / "studies").exists()


@pytest.mark.usefixtures("_here")
def test_a_study_that_goes_on_as_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another budget, space or data set is refused, naming what differs."""
    begun(tmp_path)
    for values, key in (
        # Before its images are looked for, which are not there.
        ({"dataset": "mnist"}, "study.dataset"),
        ({"parameters": 1_400}, "budget.parameters"),
        ({"space": STAGES.replace("24", "20")}, "space.width"),
        ({"epochs": 3}, "recipe.epochs"),
    ):
        study = write_study(tmp_path, **values)
        assert key in _refused(capsys, "run", str(study))


@pytest.mark.usefixtures("_here")
def test_exports_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such trial, a rejected one, and a folder that is not ours are refused and left alone."""
    stored = begun(tmp_path, parameters=400)
    search_here(stored, 1)
    storage = ("--storage", url_in(tmp_path))
    assert "no trial 999" in _refused(
        capsys, "export", "tiny", "--out", "net", "--trial", "999", *storage
    )
    rejected = [record.number for record in stored.records() if record.outcome == "rejected"]
    assert rejected, "the budget rejects something"
    number = str(rejected[0])
    assert "rejected" in _refused(
        capsys, "export", "tiny", "--out", "net", "--trial", number, *storage
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    assert "mine" in _refused(capsys, "export", "tiny", "--out", "mine", *storage)
    assert (tmp_path / "mine" / "diary.txt").read_text() == "dear diary"
    for name in ("search", "__init__", "a\nb"):
        assert "cannot be the name" in _refused(capsys, "export", "tiny", "--out", name, *storage)
