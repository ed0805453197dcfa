"""verify: what it finds in the catalog, each thing broken on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Connection
from pgvec_admin import verification

COMMAND = Path(sys.executable).with_name("pgvec-admin")

BROKEN = {
    "search_path": ("alter function pgvec.version() reset search_path", "pgvec.version()"),
    "definer": (
        "alter function public.suggest_query(text, text, uuid) security definer",
        "public.suggest_query(text,text,uuid)",
    ),
    "grants": ("grant execute on function pgvec.drop_collection(text) to public", "pgvec.drop_collection(text)"),
    "rls": ("alter table notes disable row level security", "public.notes"),
    "initplan": ("create policy slow on notes using (current_setting('app.user', true) = id)", "public.notes"),
    "invalid index": (
        "update pg_index set indisvalid = false where indexrelid = 'notes_source_idx'::regclass",
        "public.notes_source_idx",
    ),
    "duplicate index": ("create index more on notes using gin (fts)", "public.more"),
    "missing index": ("drop index notes_metadata_idx", "public.notes"),
}


@pytest.fixture
def notes(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant', partition => 2)")
    connection.execute("select pgvec.create_collection('documents', 2)")
    connection.execute("create table jobs (id int primary key, title text, embedding extensions.vector(2))")
    connection.execute("select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{title}')")
    connection.execute("select pgvec.create_collection_api('jobs')")
    return connection


def _found(connection: Connection) -> list[tuple[str, str | None]]:
    return [(one.check_name, one.object) for one in verification.catalog(connection) if one.found]


def test_nothing_is_found_in_what_is_installed(notes: Connection) -> None:
    checks = verification.catalog(notes)
    assert [one.check_name for one in checks] == list(BROKEN)
    assert _found(notes) == []


@pytest.mark.parametrize("check", BROKEN)
def test_what_is_broken_is_found_by_its_check_alone(notes: Connection, administrator: Connection, check: str) -> None:
    statement, broken = BROKEN[check]
    administrator.execute(statement.encode())
    assert {name for name, _ in _found(notes)} == {check}
    assert broken in {found for _, found in _found(notes)}


def test_policies_that_ask_once_a_query_are_no_finding(notes: Connection) -> None:
    notes.execute("create policy fast on notes using ((select current_setting('app.user', true)) = id)")
    assert _found(notes) == []


def test_a_large_collection_without_a_vector_index_is_a_finding(notes: Connection) -> None:
    notes.execute("insert into documents (id, embedding) select i, '[1,1]' from generate_series(1, 26000) as i")
    notes.execute("analyze documents")
    assert _found(notes) == [("missing index", "public.documents")]


def test_the_command_tells_and_fails(notes: Connection, database: str) -> None:
    def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "verify", "--database-url", database, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    fine = verify()
    assert (fine.returncode, fine.stdout.count(" ok")) == (0, len(BROKEN)), fine
    notes.execute("grant select on pgvec.lexemes to public; alter table documents disable row level security")
    broken = verify("--json")
    assert broken.returncode == 4
    assert "pgvec.lexemes is for PUBLIC: select, and 1 more" in broken.stderr
    assert "hint: revoke all on ... from public" in broken.stderr
    found = [one for one in json.loads(broken.stdout)["checks"] if one["found"]]
    assert [one["object"] for one in found] == ["pgvec.lexemes", "public.documents"]
