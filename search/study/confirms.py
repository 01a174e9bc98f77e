"""Confirms, stored with their study: their plans, each repeat, and the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from search.statistics import Spread
from search.study.study import StoredStudy
from search.text import percent, plural
from trainer.backends.choose import Backend
from trainer.metrics import floor

__all__ = [
    "FINAL",
    "MOST_INT8_LOSS",
    "PARTS",
    "SELECTION",
    "Confirm",
    "ConfirmPlan",
    "Repeat",
    "Tuning",
    "last_ordinal",
    "load_confirm",
    "load_confirms",
    "save_plan",
    "save_repeat",
]

SELECTION, FINAL = "selection", "final"
PARTS = (SELECTION, FINAL)
"""The parts of a confirm in order: retrainings of all candidates, then of the champion."""

MOST_INT8_LOSS = 0.001
"""A champion that loses more than this by int8 on the validation part is tuned for it, 0 to 1."""


@dataclass(frozen=True)
class ConfirmPlan:
    """The plan of a confirm.

    Attributes:
        ordinal: 1 for the study's first confirm.
        trials: numbers of the best trials, the best first.
        seeds: repeats of each.
        trained: the number of trained trials that the study had when the confirm began.
        top: how many best trials were asked for, for each limit; there may have been fewer.
        parameters: of each trial's network, where the choice depends on them; else empty.
        limits: on parameters, ascending, where each is to have a champion; else empty.
        to_hold: the accuracy that the smallest network is to hold; None where the most accurate one
            is asked for.
        by_int8: whether the accuracy in int8 chooses, as it does where the budget limits what a
            chip holds.
        tunes: whether int8 is measured in the selection, and a champion is tuned that loses too
            much by it; it is not in confirms that an older version began.
    """

    ordinal: int
    trials: tuple[int, ...]
    seeds: int
    trained: int
    top: int
    parameters: tuple[int, ...] = ()
    limits: tuple[int, ...] = ()
    to_hold: float | None = None
    by_int8: bool = False
    tunes: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, without what is not set."""
        optional = ("parameters", "limits", "to_hold", "by_int8", "tunes")
        kept = asdict(self).items()
        unset = ((), None, False)
        return {key: value for key, value in kept if key not in optional or value not in unset}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> ConfirmPlan:
        """Read what :meth:`to_dict` returned."""
        lists = {key: tuple(kept.get(key, ())) for key in ("trials", "parameters", "limits")}
        return cls(**{"top": len(kept["trials"]), **kept, **lists})

    def within(self, limit: int | None) -> tuple[int, ...]:
        """Return the trials whose networks fit one of several limits; all for None."""
        if limit is None:
            return self.trials
        sizes = zip(self.trials, self.parameters, strict=True)
        return tuple(trial for trial, size in sizes if size <= limit)


@dataclass(frozen=True)
class Tuning:
    """The quantisation-aware tuning of one retraining.

    Attributes:
        loss: the accuracy that the champion lost by int8 on the validation part, mean over its
            repeats, 0 to 1: why there is a tuning.
        epochs: of the tuning.
        seconds: wall time.
        weights: artifact of the tuned weights, where they were kept.
        weights_sha256: of that file.
    """

    loss: float
    epochs: int
    seconds: float
    weights: str | None = None
    weights_sha256: str | None = None


@dataclass(frozen=True)
class Repeat:
    """One retraining.

    Attributes:
        trial: whose candidate it was.
        repeat: from 0.
        seed: of the recipe.
        accuracies: after each epoch, 0 to 1; fewer than the recipe's epochs where it failed.
        seconds: wall time.
        failure: why it ended early, empty where it did not.
        device: hardware.
        versions: of the packages that decide the figures.
        normalisation: mean and deviation per channel, of the training images.
        weights: artifact of the weights, where they were kept.
        weights_sha256: of that file.
        path: the backend that computed the steps.
        precision: of float32 on the device, ``"ieee"`` or ``"tf32"``; empty if it was not kept.
        int8: accuracy after the last epoch in int8, 0 to 1; None where it was not measured.
        tuning: of the network in int8, whose accuracy ``int8`` then is; None where there was none.
    """

    trial: int
    repeat: int
    seed: int
    accuracies: tuple[float, ...]
    seconds: float
    failure: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    normalisation: Mapping[str, Sequence[float]] = field(default_factory=dict)
    weights: str | None = None
    weights_sha256: str | None = None
    path: str = Backend.EAGER
    precision: str = ""
    int8: float | None = None
    tuning: Tuning | None = None

    def floor(self, epochs: int) -> float:
        """Return the floor; 0 if the repeat failed."""
        return 0.0 if self.failure else floor(self.accuracies, epochs)

    @property
    def last(self) -> float:
        """Return the accuracy after the last epoch; 0 if the repeat failed."""
        return 0.0 if self.failure else self.accuracies[-1]


