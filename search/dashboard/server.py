"""``flyweight dashboard``: optuna-dashboard on this machine, reading and nothing else."""

from __future__ import annotations

import json
import re
import socketserver
import sys
from collections.abc import Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import optuna_dashboard
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage
from rich.console import Console

from search.dashboard.read_only_storage import PresentedArtifacts, PresentedStorage
from search.errors import InputError
from search.storage.database import open_storage, quiet_optuna
from search.storage.urls import DEFAULT_STORAGE
from search.study.study import open_study

__all__ = ["dashboard", "dashboard_app"]

_ADDRESS = "127.0.0.1"
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?", re.IGNORECASE)
_READING = ("GET", "HEAD")


def dashboard(
    study: str | None = None,
    *,
    port: int = 8080,
    storage: str = DEFAULT_STORAGE,
    console: Console | None = None,
) -> None:
    """Serves optuna-dashboard on 127.0.0.1 until Ctrl-C, then returns.

    It has no password, so other machines cannot reach it, and it only reads: whatever would
    change the database or an artifact is refused, so it can stay open beside a running study.

    Args:
        study: path of a study file or a study's name, whose page is shown; by default the list
            of all studies.
        port: 0 takes any free one.
        storage: URL of the study database.
        console: where to print the address; by default standard output.

    Raises:
        InputError: if there is no such study or database, or the port cannot be used.
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
        address = f"http://{_ADDRESS}:{server.server_port}/{page}"
        (console or Console(soft_wrap=True, highlight=False)).print(
            f"{address}  (read-only; Ctrl-C ends it)"
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
        finally:
            source.engine.dispose()


def dashboard_app(source: RDBStorage, url: str) -> WSGIApplication:
    """Returns optuna-dashboard on a database, behind a guard.

    The guard answers 403 to every method but GET and HEAD, and to requests that were sent to
    another name than 127.0.0.1 or localhost: a page of the web can make its own name mean this
    machine, and would read the answers as its own.

    Args:
        source: the database, opened for reading.
        url: of the database.
    """
    app: Any = optuna_dashboard.wsgi(  # type: ignore[attr-defined]
        PresentedStorage(source), artifact_store=PresentedArtifacts(source, url)
    )
    # Lets what is missing come out as an exception instead of bottle's page of an internal error.
    app.catchall = False

    def guard(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.setdefault("HTTP_ACCEPT_ENCODING", "")  # optuna-dashboard takes it for granted
        reason = _reason_to_refuse(environ)
        if reason:
            return _answer(start_response, HTTPStatus.FORBIDDEN, reason)
        try:
            answer: Iterable[bytes] = app(environ, _without_sharing(start_response))
        except (ArtifactNotFound, KeyError):
            return _answer(start_response, HTTPStatus.NOT_FOUND, "there is no such thing here")
        return answer

    return guard


def _reason_to_refuse(environ: WSGIEnvironment) -> str:
    if not _HOST.fullmatch(environ.get("HTTP_HOST", "")):
        return f"this dashboard answers to {_ADDRESS} and localhost only"
    if environ["REQUEST_METHOD"] not in _READING:
        return "this dashboard only reads; studies are changed by flyweight run and confirm"
    return ""


def _answer(start_response: StartResponse, status: HTTPStatus, reason: str) -> list[bytes]:
    body = json.dumps({"reason": reason}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


def _without_sharing(start_response: StartResponse) -> StartResponse:
    """Drops the header by which optuna-dashboard lets every web page read artifacts."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        kept = [pair for pair in headers if pair[0].lower() != "access-control-allow-origin"]
        return start_response(status, kept, exc_info)

    return start


class _Handler(WSGIRequestHandler):
    """Keeps requests out of the output."""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own, so that a slow one holds up nobody."""

    daemon_threads = True
    # Two dashboards must not share a port: requests would reach either.
    allow_reuse_port = False

    def server_bind(self) -> None:
        """Binds without a look-up of the machine's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps quiet about browsers that leave before the answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _listen(port: int) -> _Server:
    try:
        return _Server((_ADDRESS, port), _Handler)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise InputError(
            f"port {port} of {_ADDRESS} cannot be used ({reason}); choose another with --port N"
        ) from error
