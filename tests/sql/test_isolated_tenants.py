"""A large tenant in a table of its own: the same answers, no rows of others met, and a purge that drops the table."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest

import installation
from command import Run
from embedding_workers import until
from installation import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import index

LARGE, SMALL, NEW = (f"00000000-0000-4000-8000-00000000000{one}" for one in "abc")
ROWS = """
insert into notes (tenant_id, id, content, metadata, embedding)
select %s, i::text, 'red fish number ' || i || case when i %% 3 = 0 then ' salmon' else '' end,
       jsonb_build_object('n', i %% 7), array[cos(i), sin(i), i %% 5]::real[]::extensions.vector
  from generate_series(1, %s) as i
"""
ASKED = (
    "select id, content, metadata, similarity from match_documents('[1,2,3]', 20, collection => 'notes')",
    "select id, similarity from match_documents('[1,2,3]', 20, '{\"n\": 3}', collection => 'notes')",
    "select id, score from keyword_search('salmon number', 20, collection => 'notes')",
    "select id, score from hybrid_search('salmon', '[1,2,3]', 20, collection => 'notes')",
    "select * from document_facets('n', collection => 'notes')",
    "select * from suggest_completions('salm', collection => 'notes')",
)


@pytest.fixture
def notes(connection: Connection) -> Connection:
    connection.execute(
        "select pgvec.create_collection('notes', 3, access => 'tenant', partition => 0, model => 'local:x')"
    )
    connection.execute("alter table notes add column shelf int generated always as (length(content)) stored")
    for tenant, number in (LARGE, 400), (SMALL, 30):
        connection.execute(ROWS.encode(), (tenant, number))
    return connection


def _act(connection: Connection, tenant: str) -> None:
    connection.execute("select set_config('app.tenant_id', %s, false)", (tenant,))


def _answers(database: str) -> dict[tuple[str, str], list[Any]]:
    with installation.connect(database, "pgvec_reader") as reader:
        found = {}
        for tenant in (LARGE, SMALL):
            _act(reader, tenant)
            for asked in ASKED:
                found[tenant, asked] = reader.execute(asked.encode()).fetchall()
                assert found[tenant, asked]
        return found


def _isolate(connection: Connection, tenant: str = LARGE) -> str:
    connection.execute("select pgvec.copy_tenant('notes', %s)", (tenant,))
    row = connection.execute("select pgvec.isolate_tenant('notes', %s)::text", (tenant,)).fetchone()
    assert row is not None
    return str(row[0])


def _holders(connection: Connection) -> dict[str, dict[str, int]]:
    """How many rows each tenant has in each table."""
    found: dict[str, dict[str, int]] = {}
    for table, tenant, number in connection.execute(
        "select tableoid::regclass::text, tenant_id::text, count(*) from notes group by 1, 2"
    ):
        found.setdefault(table, {})[tenant] = number
    return found


def _failed(connection: Connection) -> list[Any]:
    return connection.execute(
        "select check_name, found from pgvec.verify('notes') where result in ('fail', 'warn')"
    ).fetchall()


def _indexes(connection: Connection, table: str) -> list[str]:
    """What the indexes of a table are, without their names."""
    found = connection.execute("select indexdef from pg_indexes where indexname = any (%s)", (
        [name for (name,) in connection.execute(
            "select c.relname from pg_index as x join pg_class as c on c.oid = x.indexrelid"
            " where x.indrelid = %s::regclass and x.indisvalid", (table,))],
    ))  # fmt: skip
    return sorted(re.sub(r"INDEX \S+ ON \S+ ", "INDEX ", definition) for (definition,) in found)


def test_a_tenant_of_its_own_table_finds_what_it_found(notes: Connection, database: str) -> None:
    index.create(Target(database, "the test"), "notes", method="hnsw")
    assert _holders(notes) == {"pgvec.notes_p0": {LARGE: 400, SMALL: 30}}
    notes.execute("analyze notes")  # after which verify warns of the column that was added
    before, jobs = _answers(database), notes.execute("select count(*) from pgvec.embedding_jobs").fetchone()
    failed = _failed(notes)
    assert _isolate(notes) == "pgvec.notes_p1"
    assert _holders(notes) == {"pgvec.notes_p0": {SMALL: 30}, "pgvec.notes_p1": {LARGE: 400}}
    assert _answers(database) == before
    assert notes.execute("select count(*) from pgvec.embedding_jobs").fetchone() == jobs
    assert [name for name, _ in _failed(notes)] == [name for name, _ in failed]
    assert _indexes(notes, "pgvec.notes_p1") == _indexes(notes, "pgvec.notes_p0")
    assert len(_indexes(notes, "pgvec.notes_p1")) == 6
    # what is written goes there, and is kept as elsewhere
    for tenant in (LARGE, SMALL):
        notes.execute(
            "insert into notes (tenant_id, id, content, embedding) values (%s, 'late', 'a herring', '[1,1,1]')",
            (tenant,),
        )
    assert _holders(notes) == {"pgvec.notes_p0": {SMALL: 31}, "pgvec.notes_p1": {LARGE: 401}}
    with installation.connect(database, "pgvec_reader") as reader:
        _act(reader, LARGE)
        assert reader.execute("select id from keyword_search('herrings', collection => 'notes')").fetchall() == [
            ("late",)
        ]
    # again: the one that is there; and one for a tenant without rows
    assert _isolate(notes) == "pgvec.notes_p1"
    assert _isolate(notes, NEW) == "pgvec.notes_p2"
    notes.execute(ROWS.encode(), (NEW, 5))
    assert _holders(notes)["pgvec.notes_p2"] == {NEW: 5}


def test_only_the_tables_of_the_tenants_are_counted(notes: Connection) -> None:
    _isolate(notes)
    notes.execute("analyze notes")
    estimated = "select pgvec.estimate_rows(c, %s::uuid[])::int from pgvec.collections as c where c.name = 'notes'"
    for tenants, rows in (None, 430), ([LARGE], 400), ([SMALL], 30), ([NEW], 30), ([LARGE, SMALL], 430):
        assert notes.execute(estimated.encode(), (tenants,)).fetchone() == (rows,), tenants


def test_purging_drops_the_table(notes: Connection, database: str) -> None:
    notes.execute("insert into pgvec.memberships (member, tenant_id) values (gen_random_uuid(), %s)", (LARGE,))
    _isolate(notes)
    version = "select pgvec.collection_version('notes', %s)"
    before = notes.execute(version, (LARGE,)).fetchone(), notes.execute(version, (SMALL,)).fetchone()
    small = {key: rows for key, rows in _answers(database).items() if key[0] == SMALL}
    assert notes.execute("select * from pgvec.purge_tenant(%s)", (LARGE,)).fetchall() == [("notes", 400)]
    assert _holders(notes) == {"pgvec.notes_p0": {SMALL: 30}}
    assert notes.execute("select to_regclass('pgvec.notes_p1')").fetchone() == (None,)
    assert notes.execute(version, (LARGE,)).fetchone() != before[0]
    assert notes.execute(version, (SMALL,)).fetchone() == before[1]
    for table in ("lexemes", "text_totals", "bm25_parameters", "embedding_jobs"):
        kept = notes.execute(f"select distinct tenant::text from pgvec.{table}".encode()).fetchall()
        assert LARGE not in {tenant for (tenant,) in kept}, table
    with installation.connect(database, "pgvec_reader") as reader:
        _act(reader, SMALL)
        assert {(SMALL, asked): reader.execute(asked.encode()).fetchall() for asked in ASKED} == small
        _act(reader, LARGE)
        assert reader.execute(ASKED[0].encode()).fetchall() == []
    # a tenant that comes back has rows among the others, and may have a table again
    notes.execute(ROWS.encode(), (LARGE, 7))
    assert _holders(notes) == {"pgvec.notes_p0": {SMALL: 30, LARGE: 7}}
    assert _isolate(notes) == "pgvec.notes_p1"


TRIGGER = "create trigger told %s on notes for each row execute function public.told()"


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        (
            "create table likes (tenant uuid, note text, foreign key (tenant, note) references notes"
            " on delete cascade)",
            "table public.likes references it",
        ),
        (TRIGGER % "after delete", "trigger told runs on delete"),
        (TRIGGER % "before update or delete", "trigger told runs on delete"),
        ("create publication told for table notes", "publication told sends its rows"),
        ("create publication told for all tables", "publication told sends its rows"),
        (
            "create publication told for table notes with (publish_via_partition_root)",
            "publication told sends its rows",
        ),
    ],
)
def test_rows_that_others_watch_do_not_move_and_are_deleted_one_by_one(
    notes: Connection, planted: str, told: str
) -> None:
    notes.execute("create table deleted (id text)")
    notes.execute(
        "create function told() returns trigger language plpgsql as"
        " $$ begin insert into public.deleted values (old.id); return old; end $$"
    )
    notes.execute(planted.encode())
    with pytest.raises(psycopg.Error, match=re.escape(told)) as raised:
        _isolate(notes)
    assert raised.value.sqlstate == "PV004"
    notes.execute("drop trigger if exists told on notes; drop table if exists likes; drop publication if exists told")
    _isolate(notes)
    notes.execute(planted.encode())
    if "likes" in planted:
        notes.execute("insert into likes values (%s, '1')", (LARGE,))
    assert notes.execute("select * from pgvec.purge_tenant(%s)", (LARGE,)).fetchall() == [("notes", 400)]
    if "likes" in planted:
        assert notes.execute("select count(*) from likes").fetchone() == (0,)
    elif "trigger" in planted:
        assert notes.execute("select count(*) from deleted").fetchone() == (400,)
    assert notes.execute("select to_regclass('pgvec.notes_p1')").fetchone() == ("pgvec.notes_p1",)  # it was not dropped


@pytest.mark.parametrize(
    "made",
    [
        "pgvec.create_collection('other', 3)",
        "pgvec.create_collection('other', 3, access => 'tenant')",
        "pgvec.create_collection('other', 3, access => 'tenant', partition => 3)",
    ],
)
def test_other_collections_say_what_is_wanted(connection: Connection, made: str) -> None:
    connection.execute(f"select {made}".encode())
    with pytest.raises(psycopg.Error, match="cannot give a tenant a table") as raised:
        connection.execute("select pgvec.isolate_tenant('other', %s)", (LARGE,))
    assert raised.value.sqlstate == "PV004"
    assert "partition => 0" in str(raised.value.diag.message_hint)


@pytest.fixture
def searching(notes: Connection, database: str) -> Iterator[Callable[[], int]]:
    """A member that searches all the time; how often it has."""
    stop, counted = threading.Event(), [0]

    def search() -> None:
        with installation.connect(database, "pgvec_reader") as reader:
            _act(reader, LARGE)
            while not stop.is_set():
                assert len(reader.execute(ASKED[0].encode()).fetchall()) == 20
                counted[0] += 1

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(search)
        until(lambda: counted[0] > 3, "searches")
        yield lambda: counted[0]
        stop.set()
        running.result()


def test_what_was_written_since_the_copy_is_moved_too(notes: Connection, database: str) -> None:
    assert notes.execute("select pgvec.copy_tenant('notes', %s)", (LARGE,)).fetchone() == (400,)
    with installation.connect(database) as application:
        with application.transaction():
            application.execute("savepoint before")
            application.execute("update notes set content = 'a herring' where id in ('1', '2')")
            application.execute("release savepoint before")
        application.execute("delete from notes where id in ('3', '4') and tenant_id = %s", (LARGE,))
        application.execute("delete from notes where id = '5'")
        application.execute("insert into notes (tenant_id, id, content) values (%s, '5', 'a cod')", (LARGE,))
        application.execute("insert into notes (tenant_id, id, content) values (%s, 'new', 'a cod')", (LARGE,))
    contents = "select tenant_id, id, content, embedding::text, metadata, shelf from notes order by 1, 2"
    before = notes.execute(contents).fetchall()
    assert notes.execute("select pgvec.isolate_tenant('notes', %s)::text", (LARGE,)).fetchone() == ("pgvec.notes_p1",)
    assert notes.execute(contents).fetchall() == before
    assert _holders(notes)["pgvec.notes_p1"] == {LARGE: 399}
    assert notes.execute("select obj_description('pgvec.notes_p1'::regclass)").fetchone() == (None,)


def test_an_update_in_progress_while_the_rows_are_copied_is_moved(notes: Connection, database: str) -> None:
    with installation.connect(database) as application:
        with application.transaction(), application.transaction():  # a savepoint: another transaction id
            application.execute("update notes set content = 'a herring' where id = '1'")
            notes.execute("select pgvec.copy_tenant('notes', %s)", (LARGE,))
        notes.execute("select pgvec.isolate_tenant('notes', %s)", (LARGE,))
    contents = notes.execute("select content from notes where id = '1' and tenant_id = %s", (LARGE,)).fetchall()
    assert contents == [("a herring",)]


def test_rows_are_not_moved_without_a_copy(notes: Connection) -> None:
    with pytest.raises(psycopg.Error, match="have not been copied") as raised:
        notes.execute("select pgvec.isolate_tenant('notes', %s)", (LARGE,))
    assert "pgvec.copy_tenant('notes'" in str(raised.value.diag.message_hint)


@pytest.mark.parametrize(
    "change",
    [
        "alter table notes add column colour text",
        "alter table notes drop column shelf",
        "alter table notes alter column content drop not null",
        "select pgvec.begin_model_change('notes', 'local:y', 4)",
    ],
)
def test_a_copy_of_other_columns_is_made_again(notes: Connection, change: str) -> None:
    notes.execute("select pgvec.copy_tenant('notes', %s)", (LARGE,))
    notes.execute(change.encode())
    before = notes.execute("select * from notes order by tenant_id, id").fetchall()
    with pytest.raises(psycopg.Error, match="have changed since the rows of tenant") as raised:
        notes.execute("select pgvec.isolate_tenant('notes', %s)", (LARGE,))
    assert "select pgvec.copy_tenant('notes'" in str(raised.value.diag.message_hint)
    notes.execute("select pgvec.copy_tenant('notes', %s)", (LARGE,))
    notes.execute("select pgvec.isolate_tenant('notes', %s)", (LARGE,))
    assert _holders(notes)["pgvec.notes_p1"] == {LARGE: 400}
    assert notes.execute("select * from notes order by tenant_id, id").fetchall() == before


@pytest.mark.parametrize(
    "done",
    [
        f"select pgvec.purge_tenant('{LARGE}')",
        "select pgvec.drop_collection('notes')",
        f"select pgvec.copy_tenant('notes', '{LARGE}')",
        f"select pgvec.isolate_tenant('notes', '{LARGE}')",
    ],
)
def test_no_copy_is_left(notes: Connection, as_role: Callable[[str], Connection], done: str) -> None:
    notes.execute("select pgvec.copy_tenant('notes', %s)", (LARGE,))
    tables = "select relname from pg_class where relname like 'notes\\_p%' and relkind = 'r' and not relispartition"
    assert notes.execute(tables).fetchall() == [("notes_p1",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("pgvec_reader").execute("select * from pgvec.notes_p1")
    notes.execute(done.encode())
    assert notes.execute(tables).fetchall() == ([("notes_p1",)] if "copy" in done else [])


def test_searches_go_on_and_see_all_rows(notes: Connection, searching: Callable[[], int]) -> None:
    before = searching()
    _isolate(notes)
    until(lambda: searching() > before + 20, "more searches")


def test_a_transaction_that_has_read_and_then_writes_is_not_made_to_fail(notes: Connection, database: str) -> None:
    with installation.connect(database) as application, ThreadPoolExecutor(1) as pool, application.transaction():
        application.execute("select count(*) from notes")
        moving = pool.submit(_isolate, notes)
        until(lambda: _waits(application), "the other waits")
        # which the server would refuse at once if the other had a weaker lock already
        application.execute("update notes set content = 'blue fish' where tenant_id = %s and id = '1'", (SMALL,))
        with pytest.raises(psycopg.Error, match="lock timeout") as raised:
            moving.result()
    assert raised.value.sqlstate == "55P03"
    assert _holders(notes) == {"pgvec.notes_p0": {LARGE: 400, SMALL: 30}}
    assert notes.execute("show lock_timeout").fetchone() == ("0",)
    assert _isolate(notes) == "pgvec.notes_p1"


def _waits(connection: Connection) -> bool:
    time.sleep(0.05)
    waiting = "select count(*) from pg_locks as l where l.relation = 'pgvec.notes_p0'::regclass and not l.granted"
    return connection.execute(waiting).fetchone() != (0,)


def test_the_command(notes: Connection, run: Run) -> None:
    done = run("tenant", "isolate", "notes", LARGE)
    assert done.stderr == f"collection notes: 400 rows of tenant {UUID(LARGE)} are in pgvec.notes_p1\n"
    assert run("tenant", "purge", LARGE, "--yes").stderr == "collection notes: 400 rows deleted\n"
    refused = run("tenant", "isolate", "documents", LARGE)
    assert refused.returncode == 2
