"""pgvec.collection_version: the same text for the same rows, another for others, and null where that is unknown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from conftest import Connection

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"


def _version(connection: Connection, *arguments: object) -> str | None:
    marks = ", ".join(["%s"] * len(arguments))
    row = connection.execute(f"select pgvec.collection_version({marks})".encode(), arguments).fetchone()
    assert row is not None
    found: str | None = row[0]
    return found


def test_no_version_comes_back(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 2)")
    seen = [_version(connection, "documents")]
    for number in range(200):
        statement = (
            "insert into documents (content) values ('some words')",
            "update documents set metadata = metadata",
            "delete from documents where ctid = (select min(ctid) from documents)",
            "truncate documents" if number % 7 else "select pgvec.refresh_statistics('documents')",
        )[number % 4]
        changed = connection.execute(statement.encode()).rowcount != 0
        version = _version(connection, "documents")
        # an empty table is the same as any other
        empty = connection.execute("select not exists (select from documents)").fetchone() == (True,)
        assert version == seen[-1] or version not in seen or empty
        assert not changed or empty or version != seen[-1]
        seen.append(version)


def test_writers_at_once_are_all_told(connection: Connection, database: str) -> None:
    connection.execute("select pgvec.create_collection('documents', 2)")

    def write(number: int) -> None:
        with psycopg.connect(database, autocommit=True) as own:
            for _ in range(20):
                own.execute("insert into documents (content) values (%s)", (f"writer {number}",))

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(write, range(8)):
            pass
    # new weights, as the average length moves, are changes as well
    enough = "select sum(changes) >= 160 from pgvec.text_totals where collection = 'documents'"
    assert connection.execute(enough.encode()).fetchone() == (True,)


def test_a_tenant_is_told_of_its_own_changes_only(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    before = [_version(connection, "notes", tenant) for tenant in (OURS, THEIRS)]
    connection.execute("""select upsert_documents('[{"content": "x"}]', 'notes', %s)""", (OURS,))
    ours, theirs = (_version(connection, "notes", tenant) for tenant in (OURS, THEIRS))
    assert (ours != before[0], theirs == before[1]) == (True, True)
    with pytest.raises(psycopg.Error) as error:
        _version(connection, "notes")
    assert error.value.sqlstate == "PV006"


def test_what_cannot_be_told_is_null(connection: Connection, as_role: Callable[[str], Connection]) -> None:
    connection.execute("select pgvec.create_collection('plain', 2)")
    connection.execute("select pgvec.create_collection('strict', 2, access => 'policy')")
    connection.execute("create table jobs (id int primary key, title text)")
    connection.execute(
        "select pgvec.adopt_collection('jobs', 'jobs', dimensions => 2, content_columns => '{title}',"
        " embedding_column => 'embedding')"
    )
    assert _version(connection, "plain") is not None
    assert _version(connection, "strict") is None
    assert _version(connection, "jobs") is None
    reader = as_role("pgvec_reader")
    assert _version(reader, "plain") == _version(connection, "plain")
    connection.execute("revoke select on plain from pgvec_reader")
    assert _version(reader, "plain") is None
    connection.execute("create policy of_mine on plain for select using (id <> 'secret')")
    assert _version(connection, "plain") is None
