"""The attributes of trials and studies as the dashboard shows them: flat, short, sortable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from search.spec.canonical import SECTIONS
from search.spec.toml import as_table
from search.storage.artifacts import shown_place
from search.text import percent
from trainer.metrics import floor

__all__ = ["study_attributes", "trial_attributes"]

# A trial's page shows six lines of attributes before one has to scroll.
_SHOWN_FIRST = ("outcome", "reason", "architecture", "cost", "epochs", "seconds", "recipe")
_COSTS = (
    "parameters",
    "macs",
    "activation_kib",
    "ram_kib",
    "flash_kib",
    "receptive_field_before_gap",
    "receptive_field",
    "deployed_parameters",
)
_FLOOR_EPOCHS = 5


def trial_attributes(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user attributes of a trial as the dashboard shows them.

    The dashboard sorts and plots only numbers, and cuts nested values. So each figure of the
    cost becomes an attribute, epochs become their number, the last figures and one line of
    accuracies, an architecture becomes one line, and anything nested becomes a short text.

    Args:
        kept: as the trial has them; any trial, flyweight's or not.

    Returns:
        Numbers and texts, the interesting ones first.
    """
    order = [key for key in _SHOWN_FIRST if key in kept]
    order += [key for key in kept if key not in _SHOWN_FIRST]
    shown: dict[str, Any] = {}
    for key in order:
        shown.update(_PRESENTERS.get(key, _plain)(key, kept[key]))
    return shown


def study_attributes(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user attributes of a study as the dashboard shows them.

    Each key of its file and each repeat of a confirm becomes an attribute.

    Args:
        kept: as the study has them; any study, flyweight's or not.

    Returns:
        Numbers and texts.
    """
    kept_of_study = as_table(kept.get("flyweight"))
    file = as_table(kept_of_study.get("file"))
    epochs = as_table(file.get("study")).get("floor_epochs", _FLOOR_EPOCHS)
    shown: dict[str, Any] = {}
    for key, value in kept.items():
        if key == "flyweight" and file:
            for section in SECTIONS:
                for name, item in as_table(file.get(section)).items():
                    shown.update(_plain(f"{section}.{name}", item))
            shown.update(
                _plain(
                    "artifacts",
                    shown_place(kept_of_study),
                )
            )
        elif key == "sessions" and file:
            shown["runs"] = len(value)
        elif key.startswith("confirm:") and "accuracies" in as_table(value):
            shown[key] = _repeat_text(key, value, epochs)
        else:
            shown.update(_plain(key, value))
    return shown


def _repeat_text(key: str, repeat: Mapping[str, Any], epochs: Any) -> str:
    part = "test set" if ":final:" in key else "validation part"
    who = f"trial {repeat.get('trial')}, repeat {repeat.get('repeat')}"
    accuracies = _numbers(repeat["accuracies"])
    if repeat.get("failure") or not accuracies:
        return f"{who}: {repeat.get('failure') or 'no epoch'}"
    lowest = percent(floor(accuracies, epochs if isinstance(epochs, int) and epochs > 0 else 1))
    int8 = repeat.get("int8")
    in_int8 = f", in int8 {percent(int8)}" if isinstance(int8, float) else ""
    return f"{who}: floor {lowest}, last {percent(accuracies[-1])}{in_int8} on the {part}"


def _cost(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return _plain(key, value)
    shown: dict[str, Any] = {}
    for name in _COSTS:
        if name in value:
            shown.update(_plain(name, value[name]))
    return shown


def _epochs(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list) or not all(isinstance(epoch, Mapping) for epoch in value):
        return _plain(key, value)
    shown: dict[str, Any] = {key: len(value)}
    for name in ("loss", "train_accuracy"):
        if figures := _numbers([epoch.get(name) for epoch in value]):
            shown[name] = figures[-1]
    accuracies = _numbers([epoch.get("accuracy") for epoch in value])
    if accuracies:
        shown["accuracies_percent"] = " ".join(f"{share * 100:.2f}" for share in accuracies)
    return shown


def _numbers(values: object) -> list[float]:
    """Return the values that are numbers; true and false are not."""
    return [v for v in values if type(v) in (int, float)] if isinstance(values, list) else []


def _architecture(key: str, value: Any) -> dict[str, Any]:
    return {key: " | ".join(value.splitlines())} if isinstance(value, str) else _plain(key, value)


def _plain(key: str, value: Any) -> dict[str, Any]:
    keeps = isinstance(value, str | int | float) and not isinstance(value, bool)
    return {key: value if keeps else _text(value)}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inner(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_inner, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _inner(value: Any) -> str:
    return f"({_text(value)})" if isinstance(value, Mapping | list) else _text(value) or '""'


_PRESENTERS: Mapping[str, Callable[[str, Any], dict[str, Any]]] = {
    "cost": _cost,
    "epochs": _epochs,
    "architecture": _architecture,
}
