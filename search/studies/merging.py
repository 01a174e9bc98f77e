"""``flyweight studies merge``: one study of the trials of several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from optuna.trial import FrozenTrial

from search.errors import InputError
from search.spec.study_file import differences
from search.storage.database import quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.studies.making import MadeStudy, making_study
from search.study.study import StoredStudy, open_study, with_name

__all__ = ["merge_studies"]

_MAY_DIFFER = ("study.name:", "study.seed:")


def merge_studies(studies: Sequence[str], new: str, *, storage: str = DEFAULT_STORAGE) -> MadeStudy:
    """Make one study of the finished trials of several, which stay as they are.

    The studies must have been made from the same file but for ``name``, ``seed`` and ``trials``.
    The new one has the seed of the first. Its trials have new numbers; each keeps study and number
    that it comes from as ``origin``. Unfinished trials and confirms are not taken over. A trial
    that two of the studies have, for one was copied from the other, is taken over once.

    Args:
        studies: names of two or more studies.
        new: name of the new study.
        storage: URL of the study database.

    Raises:
        StorageError: a study does not exist, or there is one of the new name.
        StudyFileError: the new name cannot be a study's.
        InputError: fewer than two studies are given, or they differ.
    """
    quiet_optuna()
    if len(set(studies)) < 2 or len(set(studies)) < len(studies):
        raise InputError(f"{', '.join(studies)}: give two or more different studies to merge")
    first, *others = stored = [open_study(name, storage, writing=True) for name in studies]
    for other in others:
        _refuse_differences(first, other)
    file = with_name(first.kept["file"], new)
    total = sum(each.file.settings.trials for each in stored)
    left_out: Counter[str] = Counter()
    seen: dict[Hashable, tuple[str, int]] = {}
    with making_study(new, first) as maker:
        for each in stored:
            for trial in each.study.get_trials(deepcopy=False):
                if not trial.state.is_finished():
                    left_out["not finished"] += 1
                    continue
                name, number = seen.setdefault(_sameness(trial), (each.name, maker.trials))
                if name != each.name:
                    left_out["there already"] += 1
                    maker.note_same(trial, each, number)
                    continue
                maker.add(trial, each, origin={"study": each.name, "trial": trial.number})
        settings = {**file["study"], "trials": total}
        maker.finish({**first.kept, "file": {**file, "study": settings}})
    return MadeStudy(new, maker.trials, maker.trained, dict(left_out))


def _sameness(trial: FrozenTrial) -> Hashable:
    """Return what a trial and its copies alone have in common: a moment and what was trained."""
    return trial.datetime_start, trial.datetime_complete, trial.user_attrs.get("architecture")


def _refuse_differences(first: StoredStudy, other: StoredStudy) -> None:
    changed = [
        line
        for line in differences(first.file.to_dict(), other.file.to_dict())
        if not line.startswith(_MAY_DIFFER)
    ]
    if not other.search_data_matches(first.data):
        changed.append(f"study.dataset: the images of {first.data.name} are others")
    if changed:
        raise InputError(
            f"{first.name} and {other.name} cannot be merged: {'; '.join(changed)}; only name, "
            "seed and trials may differ"
        )
