"""A real server for every test: the embedded one. A template database holds the engine; each test gets a copy."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.factories import postgresql_noproc

import installation
import pglite as on_pglite
import supabase_project
from command import COMMAND, Run
from installation import Connection as Connection  # for the tests
from pgvec_admin.database import Target
from pgvec_admin.install import functions, migrate, migrations
from pgvec_admin.resources import sql_directory
from pgvec_admin.server import embedded

_numbers = itertools.count()

# The collector looks through all that is alive: seldom, in a process that is short-lived and has room.
gc.set_threshold(100_000, 50, 100)

# Reading the certificates that the machine trusts takes 30 ms, for each of the hundreds of clients.
ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]

# A shell that starts the tests in the background ignores SIGINT, and so would every command that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run in several processes: threads for each core in each of them would keep each other waiting.
for _library in ("OPENBLAS", "OMP"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

BROWSER = os.environ.get("PGVEC_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")


# The processes get whole files; those that take longest come first, so that none is left for the end.
SLOWEST = (
    "test_site",
    *("test_verify", "test_adopted_tables", "test_soak", "test_demo", "test_embedding_crashes"),
    *("test_hybrid_search", "test_index", "test_tenants", "test_dump", "test_index_kinds", "test_hostile_public"),
    *("test_embedding_servers", "test_cli", "test_load_interrupted", "test_load", "test_service", "test_releases"),
    *("test_hostile_types", "test_migrate", "test_service_attacks", "test_packaging", "test_embedded"),
    *("test_supabase_cli", "test_types", "test_weaker_owners", "test_generated_sql", "test_adopted_search"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    if installation.PGLITE:
        on_pglite.leave_out(items)


def pytest_collection_finish() -> None:
    gc.freeze()  # thousands of tests, which the collector would look through again and again


@pytest.fixture(scope="session")
def server() -> Iterator[embedded.Server]:
    with installation.running() as made:
        if installation.OWNER:
            installation.add_owner(made)
        yield made


class _Running(NoopExecutor):
    """The embedded server as pytest-postgresql expects one; its databases start empty."""

    template_dbname = None  # type: ignore[assignment]


@pytest.fixture(scope="session")
def running(server: embedded.Server) -> NoopExecutor:
    return _Running(host=str(server.socket_directory), port=server.port, user="postgres", dbname="postgres", options="")


def _superuser(parameters: dict[str, Any]) -> str:
    """Connection string of a database that pytest-postgresql has made."""
    host, port, name = (quote(str(parameters[key]), safe="") for key in ("host", "port", "dbname"))
    return f"postgresql://{embedded.SUPERUSER}@/{name}?host={host}&port={port}"


def _install(**parameters: Any) -> None:
    installation.install(_superuser(parameters))
    with psycopg.connect(_superuser(parameters), autocommit=True) as connection:
        connection.execute("vacuum full")  # a quarter less to copy for each test


def filled(name: str, fill: Callable[[Connection], None]) -> Any:
    """A fixture with a template database that tests copy: the engine, and what `fill` puts into it once."""

    def load(**parameters: Any) -> None:
        with installation.connect(installation.as_installer(_superuser(parameters))) as connection:
            fill(connection)

    return postgresql_noproc(depends_on="with_engine", dbname=name, load=[load])


def copied(template: str) -> Any:
    """A fixture: the connection string of the test's own copy of a template database."""

    @pytest.fixture
    def copy(server: embedded.Server, request: pytest.FixtureRequest) -> Iterator[str]:
        name = request.getfixturevalue(template).template_dbname
        with installation.created(server, f"copy_{next(_numbers)}", name) as url:
            yield installation.as_installer(url)

    return copy


with_engine = postgresql_noproc(depends_on="running", dbname="engine", load=[_install])
if installation.PGLITE:
    filled, copied = on_pglite.filled, on_pglite.copied
    with_engine, server = on_pglite.with_engine, on_pglite.server
database = copied("with_engine")  # the test's own database, with the engine installed


@pytest.fixture(scope="session")
def platform() -> Iterator[embedded.Server]:
    """A server set up as Supabase's are: see supabase/bootstrap.sql."""
    with installation.running() as made:
        supabase_project.prepare(made)
        yield made


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


def searched(platform: embedded.Server, installed: str) -> str:
    """A new project's database with the engine, without the REST API: the connection string of role postgres."""
    name = f"project_{next(_numbers)}"
    supabase_project.create(platform, name, template=installed)
    return supabase_project.conninfo(platform, name)


@pytest.fixture
def project_database(platform: embedded.Server, installed: str) -> str:
    """As `with_search`, without the REST API."""
    return searched(platform, installed)


@pytest.fixture
def with_search(platform: embedded.Server, installed: str, tmp_path: Path) -> Iterator[supabase_project.Project]:
    """A Supabase project with the engine."""
    with searchable(platform, installed, tmp_path) as made:
        yield made


@contextmanager
def searchable(platform: embedded.Server, installed: str, folder: Path) -> Iterator[supabase_project.Project]:
    """A separate project for the duration of the block."""
    name = f"project_{next(_numbers)}"
    supabase_project.create(platform, name, template=installed)
    with supabase_project.serve(platform, name, folder) as made:
        yield made


@pytest.fixture
def run(database: str) -> Run:
    """Runs the command against the test's database; returns what it printed and its exit code."""

    def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PGVEC_DATABASE_URL": database} | environment,
        )

    return run_command


@pytest.fixture
def empty_database(server: embedded.Server) -> Iterator[str]:
    """Connection string, as a superuser, of the test's own empty database."""
    with installation.created(server, f"empty_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """An autocommit connection to a database with the engine."""
    with installation.connect(database) as made:
        yield made


@pytest.fixture
def administrator(database: str) -> Iterator[Connection]:
    """A superuser's connection to the database of `connection`, for what only a superuser may do."""
    with installation.connect(installation.as_superuser(database)) as made:
        yield made


@pytest.fixture
def as_role(database: str) -> Iterator[Callable[[str], Connection]]:
    """Opens connections that act as another role."""
    made: list[Connection] = []

    def connect(role: str) -> Connection:
        made.append(installation.connect(database, role))
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def sql_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of sql/ that the test may change, in use instead of the real one."""
    directory = tmp_path / "sql"
    shutil.copytree(sql_directory(), directory)
    for module in (functions, migrations, migrate):
        monkeypatch.setattr(module, "sql_directory", lambda: directory)
    return directory


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    assert BROWSER, "no Chromium: install one, or say where it is in PGVEC_BROWSER"
    with sync_playwright() as started:
        made = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield made
        made.close()


if installation.PGLITE:
    as_role, administrator = on_pglite.as_role, on_pglite.administrator
