"""The formats of an export: one entry each in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from search.errors import ExportError
from search.export.c.package import write_c, write_c_int8
from search.export.folder import description_of
from search.export.package import package_name_of, write_package
from search.export.trained_network import TrainedNetwork
from search.spec.toml import file_value
from space.errors import NotDeployable
from space.fields import did_you_mean

__all__ = ["DEFAULT_FORMATS", "FORMATS", "Format", "chosen_formats", "folders_of", "write_formats"]


@dataclass(frozen=True)
class Format:
    """A format that a network can be exported in.

    Attributes:
        about: what it is, in a line.
        write: writes a network into a folder, whole or not at all; may return a line on what was
            found when that was checked. Raises ``ExportError`` where it cannot, ``ImportError``
            where a package is missing.
        extra: the extra of the distribution that brings the packages it needs; empty where
            flyweight's own are enough.
        calibrated: whether it needs training images to choose the ranges of whole numbers.
        imported: whether Python imports the folder by its name. Where there are several formats,
            such a folder is named after the folder that was asked for, others after the format.
    """

    about: str
    write: Callable[[TrainedNetwork, Path], str | None]
    extra: str = ""
    calibrated: bool = False
    imported: bool = False


def _write_onnx(trained: TrainedNetwork, out: Path) -> str:
    from search.export.onnx.package import write_onnx

    return write_onnx(trained, out)


def _write_int8(trained: TrainedNetwork, out: Path) -> str:
    from search.export.onnx.package import write_int8

    return write_int8(trained, out)


FORMATS: dict[str, Format] = {
    "torch": Format(
        "a Python package with the network as a PyTorch module", write_package, imported=True
    ),
    "onnx": Format("an ONNX file in floats", _write_onnx, extra="onnx"),
    "int8": Format(
        "an ONNX file with quantised operators", _write_int8, extra="onnx", calibrated=True
    ),
    "c": Format("C source that computes in floats", write_c),
    "c-int8": Format(
        "C source that computes in whole numbers of 8 bits", write_c_int8, calibrated=True
    ),
}
"""What ``--format`` may name."""

DEFAULT_FORMATS = ("torch",)


def chosen_formats(names: str | Sequence[str]) -> tuple[str, ...]:
    """Check the names of formats.

    Args:
        names: as a user gives them; one string may hold several, with commas between them.

    Returns:
        The names, each once, in the order in which they were given.

    Raises:
        ExportError: a name is not in the table, or no name is given.
    """
    texts = [names] if isinstance(names, str) else names
    given = [name.strip() for text in texts for name in text.split(",")]
    chosen = tuple(dict.fromkeys(filter(None, given)))
    known = ", ".join(FORMATS)
    for name in chosen:
        if name not in FORMATS:
            hint = did_you_mean(name, FORMATS)
            raise ExportError(f"--format {file_value(name)} is not known{hint}; give {known}")
    if not chosen:
        raise ExportError(f"--format names no format; give one or more of {known}")
    return chosen


def folders_of(out: Path, formats: Sequence[str]) -> Mapping[str, Path]:
    """Return the folder of each format: ``out`` for a single one, else folders in it.

    Args:
        out: the folder that was asked for.
        formats: names of the table, each once.
    """
    if len(formats) == 1:
        return {formats[0]: out}
    package = package_name_of(out.absolute().name)
    package = f"net_{package}" if package in formats else package
    return {name: out / (package if FORMATS[name].imported else name) for name in formats}


def write_formats(
    trained: TrainedNetwork, out: Path, formats: Sequence[str], *, force: bool = False
) -> dict[str, str]:
    """Write a network in each of several formats.

    Args:
        trained: the network.
        out: the folder of a single format, or the folder of the formats' folders.
        formats: names of the table, each once.
        force: whether packages of other studies are replaced.

    Returns:
        By the name of each format that is checked after it was written, what was found.

    Raises:
        ExportError: a folder cannot be written, is in the way, a format's packages are missing, it
            cannot say the network, or there are no training images for int8. What was written
            before stays.
    """
    if len(formats) > 1:
        _refuse_package(out)
    folders = folders_of(out, formats)
    if not force:
        for folder in folders.values():
            _refuse_other_study(folder, trained.name)
    if trained.calibration is not None:
        trained = replace(trained, calibration=cache(trained.calibration))  # several read them
    if any(FORMATS[name].calibrated for name in folders):
        trained.calibration_images()  # before anything is written: without them, nothing is
    found = {}
    for name, folder in folders.items():
        entry = FORMATS[name]
        try:
            found[name] = entry.write(trained, folder)
        except NotDeployable as error:
            raise ExportError(f"--format {name}: {error}") from error
        except ImportError as error:
            if not entry.extra:
                raise
            raise ExportError(
                f"--format {name} needs the package {error.name}; "
                f"pip install 'flyweight[{entry.extra}]'"
            ) from error
    return {name: line for name, line in found.items() if line}


def _refuse_other_study(folder: Path, name: str) -> None:
    try:
        kept = description_of(folder)
    except OSError as error:
        raise ExportError(
            f"{folder} cannot be read ({error.strerror}); choose another --out"
        ) from error
    if kept is not None and (held := str(kept.get("name"))) != name:
        raise ExportError(
            f"{folder} holds a network of {held}, not of {name}; give --force to replace it, or "
            "another --out"
        )


def _refuse_package(out: Path) -> None:
    try:
        taken = description_of(out) is not None
    except OSError as error:
        raise ExportError(
            f"{out} cannot be read ({error.strerror}); choose another --out"
        ) from error
    if taken:
        raise ExportError(
            f"{out} is an exported network already; choose another folder for several formats"
        )
