"""Identify processes, and find out whether they are still alive."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["ProcessId", "this_process"]


@dataclass(frozen=True)
class ProcessId:
    """A process, distinguished by its start from a later one with the same number.

    Attributes:
        host: name of the machine.
        pid: its number there.
        started: an opaque string made of the boot and the moment at which it started.
    """

    host: str
    pid: int
    started: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ProcessId:
        """Make a process from what :meth:`to_dict` returned."""
        return cls(str(values["host"]), int(values["pid"]), str(values["started"]))

    def is_here(self) -> bool:
        """Return whether the process is one of this machine."""
        return self.host == socket.gethostname()

    def is_known_dead(self) -> bool:
        """Return whether this machine knows that the process has ended.

        Nothing is known of a process on another machine, so the answer is no.
        """
        if not self.is_here():
            return False
        return _start_mark(self.pid) != self.started


def this_process() -> ProcessId:
    """Return the current process."""
    return _living(os.getpid())


@cache
def _living(pid: int) -> ProcessId:
    return ProcessId(socket.gethostname(), pid, _start_mark(pid))


def _start_mark(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        # A zombie has ended and will not finish its work.
        return "" if fields[0] == "Z" else f"{_boot_id()}:{fields[19]}"
    answer = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
