"""PGlite, PostgreSQL within Node, instead of the embedded server: PGVEC_TEST_POSTGRES=pglite, make test-pglite.

Each database is a whole PostgreSQL of its own, with one session and without other databases beside it. What cannot run
there is listed here, with the reason; a test that comes to COPY from a client ends there: see installation.Cursor.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

import installation
from installation import Connection
from npm_package import BESIDE
from pages import ROOT
from pgvec_admin.install import supabase

# Fixtures that a test asks for, by itself or through others, and why it cannot have them.
WITHOUT = {
    "empty_database": "one database, not a server of several",
    "platform": "one database, while a Supabase project has a server with roles of its own",
    "upgraded": "one database, not a server of several",
    "run": "one session, and the command opens another",
    "searching": "one session, and the test searches in another meanwhile",
}
# What a test itself asks for: with the connection string it connects once more, beside the connection that it has.
WITHOUT_ITSELF = {"database": "one session, and the test opens another"}
# Tests, by a regular expression for their names.
NOT_HERE = {
    "test_a_search_that_is_cancelled_within_the_log_is_cancelled": "no timers, and so no statement_timeout",
    "test_what_a_statement_writes_is_counted_once": "no native code, and the test compares durations",
    "test_columns_in_generated_statements_are_qualified": "one session, and the test opens another",
}

NODE = shutil.which("node") or str(BESIDE / ".bin" / "node")


@dataclass
class Databases:
    """The databases of a Node process; templates are copied by their names."""

    process: subprocess.Popen[str]
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def _ask(self, **request: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        self.answered()

    def answered(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "Node has ended"
        assert json.loads(line) == {}, line

    @contextmanager
    def copied(self, template: str) -> Iterator[str]:
        """A database for the duration of the block: its connection string."""
        folder = self.folder / str(next(self.numbers))
        folder.mkdir()
        socket = str(folder / ".s.PGSQL.5432")
        self._ask(copy=template, socket=socket)
        try:
            yield f"postgresql://postgres@/postgres?host={quote(str(folder), safe='')}&port=5432"
        finally:
            self._ask(drop=socket)

    def save(self, url: str, name: str) -> None:
        """Make a template of a database."""
        folder = self.folder / str(url.partition("host=")[2].partition("&")[0].rpartition("%2F")[2])
        self._ask(save=str(folder / ".s.PGSQL.5432"), **{"as": name})


@contextmanager
def databases() -> Iterator[Databases]:
    with tempfile.TemporaryDirectory(prefix="pgvec-") as made:
        folder = Path(made)
        (folder / "engine.sql").write_text(supabase.text())
        command = [NODE, str(ROOT / "js" / "test" / "databases.mjs"), str(folder / "engine.sql")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            found = Databases(process, folder)
            try:
                found.answered()
                yield found
            finally:
                assert process.stdin is not None
                process.stdin.close()


@dataclass(frozen=True)
class Template:
    """What pytest-postgresql gives of a template database."""

    template_dbname: str


class Acting:
    """A connection that acts as another role, on the one session that there is."""

    def __init__(self, connection: Connection, role: str) -> None:
        self._connection = connection
        self._role = sql.Identifier(role)

    def execute(self, *arguments: Any, **options: Any) -> Any:
        self._connection.execute(sql.SQL("set role {}").format(self._role))
        try:
            return self._connection.execute(*arguments, **options)
        finally:
            with suppress(psycopg.errors.InFailedSqlTransaction):
                self._connection.execute("reset role")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.fixture
def as_role(connection: Connection) -> Callable[[str], Any]:
    """As in conftest.py; what is set in one of these holds in all."""
    return lambda role: Acting(connection, role)


@pytest.fixture
def administrator(connection: Connection) -> Connection:
    """Who installed is one."""
    return connection


@pytest.fixture(scope="session")
def server() -> Iterator[Databases]:
    with databases() as made:
        yield made


@pytest.fixture(scope="session")
def with_engine() -> Template:
    return Template("engine")


def filled(name: str, fill: Callable[[Connection], None]) -> Any:
    """As in conftest.py."""

    @pytest.fixture(scope="session")
    def template(server: Databases) -> Template:
        with server.copied("engine") as url:
            with installation.connect(url) as connection:
                fill(connection)
            server.save(url, name)
        return Template(name)

    return template


def copied(template: str) -> Any:
    """As in conftest.py."""

    @pytest.fixture
    def copy(server: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
        with server.copied(request.getfixturevalue(template).template_dbname) as url:
            yield url

    return copy


def reason(item: pytest.Item) -> str | None:
    """Why a test cannot run on PGlite."""
    assert isinstance(item, pytest.Function)
    wanted = [why for fixture, why in WITHOUT.items() if fixture in item.fixturenames]
    itself = [why for fixture, why in WITHOUT_ITSELF.items() if fixture in signature(item.function).parameters]
    named = [why for pattern, why in NOT_HERE.items() if re.search(pattern, item.nodeid)]
    return next(iter(wanted + itself + named), None)


def leave_out(items: list[pytest.Item]) -> None:
    for item in items:
        if why := reason(item):
            item.add_marker(pytest.mark.skip(reason=f"PGlite has {why}"))
