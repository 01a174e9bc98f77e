"""The packages that make up flyweight, and a check that Python finds these and no others."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["ShadowedError", "check_packages", "is_command", "load"]

PACKAGES = ("search", "space", "trainer")


class ShadowedError(ImportError):
    """The error when something else has taken the place of one of flyweight's packages."""


def check_packages() -> None:
    """Check that each package is found beside this one, without importing any.

    Raises:
        ShadowedError: if one is found elsewhere or nowhere; the message names it, its path and
            the way out, in one line.
    """
    home = Path(__file__).resolve().parents[1]
    for name in PACKAGES:
        place, own = _place_of(name), home / name
        if place is None:
            raise ShadowedError(f"the package {own} is missing; install flyweight again")
        if place != own:
            raise ShadowedError(
                f"Python finds the package {name!r} at {place}, not flyweight's own at {own}; "
                "rename or move that one, start from another folder, or give flyweight a virtual "
                "environment of its own"
            )


def load(module: str, name: str) -> Any:
    """Import ``module`` and return its ``name``.

    Raises:
        ShadowedError: if something else has taken the place of a package, or has been written
            over it.
    """
    check_packages()
    try:
        return getattr(import_module(module), name)
    except (AttributeError, ImportError) as error:
        # An ImportError that names another package has nothing to do with shadowing.
        missing = module if isinstance(error, AttributeError) else error.name or ""
        package = missing.partition(".")[0]
        if package not in PACKAGES:
            raise
        raise ShadowedError(
            f"the package {package!r} in {_place_of(package)} does not belong to this flyweight "
            f"({error}); another distribution may have written over it: install flyweight again, "
            "in a virtual environment of its own"
        ) from error


def is_command() -> bool:
    """Return whether this process is being started as the command, which reports in its own way.

    While Python looks for the module of ``python -m``, it puts ``-m`` in the place of its path.
    """
    return Path(*sys.argv[:1]).stem in ("flyweight", "-m")


def _place_of(package: str) -> Path | None:
    """Return the folder or the file that an import of ``package`` would read."""
    try:
        spec = find_spec(package)
    except ValueError:  # a module that was put together by hand and has no spec
        return None
    if spec is None:
        return None
    place = next(iter(spec.submodule_search_locations or ()), spec.origin)
    return Path(place).resolve() if place else None
