"""The model card of an exported network: what it is, what it costs, how it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from string import punctuation
from typing import Any

from search.errors import printable
from search.export.example_image import image_lines
from search.export.trained_network import Figures, TrainedNetwork
from search.statistics import Spread
from search.text import at_most, percent, plural
from space.cost import cost
from space.layers.words import format_shape

__all__ = ["accuracy_lines", "as_markdown", "card_of", "layer_lines", "model_card", "table_lines"]

_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:/+()-]*")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_MOST_CLASSES = 20


def model_card(trained: TrainedNetwork, package: str) -> str:
    """Return the card in Markdown.

    Args:
        trained: the network.
        package: the name under which it is imported; a Python identifier.
    """
    sections = [
        [f"# {as_markdown(trained.name)}"],
        _summary(trained),
        ["## Use"],
        _usage(trained, package),
        ["## Accuracy"],
        accuracy_lines(trained.figures),
        ["## Cost"],
        _cost(trained),
        ["## Layers"],
        layer_lines(trained),
        ["## Recipe"],
        _recipe(trained),
    ]
    return card_of(sections)


def card_of(sections: Iterable[Iterable[str]]) -> str:
    """Return the text of a card from the lines of its headings and sections."""
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def as_markdown(text: str) -> str:
    """Escape a text so that Markdown shows it as it is, on one line."""
    line = printable(" ".join(text.split()))
    if _HARMLESS.fullmatch(line) and "://" not in line and "www." not in line:
        return line
    return "".join(f"\\{c}" if c in punctuation else c for c in line) or "(no name)"


def _summary(trained: TrainedNetwork) -> list[str]:
    architecture, names = trained.architecture, trained.class_names
    shown = ", ".join(map(as_markdown, names[:_MOST_CLASSES]))
    if len(names) > _MOST_CLASSES:
        shown += f" and {len(names) - _MOST_CLASSES} more"
    return [
        f"A convolutional network of {cost(architecture).parameters:,} parameters for "
        f"{as_markdown(trained.dataset)}:",
        f"images of {format_shape(architecture.input_shape)} in, one logit for each of "
        f"{len(names)} classes out ({shown}).",
        ("Made by hand, trained" if trained.figures.kind == "step" else "Found")
        + " by flyweight; it needs torch and safetensors alone.",
    ]


def _usage(trained: TrainedNetwork, package: str) -> list[str]:
    shape = ", ".join(map(str, trained.architecture.input_shape))
    return [
        "With the folder that holds this package on Python's path (start Python there, or name",
        "it in `PYTHONPATH`):",
        "",
        "```python",
        *image_lines(trained.dataset, trained.architecture.input_shape, trained.reading),
        "",
        f"import {package}",
        "",
        f"network = {package}.load()",
        "with torch.inference_mode():",
        "    logits = network(image[None])[0]",
        f"print({package}.CLASSES[int(logits.argmax())])",
        "```",
        "",
        f"An image is ({shape}): channels, height, width, as floats from 0 (black) to 1;",
        "the normalisation is inside the network. It takes any number of images at once, (n, "
        f"{shape}),",
        f"and gives (n, {len(trained.class_names)}) logits.",
    ]


def accuracy_lines(figures: Figures) -> list[str]:
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
        if (int8 := figures.int8_accuracy) is not None:
            rows.append(("test", "after the last epoch, in int8", str(int8.n), _spread(int8)))
        weights = f"after the last epoch, these weights (seed {first.seed})"
        rows.append(("test", weights, "1", percent(first.accuracy)))
        if first.int8 is not None:
            rows.append(("test", f"{weights}, in int8", "1", percent(first.int8)))
    kinds = {"champion": _champion_notes, "trial": _trial_notes, "step": _step_notes}
    notes = kinds[figures.kind](figures)
    versions = ", ".join(f"{as_markdown(k)} {as_markdown(v)}" for k, v in figures.versions.items())
    return [
        *table_lines(("set", "figure", "seeds", "accuracy"), rows),
        "",
        *notes,
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
        "± is one standard deviation over seeds, of a sample.",
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


def _cost(trained: TrainedNetwork) -> list[str]:
    price = cost(trained.architecture)
    before, after = price.receptive_field_before_gap, price.receptive_field
    rows = [
        ("parameters", f"{price.parameters:,}"),
        ("parameters when deployed (BatchNorm folded)", f"{price.deployed_parameters:,}"),
        ("multiply-accumulates, one image", f"{price.macs:,}"),
        ("activation memory, one image (float32)", f"{price.activation_kib:,.1f} KiB"),
        ("receptive field before global pooling", f"{before} x {before} pixels"),
        ("receptive field", f"{after} x {after} pixels"),
    ]
    return table_lines(("cost", "value"), rows)


def layer_lines(trained: TrainedNetwork) -> list[str]:
    """Return the lines of a network and the maps that they give, as a table."""
    architecture = trained.architecture
    lines = zip(architecture.layers, architecture.shapes, strict=True)
    rows = [(f"`{layer}`", format_shape(shape)) for layer, shape in lines]
    return table_lines(
        ("line", "gives"), [("images", format_shape(architecture.input_shape)), *rows]
    )


def _recipe(trained: TrainedNetwork) -> list[str]:
    recipe = trained.recipe.to_dict()
    steps = recipe.pop("augment")
    rows = [(f"`{key}`", as_markdown(_value(value))) for key, value in recipe.items()]
    for number, step in enumerate(steps, 1):
        strengths = ", ".join(f"{k} {_value(v)}" for k, v in step.items() if k != "kind")
        rows.append((f"`augment` {number}", as_markdown(f"{step['kind']}: {strengths}")))
    return table_lines(("key", "value"), rows)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def table_lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a table in Markdown; its cells are Markdown."""
    lines: Iterator[tuple[str, ...]] = iter((head, ("---",) * len(head), *rows))
    return [f"| {' | '.join(cells)} |" for cells in lines]