@dataclass(frozen=True, repr=False)
class Confirm:
    """A confirm as far as it has come.

    Attributes:
        plan: its plan.
        floor_epochs: of the study.
        selection: the repeats that choose, scored on the validation part.
        final: the repeats of the champion, or of each champion, on the whole training set, scored
            on the test set.
    """

    plan: ConfirmPlan
    floor_epochs: int
    selection: tuple[Repeat, ...]
    final: tuple[Repeat, ...]

    def __repr__(self) -> str:
        lines = [f"confirm {self.plan.ordinal}, {'finished' if self.finished else 'not finished'}"]
        for trial in self.plan.trials:
            if floors := self.validation_floors(trial):
                found = Spread.of(floors)
                lines.append(
                    f"    trial {trial}: validation floor {percent(found.mean)}"
                    f"{found.deviation_text()} over {plural(found.n, 'seed')}"
                )
        for trial in dict.fromkeys(repeat.trial for repeat in self.final):
            found = Spread.of(self.test_floors_of(trial))
            measured = self.test_int8_of(trial)
            int8 = f", in int8 {percent(fmean(measured))}" if measured else ""
            lines.append(
                f"    champion, trial {trial}: test floor {percent(found.mean)}"
                f"{found.deviation_text()}{int8} over {plural(found.n, 'seed')}"
            )
        return "\n".join(lines)

    @property
    def selected(self) -> bool:
        """Return whether every repeat of the selection is stored."""
        return len(self.selection) == len(self.plan.trials) * self.plan.seeds

    @property
    def finished(self) -> bool:
        """Return whether the repeats of the champion, or of each champion, are all stored too."""
        return self.selected and len(self.final) == self.plan.seeds * len(self.finalists)

    @property
    def champions(self) -> dict[int | None, int]:
        """Return the champion of each limit on parameters; of ``None`` where there is one limit.

        It is the trial with the highest mean validation floor over its retrainings, of those that
        fit the limit; where the budget limits what a chip holds, that with the highest mean
        accuracy in int8. Where the smallest network is asked for that holds a floor, it is the
        smallest one whose mean holds it; if none does, the most accurate. If means are equal, the
        trial that stands earlier in the plan wins. A limit that no trial fits has none.

        Raises:
            ValueError: if not all candidates were retrained yet.
        """
        if not self.selected:
            raise ValueError("not every candidate has been retrained, so there is no champion yet")
        limits = self.plan.limits or (None,)
        return {limit: self._best(fit) for limit in limits if (fit := self.plan.within(limit))}

    @property
    def finalists(self) -> tuple[int, ...]:
        """Return the trials that are champions, each once."""
        return tuple(dict.fromkeys(self.champions.values()))

    def _best(self, trials: Sequence[int]) -> int:
        means = {trial: fmean(self.choosing_figures(trial)) for trial in trials}
        if self.plan.to_hold is not None:
            sizes = dict(zip(self.plan.trials, self.plan.parameters, strict=True))
            holding = [trial for trial in trials if means[trial] >= self.plan.to_hold]
            if holding:
                return min(holding, key=lambda trial: sizes[trial])
        return max(trials, key=lambda trial: means[trial])

    def choosing_figures(self, trial: int) -> list[float]:
        """Return the figures of a trial's repeats whose mean chooses: floors, or int8's."""
        return self.validation_int8(trial) if self.plan.by_int8 else self.validation_floors(trial)

    def validation_floors(self, trial: int) -> list[float]:
        """Return the floor of each repeat of a trial's candidate."""
        return [r.floor(self.floor_epochs) for r in self.selection if r.trial == trial]

    def validation_int8(self, trial: int) -> list[float]:
        """Return the accuracy in int8 of each repeat of a trial's candidate; 0 without one."""
        return [r.int8 or 0.0 for r in self.selection if r.trial == trial]

    def test_int8_of(self, trial: int) -> list[float]:
        """Return a champion's accuracies in int8 on the test set; empty if one was not measured."""
        final = self.final_of(trial)
        found = [repeat.int8 for repeat in final if repeat.int8 is not None]
        return found if len(found) == len(final) else []

    def int8_loss(self, trial: int) -> float | None:
        """Return the accuracy that a trial's candidate loses by int8 on the validation part.

        Returns:
            The mean over its repeats of the selection, 0 to 1, below 0 for a gain; None where int8
            was not measured.
        """
        lost = [r.last - r.int8 for r in self.selection if r.trial == trial and r.int8 is not None]
        return fmean(lost) if lost else None

    def loss_to_tune(self, trial: int) -> float | None:
        """Return what a champion loses by int8 where it is to be tuned for that; else None.

        The selection alone decides, so that all final seeds are treated alike.
        """
        loss = self.int8_loss(trial) if self.plan.tunes else None
        # A loss of exactly so much is none too many, whatever the last bits of the mean are.
        return loss if loss is not None and round(loss - MOST_INT8_LOSS, 12) > 0 else None

    @property
    def test_floors(self) -> list[float]:
        """Return the champion's floors on the test set, one for each seed.

        Of several champions it is that of the largest limit.
        """
        if not self.plan.limits:
            return [repeat.floor(self.floor_epochs) for repeat in self.final]
        return self.test_floors_of(self.finalists[-1]) if self.selected else []

    def final_of(self, trial: int) -> tuple[Repeat, ...]:
        """Return a champion's repeats on the whole training set, by the number of its trial."""
        return tuple(repeat for repeat in self.final if repeat.trial == trial)

    def test_floors_of(self, trial: int) -> list[float]:
        """Return a champion's floors on the test set, one for each seed."""
        return [repeat.floor(self.floor_epochs) for repeat in self.final_of(trial)]


