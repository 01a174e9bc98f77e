"""The model card of an exported network: what it is, what it costs, how it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from string import punctuation
from typing import Any

from search.errors import printable
from search.export.card_head import LICENCE, head_lines
from search.export.trained_network import Figures, TrainedNetwork
from search.statistics import Spread
from search.text import at_most, percent, plural, points
from space.cost import cost
from space.deployed.cost import DEFAULT_CORE, deployed_cost
from space.deployed.flash import CORES, code_compiler
from space.deployed.instructions import instructions
from space.deployed.lowering import lower
from space.errors import NotDeployable
from space.layers.words import format_shape

__all__ = ["Page", "as_markdown", "model_card"]

_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:/+()-]*")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_PLAIN = "These are figures of the network in floats. What it loses in int8 was not measured."


@dataclass(frozen=True)
class Page:
    """What the card of a format says of that format alone.

    Attributes:
        what: in what form the network is here, the end of a sentence.
        use: lines that say how to use it.
        hub_library: which loads it, as the Hugging Face Hub calls it; empty where it needs none.
        tags: for the Hub.
        int8: whether it computes in int8.
        checked: what was found when it was checked, a line without a full stop; may be empty.
        memory: rows of a table: what takes memory, and how much; beside those of every card.
    """

    what: str
    use: Sequence[str]
    hub_library: str = ""
    tags: Sequence[str] = ()
    int8: bool = False
    checked: str = ""
    memory: Sequence[tuple[str, str]] = ()


def model_card(trained: TrainedNetwork, page: Page) -> str:
    """Return the card in Markdown.

    Args:
        trained: the network.
        page: what its format says.
    """
    sections: list[Iterable[str]] = [
        head_lines(trained, page.hub_library, page.tags, int8=page.int8),
        [f"# {as_markdown(trained.name)}"],
        _summary(trained, page),
        ["## Use"],
        page.use,
        ["## Accuracy"],
        _accuracy(trained.figures, int8=page.int8),
        ["## Cost"],
        _cost(trained, page.memory),
        ["## Classes"],
        [", ".join(map(as_markdown, trained.class_names))],
        ["## Layers"],
        _layers(trained),
        ["## Recipe"],
        _recipe(trained),
        ["## Licence"],
        LICENCE,
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def as_markdown(text: str) -> str:
    """Escape a text so that Markdown shows it as it is, on one line."""
    line = printable(" ".join(text.split()))
    if _HARMLESS.fullmatch(line) and "://" not in line and "www." not in line:
        return line
    return "".join(f"\\{c}" if c in punctuation else c for c in line) or "(no name)"


def _summary(trained: TrainedNetwork, page: Page) -> Iterator[str]:
    architecture, price = trained.architecture, cost(trained.architecture)
    yield (
        f"A convolutional network of {price.parameters:,} parameters and {price.macs:,} "
        f"multiply-accumulates for {as_markdown(trained.dataset)}:"
    )
    yield (
        f"images of {format_shape(architecture.input_shape)} in, one logit for each of "
        f"{len(trained.class_names)} classes out."
    )
    made = "Made by hand and trained" if trained.figures.kind == "step" else "Found"
    yield f"{made} by flyweight; here as {page.what}."
    if page.checked:
        yield ""
        yield f"{page.checked[0].upper()}{page.checked[1:]}."


def _accuracy(figures: Figures, *, int8: bool) -> list[str]:
    """Return how accurate a network is, and how that was measured."""
    floor = f"floor (lowest of the last {figures.floor_epochs} of {figures.epochs} epochs)"
    rows = []
    if figures.validation_floor is not None:
        seeds = figures.validation_seeds
        validation = Spread(figures.validation_floor, figures.validation_deviation, seeds)
        rows.append(("validation", floor, str(seeds), _spread(validation)))
    if figures.runs:
        first = figures.runs[0]
        for what, spread in (
            (floor, figures.test_floor),
            ("after the last epoch", figures.test_accuracy),
        ):
            rows.append(("test", what, str(spread.n), _spread(spread)))
        if (found := figures.int8_accuracy) is not None:
            rows.append(("test", "after the last epoch, in int8", str(found.n), _spread(found)))
        weights = f"after the last epoch, these weights (seed {first.seed})"
        rows.append(("test", weights, "1", percent(first.accuracy)))
        if first.int8 is not None:
            rows.append(("test", f"{weights}, in int8", "1", percent(first.int8)))
    kinds = {"champion": _champion_notes, "trial": _trial_notes, "step": _step_notes}
    notes = kinds[figures.kind](figures)
    versions = ", ".join(f"{as_markdown(k)} {as_markdown(v)}" for k, v in figures.versions.items())
    return [
        *_table(("set", "figure", "seeds", "accuracy"), rows),
        "",
        *notes,
        *([_PLAIN] if int8 and figures.int8_accuracy is None else []),
        "",
        f"Trained on {as_markdown(figures.hardware)} in {figures.seconds:,.0f} s"
        + (f" with {versions}." if versions else "."),
    ]


def _spread(spread: Spread) -> str:
    return f"{percent(spread.mean)}{spread.deviation_text()}"


def _champion_notes(figures: Figures) -> list[str]:
    number, seeds = figures.confirm or 0, len(figures.runs)
    confirm = (
        f"the {_ORDINALS[number - 1]} confirm" if number <= len(_ORDINALS) else f"confirm {number}"
    )
    looks = "once" if number == 2 else f"{number - 1} times"
    return [
        f"Trial {figures.trial}, chosen on the validation part by {confirm} of its study.",
        *_asked(figures),
        "The test set had not been looked at before."
        if number == 1
        else f"The test set had been looked at {looks} before.",
        f"It was retrained on the whole training set with {plural(seeds, 'seed')}.",
        "The weights are the first one's, a rule that cannot look at the test set.",
        *_tuning(figures),
        "± is one standard deviation over seeds, of a sample.",
    ]


def _tuning(figures: Figures) -> list[str]:
    if figures.int8_loss is None:
        return []
    return [
        f"In int8 it lost {points(figures.int8_loss)} on the validation part, so each of its "
        "networks was tuned for",
        "int8 afterwards (quantisation-aware). The figures in int8 are those of the tuned",
        "networks, and the formats in int8 hold the first of them; the others hold it as it was.",
    ]


def _asked(figures: Figures) -> list[str]:
    lines = [f"The study asked for {figures.asked}."] if figures.asked else []
    if figures.limit is not None:
        lines.append(f"This is the one of {at_most(figures.limit)}.")
    return lines


def _trial_notes(figures: Figures) -> list[str]:
    return [
        f"Trial {figures.trial} of its study, not confirmed.",
        *_asked(figures),
        "It was trained without the validation part and chosen on it, so the figure flatters.",
        "The test set has not been looked at.",
    ]


def _step_notes(figures: Figures) -> list[str]:
    origin = figures.origin
    after = f" ({as_markdown(origin.source)})" if origin and origin.source else ""
    return [
        f"Step {origin.step if origin else ''} of the ladder {origin.ladder if origin else ''}"
        f"{after}, trained with {plural(len(figures.runs), 'seed')}.",
        "It was trained on the whole training set, and tested after every epoch. Whoever made the",
        "step may have chosen it by the test set, so the figure may flatter.",
        "The weights are the first one's, a rule that does not look at the test set.",
        "± is one standard deviation over seeds, of a sample.",
    ]


def _cost(trained: TrainedNetwork, memory: Iterable[tuple[str, str]]) -> Iterator[str]:
    price = cost(trained.architecture)
    before, after = price.receptive_field_before_gap, price.receptive_field
    rows = [
        ("parameters", f"{price.parameters:,}"),
        ("parameters when deployed (BatchNorm folded)", f"{price.deployed_parameters:,}"),
        ("multiply-accumulates, one image", f"{price.macs:,}"),
        ("activation memory, one image (float32 in PyTorch)", f"{price.activation_kib:,.1f} KiB"),
        ("receptive field before global pooling", f"{before} x {before} pixels"),
        ("receptive field", f"{after} x {after} pixels"),
        *memory,
    ]
    note = [
        f"The code was measured with {code_compiler()}, with what it needs of the compiler's",
        "library; start-up code and the stack come on top.",
    ]
    try:
        rows += _chip_rows(trained)
    except NotDeployable as error:
        note = [f"In int8 it does not run on a chip: {as_markdown(str(error))}."]
    yield from _table(("cost", "value"), rows)
    yield ""
    yield from note


def _chip_rows(trained: TrainedNetwork) -> Iterator[tuple[str, str]]:
    """Yield what the network takes of a chip.

    Raises:
        NotDeployable: it cannot be said in int8.
    """
    found = {core: deployed_cost(trained.architecture, core) for core in CORES}
    first = found[DEFAULT_CORE]
    yield "RAM as C in int8: all maps, image and logits", f"{first.ram:,} bytes"
    yield "flash as C in int8: weights and tables", f"{first.constants:,} bytes"
    for core, of in found.items():
        yield f"flash as C in int8: code for {core}", f"{of.code:,} bytes"
    lowered = lower(trained.architecture)
    for core in CORES:
        count = instructions(lowered, core)
        yield f"instructions as C in int8, {core}: an estimate", f"{count / 1e6:,.2f} million"


def _layers(trained: TrainedNetwork) -> list[str]:
    """Return the lines of a network and the maps that they give, as a table."""
    architecture = trained.architecture
    lines = zip(architecture.layers, architecture.shapes, strict=True)
    rows = [(f"`{layer}`", format_shape(shape)) for layer, shape in lines]
    return _table(("line", "gives"), [("images", format_shape(architecture.input_shape)), *rows])


def _recipe(trained: TrainedNetwork) -> list[str]:
    recipe = trained.recipe.to_dict()
    steps = recipe.pop("augment")
    rows = [(f"`{key}`", as_markdown(_value(value))) for key, value in recipe.items()]
    for number, step in enumerate(steps, 1):
        strengths = ", ".join(f"{k} {_value(v)}" for k, v in step.items() if k != "kind")
        rows.append((f"`augment` {number}", as_markdown(f"{step['kind']}: {strengths}")))
    return _table(("key", "value"), rows)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a table in Markdown; its cells are Markdown."""
    lines: Iterator[tuple[str, ...]] = iter((head, ("---",) * len(head), *rows))
    return [f"| {' | '.join(cells)} |" for cells in lines]
