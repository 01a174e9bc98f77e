"""``flyweight show``: what a network is made of, line by line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from search.confirm.choice import champion_or_best, chosen_limit
from search.errors import InputError, TrialError
from search.export.folder import described_network
from search.pages.blocks import Figure, Lines
from search.pages.html import fragment
from search.pictures.network import network_picture
from search.spec.candidate_files import DESCRIPTION, read_entry
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.study.study import StoredStudy, open_study
from search.text_files import check_place, write_text
from space.architecture import Architecture
from space.cost import Cost, cost
from space.deployed.cost import DEFAULT_CORE, DeployedCost, deployed_cost
from space.errors import NotDeployable, SpaceError
from space.layers import Layer
from space.layers.words import format_shape
from space.summary import LineSummary, summary

__all__ = ["Shown", "show", "shown_table", "shown_text", "write_picture"]


@dataclass(frozen=True)
class Shown:
    """A network and what it costs.

    Attributes:
        title: which network it is.
        architecture: the network.
        lines: what each application of a line does.
        cost: of the whole.
        deployed: what it takes of a chip in int8; None where no chip can run it.
        not_deployable: why no chip can; empty where one can.
        core: whose code is counted.
    """

    title: str
    architecture: Architecture
    lines: tuple[LineSummary, ...]
    cost: Cost
    deployed: DeployedCost | None
    not_deployable: str
    core: str

    def _repr_html_(self) -> str:
        """Show the network in a notebook."""
        drawing = network_picture(self.architecture, self.title)
        return fragment([Figure(drawing), Lines(tuple(_totals(self)))])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        chip = self.deployed
        return {
            "title": self.title,
            "architecture": self.architecture.to_json(),
            "lines": [asdict(line) for line in self.lines],
            "cost": {**asdict(self.cost), "activation_kib": self.cost.activation_kib},
            "int8": (
                {"not_deployable": self.not_deployable}
                if chip is None
                else {"core": self.core, "ram_kib": chip.ram_kib, "flash_kib": chip.flash_kib}
            ),
        }


def show(
    what: str,
    *,
    trial: int | None = None,
    parameters: int | None = None,
    input_shape: str | None = None,
    storage: str = DEFAULT_STORAGE,
) -> Shown:
    """Describe a network line by line.

    Args:
        what: layers, with ``;`` or a new line between them; the folder of an export;
            ``LADDER.toml#STEP``; or a study, of which the champion is shown, before a confirm the
            best trial.
        trial: number of a trial of the study, rejected ones included.
        parameters: of a study with several limits on parameters, the one whose champion, or best
            trial, is shown.
        input_shape: of the images of layers, such as ``3x32x32``; by default 1x28x28.
        storage: URL of the study database.

    Raises:
        InputError: the network cannot be read, or an option does not belong to it.
        StorageError: the study does not exist.
        TrialError: the trial does not exist, or has no network.
        SpaceError: the layers cannot be read, or do not fit together.
    """
    core = DEFAULT_CORE
    is_study = not (_is_step(what) or _is_folder(what) or _is_layers(what))
    if not is_study and not (trial is None and parameters is None):
        raise InputError(f"--trial and --parameters choose a network of a study; {what} is none")
    if input_shape is not None and (is_study or not _is_layers(what)):
        raise InputError(f"--input is for layers; {what} knows the shape of its images")
    if is_study:
        quiet_optuna()
        stored = open_study(what, storage, writing=False)
        core = stored.file.budget.core or core
        title, architecture = _of_study(stored, trial, parameters)
    elif _is_step(what):
        ((title, candidate),) = read_entry(what, Path()).items()
        architecture = candidate.architecture
    elif _is_folder(what):
        title, architecture = _of_folder(Path(what))
    else:
        lines = [line.strip() for line in re.split(r"[;\n]", what)]
        given = [] if input_shape is None else [f"input {input_shape}"]
        title, architecture = "", Architecture.parse([*given, *lines])
    return _shown(title, architecture, core)


def _shown(title: str, architecture: Architecture, core: str) -> Shown:
    deployed, reason = None, ""
    try:
        deployed = deployed_cost(architecture, core)
    except NotDeployable as error:
        reason = str(error)
    lines = summary(architecture)
    return Shown(title, architecture, lines, cost(architecture), deployed, reason, core)


def _is_step(what: str) -> bool:
    path, mark, _ = what.partition("#")
    return bool(mark) and path.endswith(".toml")


def _is_folder(what: str) -> bool:
    """Return whether a text is the path of a folder; a bare name only if it holds an export."""
    # Unlike Path.is_dir, this takes layers, which may be too long for a path.
    if not os.path.isdir(what):  # noqa: PTH112
        return False
    return Path(what).name != what or (Path(what) / DESCRIPTION).exists()


def _is_layers(what: str) -> bool:
    """Return whether a text is meant as layers: it has several words, or is one that is known."""
    if what.endswith(".toml"):
        return False
    if re.search(r"[;\s]", what.strip()):
        return True
    try:
        Layer.parse(what)
    except SpaceError:
        return False
    return True


def _of_folder(folder: Path) -> tuple[str, Architecture]:
    described, architecture = described_network(folder)
    return str(described.get("name", folder.name)), architecture


def _of_study(
    stored: StoredStudy, trial: int | None, parameters: int | None
) -> tuple[str, Architecture]:
    number, kind = _chosen(stored, trial, parameters)
    records = stored.records()
    if not 0 <= number < len(records):
        has = f"its trials are 0 to {len(records) - 1}" if records else "it has no trials yet"
        raise TrialError(f"{stored.name} has no trial {number}; {has}")
    try:
        candidate = records[number].candidate(stored.data.input_shape)
    except ValueError:
        raise TrialError(
            f"trial {number} of {stored.name} has no network yet; wait until it is drawn"
        ) from None
    return f"{stored.name}, {kind}trial {number}", candidate.architecture


def _chosen(stored: StoredStudy, trial: int | None, parameters: int | None) -> tuple[int, str]:
    """Return the number of the trial that is meant, and what it is."""
    limit = chosen_limit(stored, parameters, trial)
    if trial is not None:
        return trial, ""
    found = champion_or_best(stored, limit)
    if found is None:
        raise TrialError(
            f"{stored.name} has no completed trial to show yet; give --trial N, or use flyweight "
            "run first"
        )
    number, kind = found
    return number, f"{kind}, "


def shown_table(shown: Shown) -> Table:
    """Return the lines of a network as a table for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title=shown.title or None)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("layer", overflow="fold")
    for heading in ("map", "parameters", "MACs", "sees", "holds"):
        table.add_column(heading, justify="right", no_wrap=True)
    image = shown.architecture.input_shape
    table.add_row("", "image", format_shape(image), "", "", "", "")
    for line in shown.lines:
        table.add_row(
            f"{line.line + 1}",
            line.words,
            format_shape(line.after),
            f"{line.parameters:,}" if line.parameters else "",
            f"{line.macs:,}" if line.macs else "",
            line.sees,
            f"{line.activation_bytes / 1024:,.1f} KiB",
        )
    return table


def shown_text(shown: Shown) -> str:
    """Return the lines below the table: what the whole network costs."""
    return "\n".join(_totals(shown))


def _totals(shown: Shown) -> Iterator[str]:
    price, chip = shown.cost, shown.deployed
    merged = price.deployed_parameters
    folded = f", {merged:,} once norms are folded" if merged != price.parameters else ""
    yield f"{price.parameters:,} parameters{folded}; {price.macs:,} MACs an image"
    yield (
        f"one output sees {price.receptive_field_before_gap} pixels a side before gap, "
        f"{price.receptive_field} at the end"
    )
    yield f"activations in float32: {price.activation_kib:,.1f} KiB at most"
    if chip is None:
        yield f"no chip runs it in int8: {shown.not_deployable}"
    else:
        yield (
            f"in int8: {chip.ram_kib:.1f} KiB of RAM, {chip.flash_kib:.1f} KiB of flash "
            f"({shown.core})"
        )


def write_picture(shown: Shown, path: Path) -> None:
    """Write a network as an SVG picture.

    Raises:
        ExportError: the file cannot be written.
    """
    check_place(path)
    write_text(path, network_picture(shown.architecture, shown.title).file_text())
