from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search.data.arrays import keep_arrays
from search.errors import InputError
from search.spec.study_file import StudyFile
from search.workers.data import data_root, open_data
from tests.search.small_studies import SKELETON, quiet, reopened, url_in, write_study
from trainer.errors import DataError

IMAGES = torch.arange(60 * 6 * 5).remainder(251).to(torch.uint8).reshape(60, 6, 5)
LABELS = torch.arange(60) % 3


def _file(folder: Path, dataset: str | None = None) -> StudyFile:
    where = dataset or f"npz:{folder / 'kept' / 'mine.npz'}"
    return StudyFile.load(write_study(folder, dataset=where, space=SKELETON))


@pytest.mark.parametrize("kind", [torch.Tensor, np.asarray])
def test_arrays_become_the_data_set(tmp_path: Path, kind: Any) -> None:
    """Tensors and numpy's arrays are what the workers then read, and are kept once."""
    file = _file(tmp_path)
    images, labels = (IMAGES, LABELS) if kind is torch.Tensor else (IMAGES.numpy(), LABELS.numpy())
    keep_arrays(file, (images, labels, ["a", "b", "c"]))
    data = open_data(file, tmp_path)
    assert data.info.classes == ("a", "b", "c")
    assert data.info.input_shape == (1, 6, 5)
    known = {
        image.numpy().tobytes(): int(label) for image, label in zip(IMAGES, LABELS, strict=True)
    }
    for part in (*data.search_split(), data.test()):
        for image, label in zip(part.pixels, part.labels, strict=True):
            assert known[image.numpy().tobytes()] == label
    (only,) = (tmp_path / "kept").iterdir()
    before = only.stat().st_mtime_ns
    keep_arrays(file, (images, labels, ["a", "b", "c"]))
    assert only.stat().st_mtime_ns == before
    with pytest.raises(InputError, match="holds other arrays; name another file"):
        keep_arrays(file, (images, labels))


def test_types_that_numpy_lacks_or_pickles(tmp_path: Path) -> None:
    """Tensors of bfloat16 and texts as objects, as pandas has them, are arrays as others are."""
    texts = np.array(["cat", "dog", "é"] * 20, dtype=object)
    keep_arrays(_file(tmp_path), ((IMAGES / 255).bfloat16(), texts))
    data = open_data(_file(tmp_path), tmp_path)
    assert data.info.classes == ("cat", "dog", "é")
    wanted = ((IMAGES / 255).bfloat16().double() * 255).round().to(torch.uint8)
    parts = [part.pixels for part in (*data.search_split(), data.test())]
    assert {each.numpy().tobytes() for part in parts for each in part} == {
        each.numpy().tobytes() for each in wanted
    }


def test_arrays_that_cannot_be_kept(tmp_path: Path) -> None:
    """Nothing is written before the arrays and the study fit."""
    with pytest.raises(InputError, match="so say dataset = \"npz:PATH\" and not 'digits'"):
        keep_arrays(_file(tmp_path, "digits"), (IMAGES, LABELS))
    file = _file(tmp_path)
    with pytest.raises(DataError, match="data: images has floats from 0 to 250"):
        keep_arrays(file, (IMAGES.float(), LABELS))
    with pytest.raises(InputError, match="1 array is given"):
        keep_arrays(file, (IMAGES,))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="arrays are given to run alone"):
        data_root((IMAGES, LABELS))
    with pytest.raises(InputError, match=r"a list is given; .* a tuple of arrays"):
        data_root([IMAGES, LABELS])  # type: ignore[arg-type]
    assert not (tmp_path / "kept").exists()


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.usefixtures("warm_workers")
def test_a_run_takes_arrays(tmp_path: Path) -> None:
    """The study is begun with them, and a timeout of nothing trains nothing."""
    import flyweight

    path = write_study(
        tmp_path,
        dataset=f"npz:{tmp_path / 'mine.npz'}",
        space=SKELETON.replace("linear 10", "linear 3"),
    )
    flyweight.run(
        path,
        timeout=0,
        data=(IMAGES, LABELS),
        storage=url_in(tmp_path),
        device="cpu",
        workers=1,
        console=quiet(),
    )
    assert reopened(tmp_path).data.classes == ("0", "1", "2")


def test_arrays_that_teach_nothing_are_refused_and_not_kept(tmp_path: Path) -> None:
    """What a look at the arrays finds is said, and better ones can be given afterwards."""
    import flyweight

    space = SKELETON.replace("linear 10", "linear 3")
    path = write_study(tmp_path, dataset=f"npz:{tmp_path / 'mine.npz'}", space=space)
    with pytest.raises(DataError, match="all 60 images are of one and the same colour all over"):
        flyweight.run(
            path,
            data=(torch.zeros_like(IMAGES), LABELS),
            storage=url_in(tmp_path),
            device="cpu",
            console=quiet(),
        )
    assert not (tmp_path / "mine.npz").exists()
