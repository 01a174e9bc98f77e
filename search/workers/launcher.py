"""Start a command's workers and watch them until their work is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from search.errors import Interrupted
from search.storage.urls import DEFAULT_STORAGE
from search.text import plural
from search.workers.data import data_root
from search.workers.devices import choose_device, describe_sharing, hardware
from search.workers.options import RunOptions, check_counts
from search.workers.patience import said_if_slow
from search.workers.pool import WorkerPool
from search.workers.worker_count import workers_for
from trainer.backends.choose import prepare_backend

__all__ = ["Launcher", "explain_interruption"]

_POLL_SECONDS = 0.5


class Launcher:
    """A launcher of the workers of one command.

    Args:
        options: what the user asked for.

    Attributes:
        storage: URL of the study database.
        data: root of the data sets.
        console: where to show progress.

    Raises:
        DeviceError: if this machine does not have the device.
    """

    def __init__(self, options: RunOptions) -> None:
        self.storage = options.get("storage", DEFAULT_STORAGE)
        self.data = data_root(options.get("data"))
        self.console = options.get("console") or Console()
        self._device_name = options.get("device")
        self._device = choose_device(self._device_name)
        self._workers = options.get("workers")
        check_counts(workers=self._workers)
        self._debug = options.get("debug", False)

    def announce(self, what: str, pieces: int) -> int:
        """Print what begins and where; build the compiled kernels before a worker needs them.

        Args:
            what: the work that begins, in words.
            pieces: the number of pieces of work that are left.

        Returns:
            How many workers to start.
        """
        workers = self._workers or workers_for(self._device, pieces)
        self.tell(f"{what}: {plural(workers, 'worker')} on {hardware(self._device)}")
        for line in describe_sharing(self._device, workers):
            self.tell(line)
        with said_if_slow(self.tell, "building the kernels for this processor, which is done once"):
            reason = prepare_backend(self._device)
        if reason:
            self.tell(f"training without compiled kernels: {reason}")
        return workers

    @property
    def uses_kernels(self) -> bool:
        """Return whether workers train by the compiled kernels, where these know a network."""
        return self._device.type == "cpu" and not prepare_backend(self._device)

    def tell(self, line: str) -> None:
        """Print a line on the console as it is."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def launch(
        self,
        arguments: Sequence[str],
        workers: int,
        *,
        recover: Callable[[], object],
        show: Callable[[], object],
        timeout: float | None = None,
    ) -> None:
        """Start workers and return when all have ended or the timeout is over.

        Args:
            arguments: of ``search.worker``, besides storage, data and device.
            workers: how many to start.
            recover: frees the work of dead workers; called before the first worker starts, after
                one was killed, and when all have ended.
            show: shows how far the work is; called about twice a second and at the end.
            timeout: seconds after which the workers are stopped; None for no limit.

        Raises:
            InputError: if a worker cannot use what it was given.
            WorkFailed: if a worker fails otherwise, or workers are killed again and again.
        """
        command = ["search.worker", "--storage", self.storage, "--data", str(self.data)]
        command += ["--device", self._device_name] if self._device_name else []
        deadline = None if timeout is None else time.monotonic() + timeout
        recover()
        try:
            with WorkerPool([*command, *arguments], workers, recover, debug=self._debug) as pool:
                while pool.is_working() and (deadline is None or time.monotonic() < deadline):
                    show()
                    time.sleep(_POLL_SECONDS)
        finally:
            recover()
            show()


@contextmanager
def explain_interruption(kept: str) -> Iterator[None]:
    """Turn Ctrl-C into an error that says how to resume.

    Args:
        kept: what happened to the work so far, in words.

    Raises:
        Interrupted: on Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; {kept}; run the same command to resume") from None
