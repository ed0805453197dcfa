"""A real server for every test: the embedded one. A template database holds the engine; each test gets a copy."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.factories import postgresql, postgresql_noproc

import supabase_project
from pgvec_admin import embedded, functions, migrate, migrations
from pgvec_admin.database import Target
from pgvec_admin.resources import sql_directory

VERSION = int(os.environ.get("PGVEC_TEST_POSTGRES", str(embedded.DEFAULT_VERSION)))

# speed instead of safety: nothing here outlives the run
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
}

Connection = psycopg.Connection[tuple[Any, ...]]

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[embedded.Server]:
    with tempfile.TemporaryDirectory(prefix="pgvec-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)  # as root, the server runs as a user of its own
        instance = embedded.Instance(VERSION, Path(directory) / "server", settings=FAST)
        try:
            yield instance.start(tcp_port=0)
        finally:
            instance.stop()


class _Running(NoopExecutor):
    """The embedded server as pytest-postgresql wants to see one; databases below it start from nothing."""

    template_dbname = None  # type: ignore[assignment]


@pytest.fixture(scope="session")
def running(server: embedded.Server) -> NoopExecutor:
    return _Running(host=str(server.socket_directory), port=server.port, user="postgres", dbname="postgres", options="")


def _install(**parameters: Any) -> None:
    parameters.pop("autocommit", None)
    conninfo = make_conninfo("", **{key: value for key, value in parameters.items() if value})
    migrate.migrate(Target(conninfo, "the tests"), report=lambda _: None)


with_engine = postgresql_noproc(depends_on="running", dbname="engine", load=[_install])
without_engine = postgresql_noproc(depends_on="running", dbname="bare")
engine_database = postgresql("with_engine")
bare_database = postgresql("without_engine")


@pytest.fixture(scope="session")
def platform() -> Iterator[embedded.Server]:
    """A server set up as Supabase's are: see supabase/bootstrap.sql."""
    with tempfile.TemporaryDirectory(prefix="pgvec-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        instance = embedded.Instance(VERSION, Path(directory) / "server", settings=FAST)
        try:
            made = instance.start(tcp_port=0)
            supabase_project.prepare(made)
            yield made
        finally:
            instance.stop()


@pytest.fixture
def project(platform: embedded.Server, tmp_path: Path) -> Iterator[supabase_project.Project]:
    """A new Supabase project, with nothing in it."""
    name = f"project_{next(_numbers)}"
    supabase_project.create(platform, name)
    with supabase_project.serve(platform, name, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def installed(platform: embedded.Server) -> str:
    """Name of a project's database with the engine, installed by its role postgres, which is no superuser."""
    supabase_project.create(platform, "installed")
    migrate.migrate(Target(supabase_project.conninfo(platform, "installed"), "the tests"), report=lambda _: None)
    return "installed"


@pytest.fixture
def with_search(platform: embedded.Server, installed: str, tmp_path: Path) -> Iterator[supabase_project.Project]:
    """A Supabase project with the engine."""
    with searchable(platform, installed, tmp_path) as made:
        yield made


@contextmanager
def searchable(platform: embedded.Server, installed: str, folder: Path) -> Iterator[supabase_project.Project]:
    """A project of its own for as long as it takes."""
    name = f"project_{next(_numbers)}"
    supabase_project.create(platform, name, template=installed)
    with supabase_project.serve(platform, name, folder) as made:
        yield made


@pytest.fixture
def database(server: embedded.Server, engine_database: Connection) -> str:
    """Connection string of a database of the test's own, with the engine installed."""
    return server.url(engine_database.info.dbname)


@pytest.fixture
def empty_database(server: embedded.Server, bare_database: Connection) -> str:
    """Connection string of a database of the test's own, with nothing in it."""
    return server.url(bare_database.info.dbname)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """An autocommit connection to a database with the engine."""
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


@pytest.fixture
def as_role(database: str) -> Iterator[Callable[[str], Connection]]:
    """Opens connections that act as another role."""
    opened: list[Connection] = []

    def connect(role: str) -> Connection:
        made = psycopg.connect(make_conninfo(database, options=f"-crole={role}"), autocommit=True)
        opened.append(made)
        return made

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def sql_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of sql/ that the test may change, in use instead of the real one."""
    directory = tmp_path / "sql"
    shutil.copytree(sql_directory(), directory)
    for module in (functions, migrations, migrate):
        monkeypatch.setattr(module, "sql_directory", lambda: directory)
    return directory
