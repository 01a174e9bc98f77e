"""Guard the dashboard: it answers this machine alone, and only requests that read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from optuna.artifacts.exceptions import ArtifactNotFound

__all__ = ["ADDRESS", "guarded"]

ADDRESS = "127.0.0.1"
"""Where the dashboard listens: other machines cannot reach it."""

_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?", re.IGNORECASE)
_READING = ("GET", "HEAD")


def guarded(app: WSGIApplication) -> WSGIApplication:
    """Return an application behind a guard.

    The guard answers 403 to every method but GET and HEAD, and to requests for any host but
    127.0.0.1 and localhost: a web page can point its own host name at this machine, and could then
    read the answers (DNS rebinding). It answers 404 where the application finds
    nothing, and does not let other web pages read its answers.

    Args:
        app: raises ``KeyError`` or ``ArtifactNotFound`` for what it does not have.
    """

    def guard(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.setdefault("HTTP_ACCEPT_ENCODING", "")  # optuna-dashboard expects it
        reason = _reason_to_refuse(environ)
        if reason:
            return _answer(start_response, HTTPStatus.FORBIDDEN, reason)
        try:
            return app(environ, _without_sharing(start_response))
        except (ArtifactNotFound, KeyError):
            missing = "the database does not have this study, trial or artifact"
            return _answer(start_response, HTTPStatus.NOT_FOUND, missing)

    return guard


def _reason_to_refuse(environ: WSGIEnvironment) -> str:
    if not _HOST.fullmatch(environ.get("HTTP_HOST", "")):
        return f"this dashboard answers to {ADDRESS} and localhost only"
    if environ["REQUEST_METHOD"] not in _READING:
        return "this dashboard is read-only; change studies with flyweight run and confirm"
    return ""


def _answer(start_response: StartResponse, status: HTTPStatus, reason: str) -> list[bytes]:
    body = json.dumps({"reason": reason}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


def _without_sharing(start_response: StartResponse) -> StartResponse:
    """Drop the header by which optuna-dashboard lets every web page read artifacts."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        kept = [pair for pair in headers if pair[0].lower() != "access-control-allow-origin"]
        return start_response(status, kept, exc_info)

    return start
