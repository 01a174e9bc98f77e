from __future__ import annotations

import dataclasses
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from search.cli.app import app
from search.spec.budget import Budget
from search.spec.recipe_space import DEFAULTS
from search.spec.study_file import StudyFile
from search.spec.study_settings import StudySettings
from search.spec.target import Target
from search.strategies.pruners import PRUNERS
from search.strategies.samplers import SAMPLERS
from space.architecture import Architecture
from space.deployed.boards import boards
from space.layers.activations import ACTIVATIONS
from space.layers.spelling import FLAG_MODIFIERS, NUMBERED_MODIFIERS
from space.layers.vocabulary import WORDS
from space.search_space import SearchSpace
from space.stages.fields import HEADS, STAGE_FIELDS
from trainer.augment import STEP_KINDS, step_defaults
from trainer.data import DATASET_FORMS
from trainer.optim.optimizers import OPTIMIZERS
from trainer.optim.schedules import SCHEDULES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STUDY_FILES = (ROOT / "docs" / "study-files.md").read_text()
LAYERS = (ROOT / "docs" / "layers.md").read_text()

A_STUDY = '[study]\nname = "a"\ndataset = "mnist"\n[budget]\nparameters = 100_000\n'


def _blocks(kind: str) -> list[tuple[str, str]]:
    """Every block of one kind that uses what there is, with the page that has it."""
    return [
        (page.name, text)
        for page in PAGES
        if page.name != "extending.md" or kind == "sh"
        for text in re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(), re.S | re.M)
    ]


def _rows(heading: str) -> Iterator[list[str]]:
    """The cells of the tables below a heading, up to the next of its level."""
    level = heading.split()[0]
    after = STUDY_FILES.split(f"\n{heading}\n", 1)[1]
    section = re.split(rf"^{level} |^## ", after, maxsplit=1, flags=re.M)[0]
    for line in section.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip()[1:-1].split("|")]


def _table(heading: str) -> dict[str, list[str]]:
    """The rows of keys below a heading, by key."""
    rows = [cells for cells in _rows(heading) if "`" in cells[0] and len(cells) == 3]
    return {name.strip("*`"): rest for name, *rest in rows}


def _spelled(default: object) -> str:
    return "" if default is None else f"`{json.dumps(default)}`"


def test_every_key_of_a_study_is_described() -> None:
    """The table has each key with its default, and those without are marked."""
    table = _table("## `[study]`")
    fields = {field.name: field for field in dataclasses.fields(StudySettings)}
    assert table.keys() == fields.keys()
    for name, (default, _) in table.items():
        if name == "start_from":
            assert default == "`[]`"
        elif fields[name].default is dataclasses.MISSING:
            assert f"**`{name}`**" in STUDY_FILES
        else:
            assert default == _spelled(fields[name].default), name
    assert _table("## `[budget]`").keys() == {f.name for f in dataclasses.fields(Budget)}
    assert _table("## `[target]`").keys() == {f.name for f in dataclasses.fields(Target)}


def test_every_board_is_described() -> None:
    """The table of boards has the figures of the table that studies use."""
    page = (ROOT / "docs" / "deploy.md").read_text()
    described = re.findall(r"^\| `([^`]+)` \|.*\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", page, re.M)
    figures = [(b.name, b.clock, b.ram, b.flash) for b in boards().values()]
    assert described == [(name, *(f"{each:,}" for each in rest)) for name, *rest in figures]


def test_every_key_of_a_space_is_described() -> None:
    """The table has each field with its default, the place where it is drawn, and every head."""
    rows = [cells for cells in _rows("## `[space]` by stages") if "`" in cells[0]]
    table = {cells[0].strip("*`"): cells[1:] for cells in rows if len(cells) == 4}
    assert table.keys() == STAGE_FIELDS.keys()
    for name, (default, place, _) in table.items():
        field = STAGE_FIELDS[name]
        assert (default, place) == (_spelled(field.default), field.place), name
    heads = {cells[0].strip('`"') for cells in rows if len(cells) == 2}
    assert heads == set(HEADS)


def test_every_key_of_a_recipe_is_described() -> None:
    """The tables have each key and each strength of an augmentation with its default."""
    table = _table("## `[recipe]`")
    assert list(table) == list(DEFAULTS)
    for name, (default, _) in table.items():
        assert default == _spelled(DEFAULTS[name]), name
    steps = [cells for cells in _rows("### `[[recipe.augment]]`") if "`" in cells[0]]
    described = {(kind.strip("`"), key.strip("`")): default for kind, key, default, _ in steps}
    wanted = {
        (kind, key): _spelled(default)
        for kind in STEP_KINDS
        for key, default in step_defaults(kind).items()
    }
    assert described == wanted


