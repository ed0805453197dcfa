"""Releases: they never change, what they installed is upgraded, and a command that is too old refuses."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import installation
from command import COMMAND
from conftest import Connection
from installation import RELEASES, release
from pgvec_admin import __version__
from pgvec_admin.database import Target
from pgvec_admin.install import migrate, migrations, supabase
from pgvec_admin.install.functions import normalised
from pgvec_admin.server import embedded
from seeded import answers, catalog, fill

RELEASED = sorted(path.name.removesuffix(".sql.gz") for path in RELEASES.glob("*.sql.gz"))


@pytest.mark.parametrize("version", RELEASED)
def test_a_released_migration_never_changes(version: str) -> None:
    applied = r"^select pg_temp\.apply_migration\('(.+?)', '([0-9a-f]{64})'"
    released = dict(re.findall(applied, release(version), flags=re.M))
    assert "0001.engine" in released
    now = {found.stem: normalised(found)[1] for found in migrations.paths()}
    changed = [name for name, digest in released.items() if now.get(name) != digest]
    assert changed == [], "these are released: undo the change, and write a new migration that does what it was for"


@dataclass(frozen=True)
class Fresh:
    """A new installation: its catalog, and the answers of its searches before and after rows are written."""

    catalog: list[tuple[Any, ...]]
    before: dict[tuple[str, str], list[Any]]
    after: dict[tuple[str, str], list[Any]]


@pytest.fixture(scope="module")
def fresh(server: embedded.Server) -> Iterator[Fresh]:
    with installation.created(server, "fresh") as url, installation.connect(url) as new:
        migrate.migrate(Target(url, "the test"), report=lambda _: None)
        fill(new)
        made, before = catalog(new), answers(new)
        _write(new)
        yield Fresh(made, before, answers(new))


def _write(connection: Connection) -> None:
    for name in ("documents", "halves", "notes", "parts"):
        connection.execute(f"insert into {name} (id, content, embedding) values ('later', 'word3 anew', '[1,2,0.5]')")
    connection.execute("insert into shop values (1000, 'word3 anew', 1, '[1,2,0.5]')")


@dataclass(frozen=True)
class Old:
    """A database with an earlier release, which tests copy, and the answers of its searches."""

    version: str
    name: str
    answers: dict[tuple[str, str], list[Any]]


@pytest.fixture(scope="module", params=RELEASED)
def old(server: embedded.Server, request: pytest.FixtureRequest) -> Iterator[Old]:
    version, name = request.param, f"release_{request.param.replace('.', '_')}"
    with installation.created(server, name) as url:
        _psql(server, url, release(version))
        with installation.connect(url) as connection:
            fill(connection)
            found = answers(connection)
        yield Old(version, name, found)


def _psql(server: embedded.Server, url: str, text: str) -> None:
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--single-transaction"]
    subprocess.run([installation.program(server, "psql"), *options, url], input=text, text=True, check=True)


@pytest.mark.parametrize("way", ["migrate", "export"])
def test_an_upgrade_ends_where_a_new_installation_begins(
    way: str, server: embedded.Server, old: Old, fresh: Fresh
) -> None:
    with (
        installation.created(server, "upgraded", old.name) as url,
        installation.connect(url) as upgraded,
    ):
        assert upgraded.execute("select pgvec.version()").fetchone() == (old.version,)
        assert answers(upgraded) == old.answers
        if way == "migrate":
            migrate.migrate(Target(url, "the test"), report=lambda _: None)
        else:
            _psql(server, url, supabase.text())
        assert upgraded.execute("select pgvec.version()").fetchone() == (__version__,)
        assert answers(upgraded) == old.answers

        assert catalog(upgraded) == fresh.catalog
        assert fresh.before == old.answers
        # and rows written from now on are maintained as there
        _write(upgraded)
        assert answers(upgraded) == fresh.after != old.answers


COMMANDS = [
    "migrate",
    "status",
    "rollback --yes",
    "uninstall --yes",
    "functions list",
    "collection list",
    "collection drop documents --yes",
    "load nothing.jsonl",
    "embed",
    "search words --mode keyword",
    "index list documents",
    "tenant list",
    "verify",
    "bench documents",
    "serve --port 0",
]


@pytest.fixture(scope="module")
def newer(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    """A database whose engine wants a later command."""
    with (
        installation.created(server, "newer", with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as connection,
    ):
        connection.execute(
            "create or replace function pgvec.oldest_client() returns text language sql immutable parallel safe"
            " security invoker set search_path = '' as $$ select '9.1' $$"
        )
        yield connection


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_older_than_the_engine_allows_refuses(command: str, newer: Connection, tmp_path: Path) -> None:
    (tmp_path / "nothing.jsonl").touch()
    called: list[str | Path] = [COMMAND, *command.split(), "--database-url", newer.info.dsn]
    refused = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr.splitlines() == [
        f"error: this database needs pgvec-admin 9.1 or newer, this is {__version__}",
        "hint: pip install --upgrade pgvec-admin",
    ]
    assert newer.execute("select pgvec.version()").fetchone() == (__version__,)
