"""Entries of ``start_from``: steps of ladder files and exported networks, as candidates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from search.errors import StudyFileError
from search.spec.candidate import Candidate
from search.spec.ladder_file import LadderFile
from space.architecture import Architecture
from space.errors import Problem, SpaceError
from trainer.errors import RecipeError
from trainer.recipe import Recipe

__all__ = ["DESCRIPTION", "PACKAGE_FORMAT", "is_ladder", "read_entry"]

# The file that describes an exported network, and the value of its key ``format``.
DESCRIPTION = "architecture.json"
PACKAGE_FORMAT = "flyweight-package"


def read_entry(entry: str, folder: Path) -> dict[str, Candidate]:
    """Read the candidates that an entry names.

    Args:
        entry: ``FILE.toml#STEP``, a step of a ladder file; ``FILE.toml``, all of them; or the
            folder of an exported network.
        folder: where relative paths start.

    Returns:
        The candidates by full name: for a whole ladder file, as if each step had been named.

    Raises:
        StudyFileError: the entry does not exist or cannot be used.
    """
    path, _, step = entry.partition("#")
    if not is_ladder(path):
        return {entry: _exported(folder / entry)}
    ladder = LadderFile.load(folder / path)
    steps = (ladder.step(step),) if "#" in entry else ladder.steps
    return {f"{path}#{step.name}": Candidate(step.architecture, step.recipe) for step in steps}


def is_ladder(entry: str) -> bool:
    """Return whether an entry, without a step, is a ladder file rather than an exported network."""
    return entry.endswith(".toml")


def _exported(folder: Path) -> Candidate:
    try:
        return _described(json.loads((folder / DESCRIPTION).read_text("utf-8")))
    except OSError as error:
        message = (
            f"is neither a ladder (FILE.toml) nor an exported network ({error.strerror}); "
            "check the path"
        )
    except (ValueError, RecursionError, SpaceError, RecipeError) as error:
        message = (
            f"{DESCRIPTION} cannot be used: {str(error).splitlines()[0]}; export the network again"
        )
    raise StudyFileError(folder, [Problem("", message)])


def _described(value: object) -> Candidate:
    if not isinstance(value, Mapping) or value.get("format") != PACKAGE_FORMAT:
        raise ValueError("it was not written by an export")
    architecture = Architecture.from_json(value.get("architecture", {}))
    architecture.check()
    return Candidate(architecture, Recipe.from_dict(value.get("recipe", {})))