def test_every_data_set_is_described() -> None:
    """The table of data sets names all of them, and folders."""
    named = re.findall(r"`([^`]+)`", " ".join(cells[0] for cells in _rows("## Data sets")))
    assert set(named) - {"dataset"} == set(DATASET_FORMS)


@pytest.mark.parametrize(
    ("section", "key", "table"),
    [
        ("[study]", "sampler", SAMPLERS),
        ("[study]", "pruner", PRUNERS),
        ("[space]` by stages", "activation", ACTIVATIONS),
        ("[recipe]", "optimizer", OPTIMIZERS),
        ("[recipe]", "schedule", SCHEDULES),
    ],
)
def test_every_name_that_a_key_takes_is_described(
    section: str, key: str, table: Mapping[str, object]
) -> None:
    """The row of a key that takes names of a table quotes all of them and no others."""
    heading = f"## `{section}" + ("" if "`" in section else "`")
    (row,) = [cells for cells in _rows(heading) if cells[0].strip("*`") == key]
    assert set(re.findall(r'`"([^"]+)"`', row[-1])) == set(table)


def test_every_key_of_a_schedule_says_so() -> None:
    """The row of a key that only some schedules use names each of these."""
    table = _table("## `[recipe]`")
    for name, schedule in SCHEDULES.items():
        for key in schedule.keys:
            assert f"`{name}`: " in table[key][-1], (name, key)


def test_every_word_of_the_layer_language_is_described() -> None:
    """The tables of the page have each word and each modifier, and no others."""
    tables = {
        head: re.findall(
            r"`(dropout2d|[a-z]+)[^`]*`", " ".join(re.findall(r"^\|([^|]+)", rows, re.M))
        )
        for head, rows in re.findall(r"^\| ([^|]+) \|.*\n\|---.*\n((?:\|.*\n)+)", LAYERS, re.M)
    }
    assert list(tables) == ["operation", "modifier", "other words"]
    stems = {stem for word in WORDS for stem in word.spelling.stems}
    assert {*tables["operation"], *tables["other words"]} == stems
    assert set(tables["modifier"]) == {*NUMBERED_MODIFIERS, *FLAG_MODIFIERS}


@pytest.mark.parametrize(("page", "text"), _blocks("layers"))
def test_networks_are_networks(page: str, text: str) -> None:
    """Every network that is shown fits together, in its one spelling."""
    assert str(Architecture.parse(text)) == text.strip(), page


@pytest.mark.parametrize(("page", "text"), _blocks("toml"))
def test_study_files_are_accepted(page: str, text: str, tmp_path: Path) -> None:
    """Every whole study file is accepted, and every section by itself."""
    if text.startswith("[target]"):
        text = A_STUDY.split("[budget]")[0] + text + "[space]\nwidth = 8\n"
    if "[space]" not in text:
        assert text.startswith(("width = ", "[study]\nstart_from")), page
        return
    path = tmp_path / "study.toml"
    path.write_text(text if "[study]" in text else A_STUDY + text)
    StudyFile.load(path)


def test_the_network_of_the_example_is_in_its_space() -> None:
    """The network that is shown for the space by stages could be drawn from it."""
    section = STUDY_FILES.split("For example\n\n```toml\n")[1].split("```")[0]
    lines = STUDY_FILES.split("```layers\n")[1].split("```")[0]
    space = tomllib.loads(section)["space"]
    SearchSpace.from_section(space, input_shape=(1, 28, 28), classes=10).params_for(
        Architecture.parse(lines)
    )


@pytest.mark.parametrize(("page", "text"), _blocks("sh"))
def test_commands_exist(page: str, text: str) -> None:
    """Every command that is shown exists, with the options that it is given."""
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["flyweight"]:
            continue
        command = words[1:3] if words[1] == "studies" else words[1:2]
        shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0, (page, line)
        for word in words[2:]:
            assert not word.startswith("--") or word in shown.output, (page, line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files that are linked to are there, and so are the headings."""
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        file, _, heading = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.M)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert heading in slugs, target


@pytest.mark.usefixtures("warm_workers")
def test_the_example_in_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the README shows of Python works as it stands, in a folder with the study file."""
    (code,) = [text for page, text in _blocks("python") if "flyweight.run(" in text]
    (tmp_path / "studies").mkdir()
    shutil.copy(ROOT / "studies" / "digits.toml", tmp_path / "studies")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    exec(compile(code, "README.md", "exec"), names)
    assert "\n1432\n" in capsys.readouterr().out
    assert (tmp_path / "studies" / "study.db").exists()
