"""What a report on a study says, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from optuna.artifacts import get_all_artifact_meta
from optuna.trial import FrozenTrial

from search.confirm.choice import last_champion
from search.pages.blocks import Block, Code, Figure, Kept, Lines, Page, Section, Table, Text
from search.pictures.curves import curves_picture
from search.pictures.network import network_picture
from search.pictures.search_charts import Measured, front_chart, progress_chart
from search.report.analysis import difference_line, fit_of, importance_lines, target_lines
from search.statistics import Spread
from search.status import Status, front_of, status_of
from search.storage.urls import storage_option
from search.study.candidates import first_of_each
from search.study.confirms import Confirm
from search.study.records import NO_PICTURES_ATTRIBUTE, TrialRecord, best_of, bests_so_far
from search.study.study import StoredStudy
from search.text import duration, percent, plural
from space.cost import cost
from space.deployed.cost import DEFAULT_CORE, deployed_cost
from space.errors import NotDeployable
from space.fields import show
from space.layers.words import format_shape
from space.summary import summary

__all__ = ["page_of"]

_SHOWN = 3
_KEPT = (
    ("confusion.svg", "How many validation images of each class were taken for which class."),
    ("mistakes.svg", "Validation images that were taken for another class."),
)
_LARGEST_PICTURE = 2_000_000


def page_of(stored: StoredStudy) -> Page:
    """Return the report on a study as it is now."""
    return _Report(stored).page()


class _Report:
    def __init__(self, stored: StoredStudy) -> None:
        self.stored = stored
        self.state: Status = status_of(stored)
        self.storage = storage_option(stored.url)
        self.names = f"{stored.name}{self.storage}"
        self.trials: list[FrozenTrial] = stored.study.get_trials(deepcopy=False)
        self.records: list[TrialRecord] = stored.records()
        settings, several = stored.file.settings, stored.file.budget.several
        self.best = best_of(self.records, settings.to_hold)
        self.limit = several[-1] if several else None
        found = last_champion(stored, self.limit)
        self.confirm: Confirm | None = found[0] if found else None
        self.champion: TrialRecord | None = self.records[found[1]] if found else None

    def page(self) -> Page:
        sections = [
            Section("What was asked", tuple(self._asked())),
            Section("How the search went", tuple(self._search())),
            Section("The confirm", tuple(self._confirm())),
            Section("Analysis", (Lines(tuple(self._analysis())),)),
            *self._networks(),
            Section("Cost", tuple(self._cost())),
            Section("To reproduce", tuple(self._reproduce())),
        ]
        foot = f"Written by flyweight {version('flyweight')} from the study {self.stored.name}."
        kept = tuple(section for section in sections if section.blocks)
        return Page(self.stored.name, self._lead(), kept, foot)

    def _lead(self) -> str:
        data = self.stored.data.name
        if self.confirm is not None and self.champion is not None:
            floors = Spread.of(self.confirm.test_floors_of(self.champion.number))
            return (
                f"The best network found for {data} has {self.champion.parameters or 0:,} "
                f"parameters and holds {percent(floors.mean)}{floors.deviation_text()} of the test "
                f"set over {plural(floors.n, 'seed')}."
            )
        if self.best is not None:
            return (
                f"The best trial for {data} has {self.best.parameters or 0:,} parameters and a "
                f"validation floor of {percent(self.best.score)}, by one seed. No confirm has "
                "measured it on the test set."
            )
        return f"No trial of this study for {data} has completed yet."

    def _asked(self) -> Iterator[Block]:
        data, file = self.stored.data, self.stored.file
        floor_epochs = file.settings.floor_epochs
        rows = [
            (
                "data",
                f"{data.name}, {len(data.classes)} classes of {format_shape(data.input_shape)}",
            ),
            ("classes", ", ".join(data.classes)),
            ("budget", file.budget.limits_text()),
            ("target", percent(file.settings.target) if file.settings.target else "none"),
            ("asked for", file.asked or "the most accurate network"),
            (
                "judged by",
                f"the lowest validation accuracy of the last {floor_epochs} epochs",
            ),
            ("epochs of a training", f"{file.recipe_space().epochs}"),
            ("search", f"sampler {file.settings.sampler}, pruner {file.settings.pruner}"),
        ]
        yield _pairs(rows)

    def _search(self) -> Iterator[Block]:
        state = self.state
        counts = [f"{count:,} {name}" for name, count in state.outcomes.items() if count]
        seconds = sum(record.seconds for record in self.records)
        rows = [
            ("trained", f"{state.trained:,} of {max(state.trained, state.total):,} trials"),
            ("outcomes", ", ".join(counts)),
            ("rejected by", state.rejections),
            ("training time", duration(seconds) + " of all workers together"),
        ]
        if state.trials_an_hour:
            rows.append(("pace", f"{state.trials_an_hour:,.0f} trials an hour in the last run"))
        yield _pairs([row for row in rows if row[1]])
        complete = [record for record in self.records if record.score is not None]
        if not complete:
            return
        front = [
            Measured(point.parameters, point.score, f"trial {point.trial}")
            for point in front_of(self.records)
        ]
        limits = self.stored.file.budget.parameter_limits
        measured = [_measured(each) for each in complete]
        drawing = front_chart(measured, front, self._confirmed(), limits)
        yield Figure(drawing, "Each complete trial is one seed, judged on the validation part.")
        bests, trained = bests_so_far(self.records)
        steps = [(count, best.score or 0.0, f"trial {best.number}") for count, best in bests]
        yield Figure(progress_chart(steps, trained))
        rows_of_front = [
            (f"{point.parameters:,}", percent(point.score), f"{point.trial}", point.on_chip or "-")
            for point in front_of(self.records)
        ]
        yield Text("The front: what no other trial beats in both accuracy and parameters.")
        yield Table(
            ("parameters", "validation floor", "trial", "in int8"),
            rows_of_front,
            frozenset({0, 1, 2}),
        )

    def _confirmed(self) -> list[Measured]:
        if self.confirm is None:
            return []
        found = []
        for trial in self.confirm.plan.trials:
            floors = Spread.of(self.confirm.validation_floors(trial))
            parameters = self.records[trial].parameters or 1
            words = f"trial {trial}: {percent(floors.mean)}{floors.deviation_text()}"
            found.append(Measured(parameters, floors.mean, words, floors.deviation))
        return found

    def _confirm(self) -> Iterator[Block]:
        confirm, champion = self.confirm, self.champion
        if confirm is None or champion is None:
            yield Text(f"No confirm has finished. Next: flyweight confirm {self.names}")
            return
        yield Text(
            f"The candidates were retrained with {plural(confirm.plan.seeds, 'seed')} each; the "
            "choice was made on the validation part."
        )
        # Earlier versions measured no int8 in the selection.
        measured = any(repeat.int8 is not None for repeat in confirm.selection)
        rows = []
        for trial in confirm.plan.trials:
            floors = Spread.of(confirm.validation_floors(trial))
            row = [f"{trial}", f"{self.records[trial].parameters or 0:,}"]
            row.append(f"{percent(floors.mean)}{floors.deviation_text()}")
            if measured:
                int8 = Spread.of(confirm.validation_int8(trial))
                row.append(f"{percent(int8.mean)}{int8.deviation_text()}")
            rows.append(tuple(row))
        headings = ("trial", "parameters", "validation floor", "in int8")[: len(rows[0])]
        chosen = set(confirm.champions.values())
        marked = frozenset(i for i, trial in enumerate(confirm.plan.trials) if trial in chosen)
        yield Table(headings, rows, frozenset(range(len(headings))), marked)
        yield Text(
            f"Trial {champion.number} was then trained on the whole training set and measured on "
            "the test set, which nothing had read before."
        )
        final = confirm.final_of(champion.number)
        with_int8 = bool(confirm.test_int8_of(champion.number))
        table = [
            [
                f"{repeat.repeat + 1}",
                percent(repeat.last),
                *([percent(repeat.int8)] if with_int8 else []),
                percent(repeat.floor(confirm.floor_epochs)),
            ]
            for repeat in final
        ]
        columns = [
            [repeat.last for repeat in final],
            *([confirm.test_int8_of(champion.number)] if with_int8 else []),
            confirm.test_floors_of(champion.number),
        ]
        means = [Spread.of(column) for column in columns]
        table.append(["mean", *(f"{percent(mean.mean)}{mean.deviation_text()}" for mean in means)])
        last = f"floor of the last {confirm.floor_epochs} epochs"
        names = ("seed", "last epoch", *(["in int8"] if with_int8 else []), last)
        yield Table(names, table, frozenset(range(len(names))), frozenset({len(table) - 1}))

    def _analysis(self) -> Iterator[str]:
        target = self.stored.file.settings.target
        number = None if self.champion is None else self.champion.number
        yield from target_lines(target, self.best, self.confirm, number)
        judged = self.champion or self.best
        if judged is not None and judged.epochs:
            yield fit_of(judged)
        yield from importance_lines(self.trials)
        yield from difference_line(self.state.difference)
        if self.state.advice:
            yield self.state.advice

    def _networks(self) -> Iterator[Section]:
        for record in self._shown():
            name = f"Trial {record.number}"
            if self.champion is not None and record.number == self.champion.number:
                name += ", the champion"
            yield Section(name, tuple(self._network(record)))

    def _shown(self) -> list[TrialRecord]:
        complete = [record for record in self.records if record.score is not None]
        ranked = sorted(complete, key=lambda each: -(each.rank_score or 0))
        first = [self.champion] if self.champion is not None else []
        keys = {record.key for record in first}
        others = [each for each in first_of_each(ranked) if each.key not in keys]
        return [*first, *others][:_SHOWN]

    def _network(self, record: TrialRecord) -> Iterator[Block]:
        candidate = record.candidate(self.stored.data.input_shape)
        yield Text(
            f"{record.parameters or 0:,} parameters, validation floor {percent(record.score)}, "
            f"trained in {duration(record.seconds)}."
        )
        yield Figure(network_picture(candidate.architecture))
        lines = summary(candidate.architecture)
        rows = [
            (
                f"{line.line + 1}",
                line.words,
                format_shape(line.after),
                f"{line.parameters:,}",
                f"{line.macs:,}",
                line.sees,
            )
            for line in lines
        ]
        headings = ("line", "layer", "map", "parameters", "MACs", "sees, pixels")
        yield Table(headings, rows, frozenset({0, 2, 3, 4, 5}))
        if record.epochs:
            yield Figure(curves_picture(record.epochs, self.stored.file.settings.floor_epochs))
        kept = self._pictures(record.number)
        for name, caption in _KEPT:
            if name in kept:
                yield Kept(kept[name], caption)
        if record.epochs and not kept:
            reason = record.attributes.get(NO_PICTURES_ATTRIBUTE, "an older version trained it")
            yield Text(f"This trial kept no pictures of its mistakes: {reason}.")
        yield Text("Its recipe:")
        yield Code(_keys(record.recipe))

    def _pictures(self, number: int) -> Mapping[str, str]:
        """Return the pictures that a trial keeps, by the names of their files."""
        metas = get_all_artifact_meta(self.trials[number], storage=self.stored.storage)
        found = {}
        for meta in metas:
            # A database from elsewhere must not choose files outside of the folder.
            is_name = Path(meta.artifact_id).name == meta.artifact_id
            if not (is_name and meta.filename.endswith(".svg")):
                continue
            for folder in self.stored.folders.all:
                path = folder / meta.artifact_id
                if path.is_file() and path.stat().st_size <= _LARGEST_PICTURE:
                    found[meta.filename] = path.read_text("utf-8", errors="replace")
                    break
        return found

    def _cost(self) -> Iterator[Block]:
        record = self.champion or self.best
        if record is None:
            return
        architecture = record.candidate(self.stored.data.input_shape).architecture
        price = cost(architecture)
        rows = [
            ("trial", f"{record.number}"),
            ("parameters", f"{price.parameters:,}"),
            ("parameters once norms are folded", f"{price.deployed_parameters:,}"),
            ("multiply-accumulates of an image", f"{price.macs:,}"),
            ("activations in float32", f"{price.activation_kib:,.1f} KiB"),
            ("one output sees before gap", f"{price.receptive_field_before_gap} pixels a side"),
        ]
        core = self.stored.file.budget.core or DEFAULT_CORE
        try:
            chip = deployed_cost(architecture, core)
            rows += [
                ("RAM as C in int8", f"{chip.ram:,} bytes"),
                (f"flash as C in int8, {core}", f"{chip.flash:,} bytes"),
            ]
        except NotDeployable as error:
            rows.append(("as C in int8", f"not possible: {error}"))
        if latency := self.stored.latency(record):
            rows.append(("time on the board", latency))
        yield _pairs(rows)
        name = self.stored.name
        yield Text("To have it as files (docs/deploy.md has the formats):")
        limit = f" --parameters {self.limit}" if self.limit is not None else ""
        yield Code(
            f"flyweight export {self.names}{limit} --out exports/{name} "
            "--format torch,onnx,int8,c,c-int8"
        )

    def _reproduce(self) -> Iterator[Block]:
        file, storage = self.stored.file, self.storage
        first = next((record for record in self.records if record.trained), None)
        kept: Mapping[str, Any] = {} if first is None else first.attributes
        versions = kept.get("versions", {})
        rows = [
            ("machine", str(kept.get("device", ""))),
            ("versions", ", ".join(f"{name} {number}" for name, number in versions.items())),
            ("seed of the study", f"{file.settings.seed}"),
            ("data", f"fingerprint {self.stored.data.fingerprint}"),
        ]
        yield _pairs([row for row in rows if row[1]])
        study = f"{self.stored.name}.toml"
        yield Code(
            f"flyweight run {study}{storage}\nflyweight confirm {study}{storage}\n"
            f"flyweight replay {study} --trial N{storage}"
        )
        yield Text(f"{study}, with every default written out:")
        yield Code(_toml(file.to_dict()))


def _measured(record: TrialRecord) -> Measured:
    words = f"trial {record.number}: {percent(record.score)}"
    return Measured(record.parameters or 1, record.score or 0.0, words)


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    return Table(("", ""), rows)


def _toml(sections: Mapping[str, Any]) -> str:
    """Write the sections of a study file."""
    lines = []
    for name, section in sections.items():
        if not isinstance(section, Mapping):
            continue
        lines.append(f"[{name}]")
        lines += [_keys(section), ""]
    return "\n".join(lines).rstrip()


def _keys(table: Mapping[str, Any]) -> str:
    """Write the keys of a table as a study file has them."""
    return "\n".join(f"{key} = {show(value)}" for key, value in table.items() if value is not None)
