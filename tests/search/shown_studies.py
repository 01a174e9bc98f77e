"""Studies with trials, and a client that asks a WSGI application."""

from __future__ import annotations

import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from optuna.artifacts import FileSystemArtifactStore, upload_artifact
from optuna.trial import Trial, TrialState

from search.dashboard.server import dashboard_app
from search.spec.budget import assess
from search.spec.candidate import Candidate
from search.spec.study_file import StudyFile
from search.storage.database import open_storage
from search.study.records import Outcome, record_candidate
from search.study.study import StoredStudy, begin_study
from space.architecture import Architecture
from tests.search.study_texts import GOOD, written
from trainer.data import DataInfo
from trainer.loop import Epoch
from trainer.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
DIGITS = DataInfo("digits", (1, 8, 8), tuple("0123456789"), "some-digits")
SMALL = "conv3 8 relu bn\ngap\nlinear 10"
WIDE = "conv3 80 relu bn\nconv3 80 relu bn\ngap\nlinear 10"
WEIGHTS = b"weights of a network"
PAGES = ("/dashboard", "/dashboard/studies/1", "/dashboard/studies/1/trials", "/static/bundle.js")
ROUTES = (
    *PAGES,
    "/api/meta",
    "/api/studies",
    "/api/studies/1",
    "/api/studies/1?after=1",
    "/api/studies/1/param_importances",
    "/csv/1",
)


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: WSGIApplication, path: str, *, method: str = "GET", host: str = "127.0.0.1:8080"
) -> Answer:
    """The answer to one request."""
    parts = urlsplit(path)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "HTTP_HOST": host,
        "HTTP_ACCEPT_ENCODING": "gzip",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "2",
        "wsgi.input": io.BytesIO(b"{}"),
    }
    setup_testing_defaults(environ)
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _info: Any = None, /) -> Any:
        heads.append((status, headers))
        return lambda _data: None

    body = app(environ, start)
    try:
        content = b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()
    status, headers = heads[-1]
    return Answer(int(status.split()[0]), {key.lower(): value for key, value in headers}, content)


def new_study(folder: Path, artifacts: Path | None = None) -> StoredStudy:
    """A study of at most 2,000 parameters in a database of its own."""
    url = f"sqlite:///{folder / 'study.db'}"
    return begin_study(StudyFile.load(written(folder, GOOD)), url, artifacts, DIGITS)


def add_trial(stored: StoredStudy, text: str, score: float | None, *, keep: bool = False) -> Trial:
    """A trial of an architecture that completed with a score, or else was rejected.

    Nothing here refuses an architecture over the budget a score.
    """
    trial = stored.study.ask()
    trial.suggest_float("recipe.learning_rate", 0.001, 0.1, log=True)
    candidate = Candidate(Architecture.parse(text, input_shape=(1, 8, 8)), Recipe())
    assessment = assess(candidate.architecture, stored.file.budget)
    record_candidate(
        trial, candidate, assessment, stored.file.budget, frozenset({"stage2.conv1.width"})
    )
    if keep:
        path = stored.artifacts.parent / "weights.safetensors"
        path.write_bytes(WEIGHTS)
        store = FileSystemArtifactStore(stored.artifacts)
        upload_artifact(artifact_store=store, file_path=str(path), study_or_trial=trial)
    if score is None:
        trial.set_user_attr("outcome", Outcome.REJECTED)
        trial.set_user_attr("reason", assessment.reason)
        stored.study.tell(trial, state=TrialState.PRUNED)
        return trial
    epochs = [Epoch(number, 0.5, 0.9, score, 1.5) for number in range(10)]
    for epoch in epochs:
        trial.report(epoch.accuracy, epoch.number)
    trial.set_user_attr("epochs", [epoch.to_dict() for epoch in epochs])
    trial.set_user_attr("outcome", Outcome.COMPLETE)
    stored.study.tell(trial, score)
    return trial


class Shown:
    """A study and the dashboard's application on its database."""

    def __init__(self, stored: StoredStudy) -> None:
        self.stored = stored
        self.source = open_storage(stored.url, writing=False)
        self.app = dashboard_app(self.source, stored.url)

    def detail(self) -> Any:
        answer = ask(self.app, "/api/studies/1")
        assert answer.code == 200
        return answer.json

    def dump(self) -> list[str]:
        with sqlite3.connect(self.stored.artifacts.parent / "study.db") as connection:
            return list(connection.iterdump())


@contextmanager
def served(stored: StoredStudy) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address that ``flyweight dashboard`` prints for a study, and its process."""
    command = [sys.executable, "-m", "search.cli", "dashboard", stored.name, "--port", "0"]
    with subprocess.Popen(
        [*command, "--storage", stored.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[0], process
        finally:
            process.kill()
