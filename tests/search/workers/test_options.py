from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from search.confirm import confirm
from search.errors import InputError
from search.ladder import ladder
from search.run import run
from search.workers.options import check_counts
from tests.search.ladder_texts import LADDERS
from tests.search.small_studies import begun, url_in, write_study


@pytest.mark.parametrize("count", [0, -1, 1.5, "3", True])
def test_what_is_not_a_count_is_refused(count: Any) -> None:
    """Only whole numbers above 0 count things; the message names the number and the key."""
    check_counts(trials=None, workers=1)
    with pytest.raises(InputError, match="workers: ") as caught:
        check_counts(trials=3, workers=count)
    assert repr(count) in str(caught.value)


def test_commands_refuse_wrong_counts_before_they_store_anything(tmp_path: Path) -> None:
    """A run makes no database, a confirm and a ladder begin nothing."""
    file, url = write_study(tmp_path), url_in(tmp_path)
    for counts in ({"trials": 0}, {"workers": 0}):
        with pytest.raises(InputError, match="not a whole number above 0"):
            run(file, storage=url, **counts)
    with pytest.raises(InputError, match="seeds: -2"):
        ladder(LADDERS[0], seeds=-2, storage=url)
    assert list(tmp_path.glob("*.db")) == []
    stored = begun(tmp_path)
    for counts in ({"top": 0}, {"seeds": 0}, {"workers": -1}):
        with pytest.raises(InputError, match="not a whole number above 0"):
            confirm("tiny", storage=stored.url, **counts)
    assert not any(key.startswith("confirm") for key in stored.study.user_attrs)
