from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.trainer.datafiles import opened, picture


def _write_odd_files(folder: Path) -> None:
    """Three classes of files of six modes, some of them in subfolders."""
    for number, name in enumerate(("b", "a", "Ä")):
        for i in range(9):
            where = folder / name / ("deeper" if i % 4 == 3 else "")
            where.mkdir(parents=True, exist_ok=True)
            seed = 100 * number + i
            mode = ("L", "RGBA", "LA", "P", "1", "I;16")[i % 6]
            if mode == "I;16":
                values = np.random.default_rng(seed).integers(0, 65536, (8, 6), dtype=np.uint16)
                Image.fromarray(values).save(where / f"{i}.png")
            elif mode == "RGBA":
                picture(seed, (6, 8), mode).save(where / f"{i}.PNG")
            else:
                picture(seed, (6, 8)).convert(mode).save(where / f"{i}.png")
        (folder / name / "notes.txt").write_text("no image")
        (folder / name / "Thumbs.db").write_bytes(b"x")


@pytest.mark.parametrize(
    ("options", "fingerprint", "of_test"),
    [
        ({}, "0b43ff24aad29620", "6f35574f7f358bfe"),
        ({"colour": False}, "e95bffe2bde2286c", "2c98708accb434fa"),
        ({"image_size": 5}, "bfbc539d1f485864", "f0e43eb7add1b483"),
    ],
)
def test_older_studies_keep_their_pixels(
    tmp_path: Path, options: dict[str, Any], fingerprint: str, of_test: str
) -> None:
    """The figures are those of version 0.1.0, so a study that began under it goes on."""
    _write_odd_files(tmp_path)
    data = opened(tmp_path, rules=1, **options)
    assert data.info.classes == ("a", "b", "Ä")
    assert data.info.fingerprint == fingerprint
    assert data.info.reading.rules == 1
    test = data.test()
    seen = hashlib.sha256(test.pixels.numpy().tobytes() + test.labels.numpy().tobytes())
    assert seen.hexdigest()[:16] == of_test


def test_new_studies_read_otherwise(tmp_path: Path) -> None:
    """The newest rules differ from the first ones where transparency and 16 bits are concerned."""
    _write_odd_files(tmp_path)
    assert opened(tmp_path).info.fingerprint != opened(tmp_path, rules=1).info.fingerprint
    assert opened(tmp_path).info.reading.rules == 3
