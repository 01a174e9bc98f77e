from __future__ import annotations

import html as html_text
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from optuna.artifacts import get_all_artifact_meta

from search.cli.app import main
from search.errors import ExportError, InputError, StorageError
from search.pages.blocks import Code, Page, Section
from search.pages.html import html
from search.pages.markdown import markdown
from search.report.command import report
from search.report.content import page_of
from search.study.confirms import FINAL, SELECTION, ConfirmPlan, Repeat, save_plan, save_repeat
from search.study.study import StoredStudy, open_study
from search.text_files import write_text
from tests.search.pages.test_pages import read_page
from tests.search.shown_studies import SMALL, add_trial, new_study
from tests.search.small_studies import begun, search_here

FIXTURE = Path(__file__).parents[1] / "fixtures" / "version-0.1.0"


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[StoredStudy]:
    """A study with real trials, of which some were pruned or rejected."""
    stored = begun(tmp_path, trials=6, pruner="halving", epochs=3)
    search_here(stored, 6)
    yield stored
    stored.storage.engine.dispose()


def _confirmed(stored: StoredStudy, trial: int) -> None:
    """Store a confirm of one candidate with two seeds."""
    save_plan(stored, ConfirmPlan(1, (trial,), 2, 1, 1))
    for part, base in ((SELECTION, 0.90), (FINAL, 0.95)):
        for slot in range(2):
            run = Repeat(trial, slot, 11 + slot, (0.5, base, base + slot / 100), 1.0, int8=base)
            save_repeat(stored, 1, part, slot, run)


def test_a_page_needs_nothing_from_elsewhere(stored: StoredStudy) -> None:
    """Every picture lies in the page itself, and a browser may ask for nothing else."""
    reader = read_page(html(page_of(stored)))
    assert reader.links
    assert all(link.startswith("data:image/") for link in reader.links)
    assert "script" not in reader.tags
    assert "default-src 'none'" in html(page_of(stored))


def test_the_figures_are_those_of_the_study(stored: StoredStudy) -> None:
    """The best trial, the counts and the limits stand in the page as the study has them."""
    text = html(page_of(stored))
    complete = [record for record in stored.records() if record.score is not None]
    best = max(complete, key=lambda record: record.score or 0)
    assert f"{best.parameters:,} parameters and a validation floor of" in text
    assert f"{100 * (best.score or 0):.2f} %" in text
    assert "No confirm has finished" in text
    assert f"Trial {best.number}" in text
    assert text.count("<svg") >= 4
    assert "taken for which class" in text


def test_a_confirm_is_the_result(stored: StoredStudy) -> None:
    """After a confirm the page begins with the test figure of its champion."""
    number = next(record.number for record in stored.records() if record.score is not None)
    _confirmed(stored, number)
    text = html(page_of(stored))
    assert "holds 95.50 % ± 0.71 of the test set over 2 seeds" in text
    assert f"Trial {number}, the champion" in text
    assert "No confirm" not in text
    assert "96.00 %" in text


def test_a_study_without_a_complete_trial_has_a_page(tmp_path: Path) -> None:
    """Before the first complete trial the page says what was asked and that nothing completed."""
    empty = new_study(tmp_path)
    text = html(page_of(empty))
    assert "No trial of this study for digits has completed yet" in text
    read_page(text)
    add_trial(empty, SMALL, None)
    read_page(html(page_of(empty)))


def test_a_study_of_an_earlier_version_has_a_page(tmp_path: Path) -> None:
    """A study that kept no pictures is described without them, and says so."""
    shutil.copytree(FIXTURE, tmp_path / "studies")
    stored = open_study("moved", f"sqlite:///{tmp_path / 'studies' / 'study.db'}", writing=False)
    text = html(page_of(stored))
    read_page(text)
    assert "kept no pictures" in text


def test_the_command_writes_what_is_asked_for(stored: StoredStudy, tmp_path: Path) -> None:
    """One call writes page, Markdown and table of trials, and a wrong place is said first."""
    names = [str(tmp_path / name) for name in ("a.html", "a.md", "a.csv")]
    command = ["report", stored.name, "-o", names[0], "--markdown", names[1], "--csv", names[2]]
    assert main([*command, "--storage", stored.url]) == 0
    assert Path(names[0]).read_text("utf-8").startswith("<!doctype html>")
    assert Path(names[1]).read_text("utf-8").startswith(f"# {stored.name}")
    assert len(Path(names[2]).read_text("utf-8").splitlines()) == len(stored.records()) + 1
    with pytest.raises(InputError, match=r"-o FILE\.html"):
        report(stored.name, storage=stored.url)
    with pytest.raises(ExportError, match="does not exist"):
        report(stored.name, out=tmp_path / "no" / "a.html", storage=stored.url)
    with pytest.raises(StorageError, match="no study 'other'"):
        report("other", out=names[0], storage=stored.url)


def test_int8_that_was_not_measured_has_no_column(stored: StoredStudy) -> None:
    """A confirm of an earlier version, which measured no int8, is not shown with 0 %."""
    number = next(record.number for record in stored.records() if record.score is not None)
    save_plan(stored, ConfirmPlan(1, (number,), 2, 1, 1))
    for part in (SELECTION, FINAL):
        for slot in range(2):
            run = Repeat(number, slot, slot, (0.5, 0.9), 1.0)
            save_repeat(stored, 1, part, slot, run)
    text = markdown(page_of(stored))
    assert "| 0.00 %" not in text
    assert "| in int8" not in text.split("## Analysis")[0].split("## The confirm")[1]


def test_commands_find_the_study_again(tmp_path: Path) -> None:
    """Each command to copy names the database, as one word for a shell."""
    folder = tmp_path / "my studies"
    folder.mkdir()
    stored = new_study(folder)
    add_trial(stored, SMALL, 0.9)
    lines = [
        html_text.unescape(line)
        for block in page_of(stored).sections
        for line in html(Page("", "", (block,), "")).splitlines()
        if "flyweight confirm " in line or "flyweight export " in line
    ]
    assert len(lines) >= 3
    for line in lines:
        assert f"--storage '{stored.url}'" in line


def test_a_database_chooses_no_file_outside_of_its_folder(stored: StoredStudy) -> None:
    """The name of an artifact that is a path is not followed."""
    secret = stored.artifacts.parent / "secret"
    secret.write_text("<svg>secret</svg>", encoding="utf-8")
    record = next(record for record in stored.records() if record.score is not None)
    url = stored.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(url)) as connection, connection:
        connection.execute(
            "UPDATE trial_system_attributes SET value_json = replace(value_json, ?, ?)",
            ('\\"filename\\": \\"', '\\"artifact_id\\": \\"../secret\\", \\"filename\\": \\"'),
        )
    again = open_study(stored.name, stored.url, writing=False)
    metas = get_all_artifact_meta(again.study.get_trials()[record.number], storage=again.storage)
    assert {meta.artifact_id for meta in metas} == {"../secret"}
    assert b64encode(b"<svg>secret").decode()[:12] not in html(page_of(again))


def test_names_that_are_no_text_are_written(tmp_path: Path) -> None:
    """A folder may have any bytes as its name; the page is written all the same."""
    page = Page("a\udcff", "", (Section("b", (Code("c\udcff"),)),), "")
    write_text(tmp_path / "a.md", markdown(page))
    write_text(tmp_path / "a.html", html(page))
    assert "a?" in (tmp_path / "a.md").read_text("utf-8")
