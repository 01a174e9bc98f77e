"""Arrays that a caller of Python hands to a study, kept in the file that the study names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from search.errors import InputError
from search.spec.study_file import StudyFile
from search.text import plural
from trainer.data import labels_of, path_of, pixels_of

__all__ = ["Arrays", "keep_arrays"]

Arrays: TypeAlias = tuple[Any, Any] | tuple[Any, Any, Sequence[str]]
"""Images and labels as ``npz:PATH`` has them, tensors or numpy's, and perhaps class names."""


def keep_arrays(file: StudyFile, arrays: Arrays) -> Path | None:
    """Write arrays into the file of a study's data set, from which its workers read them.

    Args:
        file: its data set is ``npz:PATH``.
        arrays: images and labels, tensors or numpy's; perhaps the names of the classes.

    Returns:
        The file that was written; None where it held these arrays before.

    Raises:
        InputError: the data set is another one, the file holds other arrays or cannot be written.
        DataError: the arrays cannot be used.
    """
    dataset = file.settings.dataset
    if not dataset.startswith("npz:"):
        raise InputError(
            f'study.dataset: arrays are kept in a file, so say dataset = "npz:PATH" and not '
            f"{dataset!r}"
        )
    if len(arrays) not in (2, 3):
        raise InputError(
            f"data: {plural(len(arrays), 'array is', 'arrays are')} given; "
            "give images, labels, class names"
        )
    path = path_of(dataset).expanduser()
    given: dict[str, Any] = {"images": _array(arrays[0]), "labels": _array(arrays[1])}
    pixels_of(given["images"], "data: images")
    labels_of(given["labels"], "data: labels")
    if len(arrays) == 3:
        given["class_names"] = np.array([str(name) for name in arrays[2]])
    if path.exists():
        if not _holds(path, given):
            raise InputError(f"{path} holds other arrays; name another file in study.dataset")
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{uuid4().hex}.npz")
        try:
            np.savez(scratch, **given)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})") from error
    return path


def _array(value: Any) -> NDArray[Any]:
    if hasattr(value, "detach"):  # a tensor, on whatever device
        value = value.detach().cpu()
        if value.dtype == torch.bfloat16:
            value = value.float()  # numpy has no such type
        value = value.numpy()
    array = np.asarray(value)
    if array.dtype == object and array.size and all(isinstance(each, str) for each in array.flat):
        return array.astype(str)  # a column of texts, as pandas has it
    return array


def _holds(path: Path, given: dict[str, Any]) -> bool:
    try:
        with np.load(path, allow_pickle=False) as file:
            return set(file.files) == set(given) and all(
                file[key].dtype == array.dtype and np.array_equal(file[key], array)
                for key, array in given.items()
            )
    except (OSError, ValueError, AttributeError, TypeError):
        return False
