"""PGlite, PostgreSQL within Node, instead of the embedded server: PGVEC_TEST_POSTGRES=pglite, make test-pglite.

Each database is a whole PostgreSQL of its own, with one session and without other databases beside it. What cannot run
there is listed here, with the reason.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import installation
from installation import Connection
from npm_package import BESIDE
from pages import ROOT
from pgvec_admin.install import supabase

# Fixtures that a test asks for, and why it cannot have them.
WITHOUT = {
    "server": "one database, not a server of several",
    "as_role": "one session, while another role's is a second one",
    "administrator": "one session, while an administrator's is a second one",
    "run": "one session, while the command opens its own",
    "empty_database": "one database, not a server of several",
    "platform": "a Supabase project is a server of its own",
}
# Tests by a regular expression for their names, and why they cannot run.
NOT_HERE: dict[str, str] = {}

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


@pytest.fixture(scope="session")
def pglite() -> Iterator[Databases]:
    with databases() as made:
        yield made


@pytest.fixture(scope="session")
def with_engine() -> Template:
    return Template("engine")


def filled(name: str, fill: Callable[[Connection], None]) -> Any:
    """As in conftest.py."""

    @pytest.fixture(scope="session")
    def template(pglite: Databases) -> Template:
        with pglite.copied("engine") as url:
            with installation.connect(url) as connection:
                fill(connection)
            pglite.save(url, name)
        return Template(name)

    return template


def copied(template: str) -> Any:
    """As in conftest.py."""

    @pytest.fixture
    def copy(pglite: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
        with pglite.copied(request.getfixturevalue(template).template_dbname) as url:
            yield url

    return copy


def reason(item: pytest.Item) -> str | None:
    """Why a test cannot run on PGlite."""
    wanted = [why for fixture, why in WITHOUT.items() if fixture in getattr(item, "fixturenames", ())]
    named = [why for pattern, why in NOT_HERE.items() if re.search(pattern, item.nodeid)]
    return next(iter(wanted + named), None)


def leave_out(items: list[pytest.Item]) -> None:
    for item in items:
        if why := reason(item):
            item.add_marker(pytest.mark.skip(reason=f"PGlite has {why}"))
