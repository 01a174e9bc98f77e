from __future__ import annotations

import pytest

from search.cli.app import app
from search.cli.options import RUN_OPTIONS
from search.workers.options import RunOptions

COMMANDS = {
    command.callback.__name__: command.callback
    for command in app.registered_commands
    if command.callback is not None
}


def test_the_command_line_offers_every_run_option() -> None:
    """All options from Python but the console have an option on the command line."""
    assert {name for name, _, _ in RUN_OPTIONS} == RunOptions.__annotations__.keys() - {"console"}


@pytest.mark.parametrize("command", ["run", "confirm", "ladder"])
def test_commands_that_start_workers_share_their_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of them has all the shared options in its help."""
    with pytest.raises(SystemExit):
        app(args=[command, "--help"])
    words = capsys.readouterr().out
    for name, _, _ in RUN_OPTIONS:
        assert f"--{name}" in words


def test_a_decorated_command_keeps_its_name_and_help() -> None:
    """What a user reads of a command is what its function says."""
    assert (COMMANDS["run"].__doc__ or "").startswith("Search a study: begin it")
