"""Compare samplers: ``python -m tests.benchmarks.strategies run``, then ``judge``, then ``table``.

``run`` searches the study ``short.toml`` (or ``full.toml``) with each sampler and seed; ``judge``
trains what the runs recommend with fresh seeds and measures it on images that no run has seen;
``table`` puts the figures together. All of them work in the protocol's folder below ``--out``, go
on where they were stopped, and may run in several processes or at the same time. Of MNIST they
read the training part alone.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from search.strategies.pruners import PRUNERS
from search.strategies.samplers import SAMPLERS
from search.workers.stop import StopSignal
from tests.benchmarks.mnist import data_root
from tests.benchmarks.options import positive
from tests.benchmarks.report import RESULTS
from tests.benchmarks.strategies.images import make_images
from tests.benchmarks.strategies.judging import judge_all
from tests.benchmarks.strategies.protocol import BASELINE, PROTOCOLS, Run, runs_of
from tests.benchmarks.strategies.report import report
from tests.benchmarks.strategies.searching import Work, search_all

_ROOT = Path(__file__).resolve().parents[3]

_DOERS: dict[str, Callable[[Work, Iterable[Run], StopSignal], Iterator[str]]] = {
    "run": search_all,
    "judge": judge_all,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 130 where it was stopped."""
    given = _parse(arguments)
    protocol = PROTOCOLS[given.protocol]
    folder = given.out.resolve() / protocol.name
    runs = runs_of(given.samplers, range(given.seeds or protocol.seeds), given.pruners)
    if given.what == "table":
        for line in report(protocol, folder, runs, given.results):
            print(line)
        return 0
    make_images(folder / protocol.images, protocol.searched, data_root())
    if given.processes > 1:
        return _start(given.processes, sys.argv[1:] if arguments is None else arguments)
    stop = StopSignal()
    stop.listen()
    work = Work(protocol, folder)
    for line in _DOERS[given.what](work, runs, stop):
        print(line, flush=True)
    return 130 if stop else 0


def _start(processes: int, arguments: Sequence[str]) -> int:
    """Let processes do the same work together: each takes what none of the others has."""
    command = [sys.executable, "-m", "tests.benchmarks.strategies", *arguments]
    command += ["--processes", "1"]  # the last one counts
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started: list[subprocess.Popen[bytes]] = []

    def stop_all(_number: int, _frame: object) -> None:
        for process in started:
            process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop_all)
    for _ in range(processes):
        started.append(subprocess.Popen(command, cwd=_ROOT, env=environment))
    return max([process.wait() for process in started], key=abs)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.strategies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=[*_DOERS, "table"])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="runs and figures")
    parser.add_argument(
        "--samplers", nargs="+", choices=SAMPLERS, default=[BASELINE, "tpe"], metavar="NAME"
    )
    parser.add_argument(
        "--pruners", nargs="+", choices=PRUNERS, default=["none"], metavar="NAME", help="with each"
    )
    parser.add_argument("--protocol", choices=PROTOCOLS, default="short")
    parser.add_argument(
        "--seeds", type=positive, metavar="N", help="0 to N - 1; by default as the protocol has it"
    )
    parser.add_argument("--processes", type=positive, default=1, metavar="N", help="one core each")
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help="where table writes its JSON, Markdown and SVG files",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
