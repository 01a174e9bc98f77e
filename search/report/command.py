"""``flyweight report``: write a study as a page."""

from __future__ import annotations

from pathlib import Path

from search.errors import InputError
from search.pages.html import html
from search.pages.markdown import markdown
from search.report.content import page_of
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.study.study import open_study
from search.text_files import check_place, write_text

__all__ = ["report"]


def report(
    study: str | Path,
    *,
    out: str | Path | None = None,
    markdown_out: str | Path | None = None,
    storage: str = DEFAULT_STORAGE,
) -> tuple[Path, ...]:
    """Write the report on a study: HTML, Markdown, or both.

    Args:
        study: path of a study file, or name of a study in the storage.
        out: the file of the page in HTML.
        markdown_out: the file of the same in Markdown, without pictures.
        storage: URL of the study database.

    Returns:
        The files that were written.

    Raises:
        InputError: no file is asked for.
        StorageError: the study does not exist.
        ExportError: a file cannot be written.
    """
    quiet_optuna()
    writers = ((out, html), (markdown_out, markdown))
    wanted = [(Path(each), write) for each, write in writers if each is not None]
    if not wanted:
        raise InputError("give the file to write: -o FILE.html, --markdown FILE.md, or both")
    for path, _ in wanted:
        check_place(path)
    page = page_of(open_study(study, storage, writing=False))
    for path, write in wanted:
        write_text(path, write(page))
    return tuple(path for path, _ in wanted)
