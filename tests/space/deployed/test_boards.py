from __future__ import annotations

from space.deployed.boards import boards
from space.deployed.flash import CORES


def test_boards_are_usable() -> None:
    """Each board has a core whose code was measured, sizes in KiB and a source."""
    assert len(boards()) >= 12
    for name, board in boards().items():
        assert board.name == name
        assert board.core in CORES
        assert 8 <= board.ram <= 1024
        assert 64 <= board.flash <= 8192
        assert 16 <= board.clock <= 600
        assert board.source.startswith("https://")
        assert board.milliseconds(board.clock * 1000) == 1
