"""``flyweight export``: write the champion, or a trial, as files that do not need flyweight."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from optuna.artifacts import get_all_artifact_meta
from torch import Tensor

from search.confirm.choice import chosen_limit, last_champion
from search.errors import ExportError, InputError, ResumeError, TrialError
from search.export.formats import DEFAULT_FORMATS, chosen_formats, write_formats
from search.export.ladder_step import refuse_ladder, step_network
from search.export.trained_network import Figures, SeedRun, TrainedNetwork
from search.statistics import Spread
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.storage.weights import WEIGHTS_FILE, KeptWeights, load_weights
from search.study.confirms import Confirm
from search.study.records import TrialRecord, best_of
from search.study.study import StoredStudy, open_study
from search.text import at_most
from search.workers.data import calibration_images, data_root, reopen_data
from trainer.data import Normalisation
from trainer.errors import DataError
from trainer.recipe import Recipe

__all__ = ["export"]


def export(
    study: str | Path,
    out: str | Path,
    formats: str | Sequence[str] = DEFAULT_FORMATS,
    *,
    trial: int | None = None,
    parameters: int | None = None,
    step: str | None = None,
    data: str | Path | None = None,
    force: bool = False,
    storage: str = DEFAULT_STORAGE,
) -> TrainedNetwork:
    """Write a network in one or more formats and return it.

    Without ``trial`` that is the champion of the last confirm; before a confirm has finished, the
    best trial.

    Args:
        study: path of a study file, or name of a study in the storage; with ``step``, path of a
            ladder file.
        out: the folder that a single format is written to; several formats get a folder each in
            it. The name of the folder of ``torch`` becomes the name of the Python package.
        formats: names of ``search.export.formats.FORMATS``, such as ``("torch",)``.
        trial: number of a completed trial.
        parameters: of a study with several limits on parameters, the one whose champion, or best
            trial, is written.
        step: name of a step of a ladder, of which the first replay is written.
        data: root of the data sets, read for a step and for int8; by default ``$FLYWEIGHT_DATA``,
            else ``data/``.
        force: whether a package of another study in the place is replaced; one of the same study
            always is.
        storage: URL of the study database.

    Raises:
        InputError: a trial and a step, a ladder without a step, or no such step; no such limit, or
            several and none is chosen.
        StorageError: the study does not exist.
        TrialError: the trial does not exist, or it has no weights.
        ExportError: a format is not known, or its folder cannot be written or holds anything else.
    """
    quiet_optuna()
    chosen = chosen_formats(formats)
    if step is not None:
        if trial is not None:
            raise InputError("--trial is of a study and --step of a ladder; give one of them")
        of_step = step_network(Path(study), step, storage, data_root(data))
        return _written(of_step, Path(out), chosen, force)
    refuse_ladder(study)
    stored = open_study(study, storage, writing=False)
    limit = chosen_limit(stored, parameters, trial)
    trained, fold = _champion(stored, limit) if trial is None else None, None
    if trained is None:
        record = _completed(stored, trial, limit)
        trained, fold = _from_trial(stored, record, limit), record.fold
    calibration = partial(_calibration, stored, data_root(data), fold)
    trained = dataclasses.replace(trained, calibration=calibration)
    return _written(trained, Path(out), chosen, force)


def _written(
    trained: TrainedNetwork, out: Path, formats: tuple[str, ...], force: bool
) -> TrainedNetwork:
    checks = write_formats(trained, out, formats, force=force)
    return dataclasses.replace(trained, checks=checks)


def _calibration(stored: StoredStudy, root: Path, fold: int | None) -> Tensor:
    """Return some of the images that a network was trained on: of a fold, or all for None.

    Raises:
        ExportError: the images are not there, or are others than those of the study.
    """
    try:
        dataset = reopen_data(stored, root)
        training = dataset.training() if fold is None else dataset.search_split(fold)[0]
    except (DataError, ResumeError) as error:
        raise ExportError(
            f"{error} (int8 needs training images to choose its ranges: restore them, or say with "
            "--data where they are)"
        ) from error
    return calibration_images(training)


def _completed(stored: StoredStudy, number: int | None, limit: int | None = None) -> TrialRecord:
    records = stored.records()
    if number is None:
        best = best_of(records, stored.file.settings.to_hold, limit)
        if best is None:
            small = "" if limit is None else f" of {at_most(limit)}"
            raise TrialError(
                f"{stored.name} has no completed trial{small} to export yet; use flyweight run "
                "first"
            )
        return best
    record = next((record for record in records if record.number == number), None)
    if record is None:
        raise TrialError(
            f"{stored.name} has no trial {number}; its trials are 0 to {len(records) - 1}"
            if records
            else f"{stored.name} has no trials yet; use flyweight run first"
        )
    if record.score is None:
        why = f": {record.reason}" if record.reason else ""
        raise TrialError(
            f"trial {number} of {stored.name} is {record.outcome or 'not finished'}{why}; "
            "only a completed trial has weights to export"
        )
    return record


def _from_trial(
    stored: StoredStudy, record: TrialRecord, limit: int | None = None
) -> TrainedNetwork:
    kept = record.attributes
    trial = stored.study.get_trials(deepcopy=False)[record.number]
    artifacts = [
        meta.artifact_id
        for meta in get_all_artifact_meta(trial, storage=stored.storage)
        if meta.filename == WEIGHTS_FILE
    ]
    if not artifacts or "normalisation" not in kept:
        raise TrialError(
            f"trial {record.number} of {stored.name} was stored without its weights or "
            "normalisation; retrain it with flyweight confirm"
        )
    figures = Figures(
        kind="trial",
        trial=record.number,
        validation_floor=record.score or 0.0,
        floor_epochs=stored.file.settings.floor_epochs,
        epochs=len(record.epochs),
        hardware=kept["device"],
        versions=kept["versions"],
        seconds=record.seconds,
        asked=stored.file.asked,
        limit=limit,
    )
    recipe = Recipe.from_dict(record.recipe)
    weights = KeptWeights(artifacts[0], kept.get("weights_sha256"))
    return _trained(stored, record, recipe, weights, kept["normalisation"], figures)


def _champion(stored: StoredStudy, limit: int | None) -> TrainedNetwork | None:
    found = last_champion(stored, limit)
    return None if found is None else _from_confirm(stored, *found, limit)


def _from_confirm(
    stored: StoredStudy, confirm: Confirm, trial: int, limit: int | None
) -> TrainedNetwork:
    record = stored.records()[trial]
    final = confirm.final_of(record.number)
    first = final[0]
    if first.weights is None:
        raise TrialError(
            f"confirm {confirm.plan.ordinal} of {stored.name} kept no weights: its first "
            f"retraining failed ({first.failure}); export a trial with --trial N"
        )
    validation = Spread.of(confirm.validation_floors(record.number))
    figures = Figures(
        kind="champion",
        trial=record.number,
        validation_floor=validation.mean,
        validation_seeds=validation.n,
        validation_deviation=validation.deviation,
        floor_epochs=confirm.floor_epochs,
        epochs=len(first.accuracies),
        hardware=first.device,
        versions=first.versions,
        seconds=first.seconds,
        runs=tuple(
            SeedRun(repeat.seed, repeat.last, repeat.floor(confirm.floor_epochs), repeat.int8)
            for repeat in final
        ),
        confirm=confirm.plan.ordinal,
        asked=stored.file.asked,
        limit=limit,
        int8_loss=tuning.loss if (tuning := first.tuning) else None,
    )
    recipe = dataclasses.replace(Recipe.from_dict(record.recipe), seed=first.seed)
    weights = KeptWeights(first.weights, first.weights_sha256)
    trained = _trained(stored, record, recipe, weights, first.normalisation, figures)
    if tuning is None or tuning.weights is None:
        return trained
    tuned = KeptWeights(tuning.weights, tuning.weights_sha256)
    return dataclasses.replace(trained, int8_weights=_load(stored, record, tuned))


def _trained(
    stored: StoredStudy,
    record: TrialRecord,
    recipe: Recipe,
    weights: KeptWeights,
    normalisation: Mapping[str, Sequence[float]],
    figures: Figures,
) -> TrainedNetwork:
    return TrainedNetwork(
        name=stored.name,
        architecture=record.candidate(stored.data.input_shape).architecture,
        weights=_load(stored, record, weights),
        normalisation=Normalisation(tuple(normalisation["mean"]), tuple(normalisation["std"])),
        dataset=stored.data.name,
        class_names=stored.data.classes,
        recipe=recipe,
        figures=figures,
        reading=stored.data.reading,
    )


def _load(stored: StoredStudy, record: TrialRecord, weights: KeptWeights) -> dict[str, Tensor]:
    return load_weights(stored.folders.all, weights, f"trial {record.number}")
