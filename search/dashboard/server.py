"""``flyweight dashboard``: optuna-dashboard on this machine, read-only."""

from __future__ import annotations

import socketserver
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

import optuna_dashboard
from rich.console import Console

from search.dashboard.artifacts import ReadOnlyArtifacts
from search.dashboard.guard import ADDRESS, guarded
from search.dashboard.read_only_storage import ReadOnlyStorage
from search.errors import InputError
from search.storage.database import open_storage, quiet_optuna
from search.storage.rdb_storage import StudyStorage
from search.storage.urls import DEFAULT_STORAGE
from search.study.study import open_study

__all__ = ["dashboard", "dashboard_app"]


def dashboard(
    study: str | Path | None = None,
    *,
    port: int = 8080,
    storage: str = DEFAULT_STORAGE,
    console: Console | None = None,
) -> None:
    """Serve optuna-dashboard on 127.0.0.1 until Ctrl-C, then return.

    It has no password, so it answers this machine alone. It refuses every request that would change
    the database or an artifact, so it can stay open beside a running study.

    Args:
        study: path of a study file or a study's name, whose page is shown; by default the list
            of all studies.
        port: 0 takes any free one.
        storage: URL of the study database.
        console: where to print the address; by default standard output.

    Raises:
        InputError: the study or the database does not exist, or the port cannot be used.
    """
    quiet_optuna()
    page = "dashboard"
    if study is None:
        source = open_storage(storage, writing=False)
    else:
        stored = open_study(study, storage, writing=False)
        source, page = stored.storage, f"dashboard/studies/{stored.id}"
    with _listen(port) as server:
        server.set_app(dashboard_app(source, storage))
        address = f"http://{ADDRESS}:{server.server_port}/{page}"
        (console or Console(soft_wrap=True, highlight=False)).print(
            f"{address}  (read-only; Ctrl-C ends it)"
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
        finally:
            source.engine.dispose()


def dashboard_app(source: StudyStorage, url: str) -> WSGIApplication:
    """Return optuna-dashboard on a database, read-only and behind ``guarded``.

    Args:
        source: the database, opened for reading.
        url: of the database.
    """
    app: Any = optuna_dashboard.wsgi(  # type: ignore[attr-defined]
        ReadOnlyStorage(source, url), artifact_store=ReadOnlyArtifacts(source, url)
    )
    # Raise an exception for what is missing, instead of bottle's page of an internal error.
    app.catchall = False
    return guarded(app)


class _Handler(WSGIRequestHandler):
    """A handler that keeps requests out of the output."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """A server that answers each request in its own thread, so that a slow one delays no other."""

    daemon_threads = True
    # Two dashboards must not share a port: requests would reach either.
    allow_reuse_port = False

    def server_bind(self) -> None:
        """Bind without a look-up of the machine's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore browsers that leave before the answer; report all other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _listen(port: int) -> _Server:
    try:
        return _Server((ADDRESS, port), _Handler)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a port is 0 to 65535"
        raise InputError(
            f"port {port} of {ADDRESS} cannot be used ({reason}); choose another with --port N"
        ) from error
