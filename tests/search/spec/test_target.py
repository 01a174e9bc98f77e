from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import StudyFileError
from search.spec.canonical import differences
from search.spec.notes import notes
from search.spec.study_file import StudyFile
from search.spec.target import Target
from search.validate import describe
from space.architecture import Architecture
from space.deployed.boards import boards
from space.deployed.cost import deployed_cost
from tests.search.study_texts import GOOD, sections, written

NETWORK = Architecture.parse(["conv3 8 relu", "gap", "linear 10"], (1, 8, 8))


def file_for(target: object, **budget: object) -> StudyFile:
    """Make a study file with a target and some limits; without limits it has no budget."""
    value: dict[str, Any] = {**sections(), "target": target}
    del value["budget"]
    return StudyFile.from_dict(value | ({"budget": budget} if budget else {}))


def problem_of(target: object) -> tuple[str, str]:
    """Return the key and the message with which a target is refused."""
    with pytest.raises(StudyFileError) as caught:
        file_for(target)
    (problem,) = caught.value.problems
    return problem.key, problem.message


@given(st.sampled_from(sorted(boards())), st.floats(0, 0.75))
def test_a_board_fills_what_the_budget_does_not_say(board: str, firmware: float) -> None:
    """RAM and flash are the board's less the firmware's share, and what is given stays."""
    known = boards()[board]
    filled = file_for({"board": board, "firmware": firmware}).budget
    assert filled.ram_kib == known.ram * (1 - firmware)
    assert filled.flash_kib == known.flash * (1 - firmware)
    assert filled.core == known.core
    given_ram = file_for({"board": board}, ram_kib=1.5, parameters=900).budget
    assert (given_ram.ram_kib, given_ram.flash_kib) == (1.5, known.flash / 2)
    assert given_ram.parameters == 900


def test_flash_is_counted_for_the_core_of_the_board() -> None:
    """Code for a Cortex-M0 is larger than for the Cortex-M4 that is meant otherwise."""
    budget = file_for({"board": "nucleo-f030r8"}).budget
    assert budget.deployed(NETWORK) == deployed_cost(NETWORK, "cortex-m0")
    assert budget.deployed(NETWORK).code > deployed_cost(NETWORK).code


def test_a_study_keeps_its_target() -> None:
    """What is stored reads as the same study, and another share is a difference."""
    file = file_for({"board": "bluepill"}, macs=20_000)
    stored = file.to_dict()
    again = StudyFile.from_dict(stored)
    assert (again.target, again.budget) == (Target("bluepill"), file.budget)
    assert not differences(stored, file.to_dict())
    other = file_for({"board": "bluepill", "firmware": 0.25}, macs=20_000).to_dict()
    assert "target.firmware: was 0.5, now 0.25" in differences(stored, other)
    assert "target" not in StudyFile.from_dict(sections()).to_dict()


def test_what_is_wrong_with_a_target_is_said() -> None:
    """Unknown boards, shares of all and other keys are one line each, with the way out."""
    key, message = problem_of({"board": "rpi-pico3"})
    assert key == "target.board"
    assert 'did you mean "rpi-pico' in message
    assert "teensy-4-1" in message
    assert problem_of({}) == ("target.board", 'is required; such as board = "rpi-pico"')
    assert problem_of({"board": "bluepill", "firmware": 1.0}) == (
        "target.firmware",
        "1.0 is too large; give less than 1",
    )
    assert "unknown key" in problem_of({"board": "bluepill", "clock": 3})[1]
    assert problem_of(3) == ("target", "3 is not a section; write [target]")


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (
            'core = "cortex-m4"',
            'budget.core: "cortex-m4" is not the core of bluepill, a cortex-m3; remove the key, or '
            "the board",
        ),
        (
            "ram_kib = 20.5",
            "budget.ram_kib: 20.5 is more than all of bluepill, 20 KiB; give less, or remove the "
            "key",
        ),
        (
            "flash_kib = 65.0",
            "budget.flash_kib: 65 is more than all of bluepill, 64 KiB; give less",
        ),
    ],
)
def test_a_budget_that_the_board_cannot_keep(tmp_path: Path, budget: str, said: str) -> None:
    """A core or a size that the board does not have is refused in a file, and the board's is not.

    A study that has begun with both still opens.
    """
    path = tmp_path / "study.toml"
    target = '[target]\nboard = "bluepill"\n'
    path.write_text(GOOD.replace("[budget]\n", f"{target}[budget]\n{budget}\n", 1))
    with pytest.raises(StudyFileError) as caught:
        StudyFile.load(path)
    assert said in str(caught.value)
    ((key, stored),) = tomllib.loads(budget).items()
    assert getattr(file_for({"board": "bluepill"}, **{key: stored}).budget, key) == stored
    path.write_text(GOOD.replace("[budget]\n", f'{target}[budget]\ncore = "cortex-m3"\n', 1))
    assert StudyFile.load(path).budget.core == "cortex-m3"


def test_validate_says_what_the_board_leaves_before_it_has_seen_the_images(tmp_path: Path) -> None:
    """The line on the board comes even where images of a folder decide the size of the space."""
    text = GOOD.replace('"digits"', '"folder:shapes"').replace(
        "[budget]\nparameters = 2_000", '[target]\nboard = "rpi-pico"'
    )
    board, unknown = describe(written(tmp_path, text))
    assert board.endswith("of which the network may take 132 and 1,024")
    assert "depends on the images" in unknown


def test_people_read_what_the_board_leaves() -> None:
    """The note has the board's figures and the limits; the latency says that it is an estimate."""
    file = file_for({"board": "nucleo-f302r8"})
    space = file.search_space((1, 8, 8), 10)
    assert file.target is not None
    assert next(notes(space, file.budget, file.target)) == (
        "ST Nucleo-F302R8 (STM32F302R8): cortex-m4 at 72 MHz, 16 KiB of RAM and 64 KiB of flash, "
        "of which the network may take 8 and 32"
    )
    latency = file.target.latency(NETWORK)
    assert latency.startswith(
        "about 1 ms on nucleo-f302r8, estimated from 0.1 million instructions"
    )
