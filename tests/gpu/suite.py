"""The tests that need an accelerator: ``python -m tests.gpu.suite``.

Each file of tests is a part, in a process of its own. A test that has passed is not repeated for
the same commit, card, versions and settings; one that takes its process with it is recorded as
crashed, and those behind it run in another process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from search.errors import DeviceError
from tests.gpu import outcomes
from tests.gpu.command import Situation, add_options, run_parts, use_carried_data
from tests.gpu.parts import Failed, Part, Result, Turn
from tests.gpu.places import ROOT

__all__ = ["SuiteFiles", "main", "make_parser"]

_PASSED = ("passed", "skipped")


class SuiteFiles:
    """The files of tests that have a marker.

    Args:
        root: where pytest runs.
        marker: of the tests.
        folder: below the root.
    """

    def __init__(self, root: Path, marker: str, folder: str) -> None:
        self._root = root
        self._marker = marker
        self._folder = folder

    def parts(self) -> list[Part]:
        """Return a part for each file that has such tests or cannot be imported.

        Raises:
            ValueError: if there are none.
        """
        # The others may need packages that are not carried.
        paths = [
            str(path.relative_to(self._root))
            for path in sorted((self._root / self._folder).rglob("test_*.py"))
            if f"mark.{self._marker}" in path.read_text(encoding="utf-8")
        ]
        lines, _ = self._pytest([*paths, "--collect-only"], None) if paths else ([], 0)
        files: dict[str, list[str]] = {}
        for line in lines:
            name = str(line.get("chosen") or line.get("test"))
            files.setdefault(name.partition("::")[0], []).append(name)
        if not files:
            raise ValueError(
                f"no tests with the marker {self._marker} in {self._root / self._folder}"
            )
        return [
            Part(file, f"{len(names)} tests", partial(self._take, file, names))
            for file, names in files.items()
        ]

    def _take(self, file: str, names: list[str], turn: Turn) -> Iterator[Result]:
        """Run the tests of a file that have not passed."""
        tests: dict[str, dict[str, Any]] = {
            name: kept
            for name, kept in turn.earlier.get("tests", {}).items()
            if kept["outcome"] in _PASSED
        }
        waiting = [name for name in names if name not in tests]
        while waiting:
            lines, code = self._pytest(waiting, turn.left())
            ended = {str(line.pop("test")): line for line in lines if "test" in line}
            begun = [str(line["begun"]) for line in lines if "begun" in line]
            if begun and begun[-1] not in ended and code is not None:
                message = f"the process ended with {code}"
                ended[begun[-1]] = {"outcome": "crashed", "message": message}
            if not ended and code is not None:
                raise Failed(f"pytest ended with {code} and ran none of {len(waiting)} tests")
            tests.update(ended)
            waiting = [name for name in waiting if name not in ended]
            yield {"counts": _counts(tests), "tests": tests}
        if failures := sum(kept["outcome"] not in _PASSED for kept in tests.values()):
            raise Failed(f"{failures} of {len(tests)} tests of {file}")

    def _pytest(
        self, arguments: Sequence[str], timeout: float | None
    ) -> tuple[list[dict[str, object]], int | None]:
        """Run pytest; return the plugin's lines and the exit code, None when time was over."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "outcomes"
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            command += ["-p", "tests.gpu.outcomes", "-m", self._marker, "--tb=short"]
            command += ["--continue-on-collection-errors", *arguments]
            places = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
            environment = {
                **os.environ,
                outcomes.VARIABLE: str(path),
                "PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in places),
            }
            try:
                done = subprocess.run(
                    command,
                    cwd=self._root,
                    env=environment,
                    timeout=timeout,
                    stdout=sys.stderr,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return outcomes.read(path), None
            return outcomes.read(path), done.returncode


def _counts(tests: dict[str, dict[str, Any]]) -> dict[str, int]:
    found = [kept["outcome"] for kept in tests.values()]
    return {outcome: found.count(outcome) for outcome in sorted(set(found))}


def make_parser() -> argparse.ArgumentParser:
    """Return the reader of the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.gpu.suite", description="Run the tests that need an accelerator."
    )
    add_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tests that have not passed; return the exit code."""
    given = make_parser().parse_args(arguments)
    use_carried_data()

    def parts(situation: Situation) -> list[Part]:
        if situation.device.type == "cpu":
            raise DeviceError("the tests need a CUDA or an MPS device, and would all be skipped")
        return SuiteFiles(ROOT, "gpu", "tests").parts()

    return run_parts("tests", given, parts, {})


if __name__ == "__main__":
    sys.exit(main())
