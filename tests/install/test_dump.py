"""Dump and restore: an installation with collections of each kind comes back whole, for superusers and plain owners."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import installation
from command import in_process
from installation import VECTOR_SCHEMA, Connection
from pgvec_admin.database import Target
from pgvec_admin.install import migrate
from pgvec_admin.server import embedded
from seeded import answers, catalog, fill


@dataclass(frozen=True)
class Dumped:
    """A database, what the commands tell of it, its answers before and after `_write`, and its dump (custom format)."""

    server: embedded.Server
    url: str
    file: Path
    told: list[Any] = field(default_factory=list)
    before: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    after: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def run(self, program: str, *arguments: str | Path, **options: Any) -> str:
        command = [installation.program(self.server, program), *arguments]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, capture_output=True, text=True, check=False, **options
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def create(self, name: str) -> str:
        with installation.connect(self.server.url()) as connection:
            connection.execute(f"create database {name}")
        return self.server.url(name)


@pytest.fixture(scope="module")
def dumped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dumped]:
    file = tmp_path_factory.mktemp("dump") / "custom"
    with installation.running() as server:
        installation.add_owner(server)
        url = Dumped(server, "", file).create("original")
        _make_pgvector_available(url)
        migrate.migrate(Target(url, "the test"), report=lambda _: None)
        with installation.connect(url) as connection:
            fill(connection)
        with installation.connect(url) as connection:
            before, after = answers(connection), _write(connection)
        made = Dumped(server, url, file, _told(url), before, after)
        made.run("pg_dump", "--format=custom", f"--file={file}", url)
        yield made


def _make_pgvector_available(url: str) -> None:
    with installation.connect(url) as connection:
        connection.execute(f"create schema if not exists {VECTOR_SCHEMA}")
        connection.execute(f"create extension vector schema {VECTOR_SCHEMA}")
        connection.execute(f"grant usage on schema {VECTOR_SCHEMA} to public")


def _told(url: str) -> list[Any]:
    """The output of status and verify."""
    told = []
    for command in ("status", "verify --seconds 0.1", "collection list"):
        ran = in_process(*command.split(), "--json", "--database-url", url)
        assert not ran.returncode, ran.stderr
        told.append(json.loads(ran.stdout))
    for collection in told[2]:
        del collection["size_bytes"]  # a table that was loaded at once is smaller
    # figures are measured again, and the cached index is the old one until `migrate`
    told[1] = [
        (check["area"], check["check_name"], check["result"])
        for check in told[1]["checks"]
        if check["check_name"] != "noted index"
    ]
    return told


def _same(dumped: Dumped, url: str) -> None:
    """The restored database answers as the original; `migrate` caches its indexes again."""
    noted = "select bool_and(c.search_index_oid = to_regclass(c.search_index)) from pgvec.collections as c"
    with installation.connect(url) as restored:
        assert answers(restored) == dumped.before
        assert _told(url) == dumped.told
        report = migrate.migrate(Target(url, "the test"), report=lambda _: None)
        assert (report.migrations, report.functions) == ([], [])
        assert restored.execute(noted).fetchone() == (True,)
        assert answers(restored) == dumped.before
        # and the triggers still maintain the rows
        assert _write(restored) == dumped.after


def _write(connection: Connection) -> dict[tuple[str, str], list[Any]]:
    """The answers with other rows, which are rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute("insert into notes (id, content, embedding) values ('later', 'word3 anew', '[1,2,0.5]')")
        connection.execute("delete from shop where id < 20")
        found = answers(connection)
    assert "later" in [row[0] for row in found["notes", "near"]]
    return found


def test_a_superuser_restores_a_dump_in_the_custom_format(dumped: Dumped) -> None:
    url = dumped.create("custom")
    dumped.run("pg_restore", "--exit-on-error", f"--dbname={url}", dumped.file)
    with installation.connect(dumped.url) as original, installation.connect(url) as restored:
        assert catalog(restored) == catalog(original)
    _same(dumped, url)


def test_a_superuser_restores_a_dump_that_is_sql(dumped: Dumped) -> None:
    url = dumped.create("plain")
    sql = dumped.run("pg_dump", "--format=plain", dumped.url)
    dumped.run("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", url, input=sql)
    _same(dumped, url)


def test_a_plain_owner_restores_what_is_not_the_administrators(dumped: Dumped, tmp_path: Path) -> None:
    url = dumped.create("owned")
    with installation.connect(url) as connection:
        connection.execute("alter database owned owner to owner")
    _make_pgvector_available(url)
    wanted = [
        line
        for line in dumped.run("pg_restore", "--list", dumped.file).splitlines()
        if " EXTENSION " not in line and " extensions " not in line
    ]
    (tmp_path / "list").write_text("\n".join(wanted))
    url = url.replace("//postgres@", "//owner@")
    dumped.run(
        "pg_restore", "--exit-on-error", "--no-owner", f"--use-list={tmp_path / 'list'}", f"--dbname={url}", dumped.file
    )
    _same(dumped, url)
