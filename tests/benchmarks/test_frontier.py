from __future__ import annotations

import shutil
from pathlib import Path

from tests.benchmarks.frontier import CHAMPIONS, champions, main, public_networks


def test_the_committed_plot_is_of_the_committed_data(tmp_path: Path) -> None:
    """Made again from the packages and the networks of others the table is the same."""
    folder = tmp_path / "champions"
    shutil.copytree(CHAMPIONS, folder, ignore=shutil.ignore_patterns("frontier.*"))
    main(folder)
    assert (folder / "frontier.svg").stat().st_size
    made = (folder / "frontier.md").read_text(encoding="utf-8")
    assert made == (CHAMPIONS / "frontier.md").read_text(encoding="utf-8")


def test_the_table_has_every_network() -> None:
    """Each champion and each network of others is one line, the smallest first."""
    text = (CHAMPIONS / "frontier.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    found = champions(CHAMPIONS)
    assert found
    assert len(lines) == len(found) + len(public_networks(CHAMPIONS))
    parameters = [int(line.split(" | ")[1].replace(",", "")) for line in lines]
    assert parameters == sorted(parameters)
