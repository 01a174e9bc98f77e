"""``flyweight studies``: the commands for whole studies of a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import AsJson, Debug, Storage
from search.cli.output import print_text
from search.errors import InputError, Interrupted
from search.storage.urls import DEFAULT_STORAGE
from search.text import plural

if TYPE_CHECKING:
    from search.studies import MadeStudy

__all__ = ["studies_app"]

studies_app = typer.Typer(
    no_args_is_help=True, help="List, rename, delete, copy or merge the studies of a database."
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="a study's name")]
_New = Annotated[str, typer.Argument(metavar="NEW", help="the new name")]
_Force = Annotated[bool, typer.Option("--force", help="count workers on other machines as dead")]


@studies_app.command("list")
def list_them(
    as_json: AsJson = False,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Show each study: its trained trials, the best one, and the size of its weights."""
    from search.studies.listing import list_studies, studies_text

    entries = list_studies(storage=storage)
    if as_json:
        print_text(json.dumps([entry.to_dict() for entry in entries], indent=2))
    else:
        print_text(studies_text(entries))


@studies_app.command()
def rename(
    name: _Name,
    new: _New,
    force: _Force = False,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Give a study another name."""
    from search.studies.renaming import rename_study

    rename_study(name, new, storage=storage, force=force)
    print_text(f'{name} is now {new}; write name = "{new}" into its study file to go on with it')


@studies_app.command()
def delete(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    force: _Force = False,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Delete a study with its trials, confirms and weights, for good."""
    from search.studies.deleting import delete_study
    from search.study.study import open_study

    if not yes:
        if not sys.stdin.isatty():
            raise InputError(f"nobody can be asked whether to delete {name}; add --yes")
        trials = len(open_study(name, storage, writing=False).records())
        if not typer.confirm(f"delete {name} with {plural(trials, 'trial')} and all weights?"):
            raise Interrupted(f"{name} is kept")
    left = delete_study(name, storage=storage, force=force)
    print_text(f"{name} is deleted")
    if left is not None:
        print_text(f"its weights are left in {left}, which may be another database's")


@studies_app.command()
def copy(
    name: _Name,
    new: _New,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="STUDY.toml",
            help="a changed study file: take over the trials that lie in it",
        ),
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Copy a study with its weights, or the trials that a changed study file holds."""
    from search.studies.copying import copy_study

    made = copy_study(name, new, file=file, storage=storage)
    print_text(_made_text(made, name))


@studies_app.command()
def merge(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="two or more studies")],
    into: Annotated[str, typer.Option("--into", metavar="NEW", help="name of the new study")],
    storage: Storage = DEFAULT_STORAGE,
    debug: Debug = False,
) -> None:
    """Make one study of the finished trials of several with the same study file."""
    from search.studies.merging import merge_studies

    made = merge_studies(names, into, storage=storage)
    print_text(_made_text(made, " and ".join(names)))


def _made_text(made: MadeStudy, source: str) -> str:
    """Return the lines that say what a new study took over."""
    lines = [f"{made.name}: {plural(made.trials, 'trial')} of {source}, {made.trained:,} trained"]
    if made.left_out:
        total = sum(made.left_out.values())
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in made.left_out.items())
        lines.append(f"left out {plural(total, 'trial')}: {reasons}")
    return "\n".join(lines)
