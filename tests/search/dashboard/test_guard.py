from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import optuna
import pytest
from optuna_dashboard import wsgi

from search.dashboard.read_only_storage import ReadOnlyStorage
from search.dashboard.server import dashboard
from search.errors import InputError, StorageError
from tests.search.shown_studies import (
    ROUTES,
    SMALL,
    WEIGHTS,
    Shown,
    add_trial,
    ask,
    new_study,
    served,
)

OTHER_HOSTS = (
    "",
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:80@evil.example",
    "127x0y0z1",
    "0.0.0.0:8080",
)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Shown]:
    """A study without trials, and the dashboard on it."""
    shown = Shown(new_study(tmp_path))
    yield shown
    shown.source.engine.dispose()
    shown.stored.storage.engine.dispose()


def test_nothing_can_be_changed(shown: Shown) -> None:
    """Every address of optuna-dashboard that is not for reading is refused, with a reason."""
    add_trial(shown.stored, SMALL, 0.9, keep=True)
    before = shown.dump()
    routes = wsgi(ReadOnlyStorage(shown.source, shown.stored.url)).routes
    writing = [route for route in routes if route.method != "GET"]
    assert len(writing) > 10
    for route in writing:
        path = re.sub(r"<[^>]*>", "1", route.rule)
        answer = ask(shown.app, path, method=route.method)
        assert answer.code == 403
        assert "is read-only" in answer.json["reason"]
    for path in ROUTES:
        ask(shown.app, path)
    assert shown.dump() == before
    assert len(list(shown.stored.artifacts.iterdir())) == 1


def test_the_storage_refuses_to_write(shown: Shown) -> None:
    """Even what gets past the guard cannot change a study."""
    storage = ReadOnlyStorage(shown.source, shown.stored.url)
    study = optuna.load_study(study_name="small", storage=storage)
    with pytest.raises(PermissionError):
        study.set_user_attr("x", 1)
    with pytest.raises(PermissionError):
        study.ask()
    with pytest.raises(PermissionError):
        optuna.delete_study(study_name="small", storage=storage)
    with pytest.raises(PermissionError):
        optuna.create_study(study_name="another", storage=storage)


def test_other_names_are_refused(shown: Shown) -> None:
    """A web page whose own name leads here must learn nothing; both names of this machine work."""
    for host in ("127.0.0.1", "127.0.0.1:8080", "localhost:9000", "LocalHost"):
        assert ask(shown.app, "/api/studies", host=host).code == 200
    for host in OTHER_HOSTS:
        assert {ask(shown.app, path, host=host).code for path in ROUTES} == {403}


def test_artifacts_can_be_downloaded(tmp_path: Path) -> None:
    """A trial's weights come from the folder that its study recorded; other pages cannot ask."""
    shown = Shown(new_study(tmp_path, tmp_path / "elsewhere" / "artifacts"))
    add_trial(shown.stored, SMALL, 0.9, keep=True)
    (artifact,) = shown.detail()["trials"][0]["artifacts"]
    assert artifact["filename"] == "weights.safetensors"
    path = f"/artifacts/1/1/{artifact['artifact_id']}"
    answer = ask(shown.app, path)
    assert (answer.code, answer.body) == (200, WEIGHTS)
    assert "access-control-allow-origin" not in answer.headers
    (shown.stored.artifacts / artifact["artifact_id"]).unlink()
    assert ask(shown.app, path).code == 404


def test_wrong_places_are_named(shown: Shown, tmp_path: Path) -> None:
    """An unknown study, a missing database and a busy port each end in one line."""
    url = shown.stored.url
    with pytest.raises(StorageError, match="no study 'large'; it has: small"):
        dashboard("large", storage=url)
    with pytest.raises(StorageError, match=r"nothing\.db"):
        dashboard(None, storage=f"sqlite:///{tmp_path / 'nothing.db'}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} .*--port N"):
            dashboard("small", port=port, storage=url)
    with pytest.raises(InputError, match=r"port 70000 .*--port N"):
        dashboard("small", port=70_000, storage=url)


def test_the_command_serves_this_machine_until_it_is_interrupted(shown: Shown) -> None:
    """It prints the study's address, answers there and nowhere else, and ends well on Ctrl-C."""
    add_trial(shown.stored, SMALL, 0.9)
    with served(shown.stored) as (address, process):
        place = urlsplit(address)
        assert (place.hostname, place.path) == ("127.0.0.1", "/dashboard/studies/1")
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"Optuna Dashboard" in page.read()
        with urllib.request.urlopen(f"http://{place.netloc}/api/studies", timeout=60) as answer:
            assert json.load(answer)["study_summaries"][0]["study_name"] == "small"
        with socket.socket() as elsewhere:
            elsewhere.settimeout(2)
            assert elsewhere.connect_ex(("127.0.0.2", place.port or 0)) != 0
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