def last_ordinal(stored: StoredStudy) -> int:
    """Return the number of the study's last confirm; 0 if there is none."""
    ordinals = [0]
    for key in stored.study.user_attrs:
        kind, _, rest = key.partition(":")
        if kind == "confirm" and rest.isdecimal():
            ordinals.append(int(rest))
    return max(ordinals)


def load_confirms(stored: StoredStudy) -> tuple[Confirm, ...]:
    """Read all confirms of a study, the first one first."""
    return tuple(load_confirm(stored, i + 1) for i in range(last_ordinal(stored)))


def save_plan(stored: StoredStudy, plan: ConfirmPlan) -> None:
    """Store a new confirm's plan, unless another process has begun the confirm just now."""
    stored.storage.keep_first(stored.id, f"confirm:{plan.ordinal}", plan.to_dict())


def save_repeat(stored: StoredStudy, ordinal: int, part: str, slot: int, repeat: Repeat) -> None:
    """Store one repeat of a part of a confirm."""
    stored.study.set_user_attr(f"confirm:{ordinal}:{part}:{slot:04}", asdict(repeat))


def load_confirm(stored: StoredStudy, ordinal: int) -> Confirm:
    """Read a confirm.

    Raises:
        KeyError: if the study does not have this confirm.
    """
    kept = stored.study.user_attrs
    plan = kept[f"confirm:{ordinal}"]
    return Confirm(
        ConfirmPlan.from_dict(plan),
        stored.file.settings.floor_epochs,
        _repeats(kept, f"confirm:{ordinal}:selection:"),
        _repeats(kept, f"confirm:{ordinal}:final:"),
    )


def _repeats(kept: Mapping[str, Any], prefix: str) -> tuple[Repeat, ...]:
    found = [kept[key] for key in sorted(kept) if key.startswith(prefix)]
    return tuple(map(_repeat, found))


def _repeat(kept: Mapping[str, Any]) -> Repeat:
    tuning = kept.get("tuning")
    return Repeat(
        **{
            **kept,
            "accuracies": tuple(kept["accuracies"]),
            "tuning": None if tuning is None else Tuning(**tuning),
        }
    )
