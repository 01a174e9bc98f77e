"""``flyweight init``: a commented study file to begin with."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

from search.errors import InputError
from search.spec.canonical import FORMAT_VERSION
from search.spec.study_file import StudyFile
from search.spec.toml import file_value
from search.text_files import check_place, write_text
from space.deployed.boards import boards
from space.fields import did_you_mean, show
from trainer.data import DATASET_FORMS, DATASET_NAMES, PATH_DATASETS

__all__ = ["init", "study_text"]

_PARAMETERS = 20_000
_COMMENTS = 43


@dataclass(frozen=True)
class _Kind:
    """What suits a kind of images.

    Attributes:
        stages: between pools.
        widest: convolution.
        epochs: of a training.
        batch: its size.
        trials: of a study.
        augment: the steps, as a study file has them.
        why: a comment on the steps.
    """

    stages: str
    widest: int
    epochs: int
    batch: str
    trials: int
    augment: tuple[str, ...]
    why: str


_TURNED = ('kind = "affine"', "degrees = 7", "translate = 0.05", "scale = 0.1")
_MIRRORED = ('kind = "flip"',)
_LEAN = "they may lean, and are never mirrored"
_MIRROR = "they may be mirrored; remove it where left and right differ"
_DIGITS = _Kind("[1, 2]", 24, 20, "32", 30, _TURNED[:3], _LEAN)
_LETTERS = _Kind("[2, 3]", 32, 15, "[64, 128]", 60, _TURNED, _LEAN)
_CLOTHES = _Kind("[2, 3]", 48, 20, "[64, 128]", 60, _MIRRORED, _MIRROR)
_PHOTOS = _Kind("[3, 4]", 64, 30, "[64, 128]", 60, _MIRRORED, _MIRROR)

_KINDS = {"digits": _DIGITS, "fashion-mnist": _CLOTHES, "cifar10": _PHOTOS}


def init(
    dataset: str,
    out: str | Path | None = None,
    *,
    parameters: int | None = None,
    board: str | None = None,
    name: str | None = None,
) -> Path:
    """Write a commented study file for a data set and a budget.

    Args:
        dataset: as a study file has it, such as ``mnist`` or ``folder:photos``.
        out: the file; by default NAME.toml in the working directory.
        parameters: the limit; 20,000 where there is no board either.
        board: whose RAM and flash are the limits.
        name: of the study; by default made of the data set and the budget.

    Returns:
        The file that was written.

    Raises:
        InputError: the data set, the board or the name is not one, or the file exists.
        ExportError: the file cannot be written.
    """
    named = name or _name(dataset, parameters, board)
    path = Path(out) if out is not None else Path(f"{named}.toml")
    text = study_text(dataset, named, path, parameters=parameters, board=board)
    StudyFile.from_dict({"format": FORMAT_VERSION, **tomllib.loads(text)})
    if path.exists():
        raise InputError(f"{path} is there already; give another file with --out, or remove it")
    check_place(path)
    write_text(path, text)
    return path


def study_text(
    dataset: str, name: str, path: Path, *, parameters: int | None, board: str | None
) -> str:
    """Return the text of a study file; see :func:`init`."""
    _check(dataset, parameters, board)
    kind = _KINDS.get(dataset, _PHOTOS if ":" in dataset else _LETTERS)
    lines = [
        f"# {_about(dataset, parameters, board)}",
        "#",
        *(f"#   flyweight {command}" for command in _commands(name, shlex.quote(str(path)))),
        "",
        "[study]",
        f"name = {show(name)}",
        f"dataset = {show(dataset)}",
        _with("# target = 0.99", "reported as reached or not; stops nothing"),
        _with(f"trials = {kind.trials}", "trained trials; run --trials N overrules it"),
        _with('sampler = "evolution"', 'or "random", "tpe", "tpe-repaired", "ageing"'),
        _with('pruner = "none"', 'or "median", "halving", "hyperband"'),
        "",
        *_budget(parameters, board),
        "",
        _with("[space]", "every field: one value, a list of choices, or a range"),
        _with(f"stages = {kind.stages}", "convolutions between pools: three stages have two pools"),
        _with("convs = { low = 1, high = 3 }", "drawn for each stage"),
        _with(f"width = {{ low = 4, high = {kind.widest} }}", "channels of each convolution"),
        "kernel = [3, 5]",
        _with('block = ["conv", "separable"]', "a separable is a depthwise and a 1x1 convolution"),
        _with('padding = "same"', '"valid" makes maps smaller'),
        "skip = [false, true]",
        'order = ["conv-bn-relu", "conv-relu-bn"]',
        _with('head = ["gap-linear", "conv-gap"]', "where global average pooling stands"),
        "",
        "[recipe]",
        f"epochs = {kind.epochs}",
        'optimizer = "adamw"',
        "learning_rate = { low = 3e-3, high = 5e-2, log = true }",
        'schedule = "one-cycle"',
        f"batch_size = {kind.batch}",
        _with("averaging = 0.99", "a moving average of the weights is judged and exported"),
        "",
        _with("[[recipe.augment]]", kind.why),
        *kind.augment,
    ]
    return "\n".join(lines) + "\n"


def _commands(name: str, path: str) -> list[str]:
    """Return what is done with a study, in order."""
    package = name.replace("-", "_")
    return [
        f"validate {path}",
        f"run {path}",
        f"dashboard {name}",
        f"confirm {name}",
        f"export {name} --out exports/{package}",
    ]


def _with(key: str, comment: str) -> str:
    return f"{key:<{_COMMENTS}}# {comment}"


def _about(dataset: str, parameters: int | None, board: str | None) -> str:
    limit = f" of at most {parameters or _PARAMETERS:,} parameters"
    if board is not None:
        on_board = f" that fits {boards()[board].title} in int8"
        limit = on_board if parameters is None else f"{limit},{on_board}"
    return f"The most accurate network{limit}, for {dataset}."


def _budget(parameters: int | None, board: str | None) -> list[str]:
    lines = []
    if board is not None:
        share = _with("firmware = 0.5", "the share of RAM and flash that is left to it")
        lines = ["[target]", f"board = {show(board)}", share]
    if board is None or parameters is not None:
        lines += [""] if lines else []
        lines.append(_with("[budget]", "also: macs, activation_kib, ram_kib, flash_kib"))
        lines.append(f"parameters = {parameters or _PARAMETERS:_}")
    return lines


def _check(dataset: str, parameters: int | None, board: str | None) -> None:
    prefix, colon, path = dataset.partition(":")
    known = dataset in DATASET_NAMES or (prefix in PATH_DATASETS and colon and path.strip())
    if not known or not dataset.isprintable():
        hint = did_you_mean(dataset, DATASET_NAMES)
        forms = ", ".join(DATASET_FORMS)
        raise InputError(f"{file_value(dataset)} is no data set{hint}; give one of {forms}")
    if board is not None and board not in boards():
        hint = did_you_mean(board, boards())
        raise InputError(
            f"{file_value(board)} is no board that is known{hint}; known: {', '.join(boards())}"
        )
    if parameters is not None and parameters < 1:
        raise InputError(f"{parameters} parameters are too few; give at least 1")


def _name(dataset: str, parameters: int | None, board: str | None) -> str:
    prefix, _, path = dataset.partition(":")
    images = Path(path).stem if path else prefix
    limit = board or (f"{parameters / 1000:g}k" if parameters else f"{_PARAMETERS // 1000}k")
    name = re.sub(r"[^a-z0-9]+", "-", f"{images}-{limit}".lower()).strip("-")[:64].strip("-")
    return name or "study"
