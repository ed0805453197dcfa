"""A tenant that has most of the rows of a collection is answered by one look along the index, like any other."""

from __future__ import annotations

import pytest
from psycopg import sql

import installation
from conftest import Connection, copied
from conftest import filled as template

LARGE, SMALL = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
NOBODY = "00000000-0000-4000-8000-00000000000c"
FILL = """
insert into notes (tenant_id, id, content, embedding)
select case when i %% 3 < 2 then %(large)s else %(small)s end::uuid, i::text, 'row ' || i,
       array[sin(i * 7919.0), cos(i * 104729.0), sin(i * 1299709.0)]::float4[]::extensions.vector
  from generate_series(1, 15000) as i
"""
EXACT = """
select id
  from notes
 where tenant_id = %s
 order by (embedding operator(extensions.<=>) %s::extensions.vector) + 0, id
 limit %s
"""
VECTORS = ["[1,2,3]", "[0.3,-0.9,0.1]", "[-0.5,0.4,0.8]", "[0.1,0.1,-1]", "[0.7,0.7,0.2]"]
SETTINGS = "select current_setting('enable_sort'), current_setting('hnsw.ef_search', true)"
READ = """
select coalesce(s.idx_scan, 0) + s.seq_scan, coalesce(s.idx_tup_fetch, 0) + s.seq_tup_read
  from pg_catalog.pg_stat_xact_all_tables as s
 where s.relid = 'notes'::regclass
"""


def _found(connection: Connection, vector: str, count: int, tenant: str | None = None) -> list[str]:
    statement = "select id from match_documents(%s, %s, collection => 'notes', for_tenant => %s)"
    return [row[0] for row in connection.execute(statement, (vector, count, tenant)).fetchall()]


def _looked(connection: Connection, vector: str, count: int, tenant: str | None = None) -> bool:
    """Whether a search read the table by one look along the index, and nothing else."""
    with connection.transaction():
        before = connection.execute(READ).fetchone() or (0, 0)
        _found(connection, vector, count, tenant)
        after = connection.execute(READ).fetchone() or (0, 0)
    return bool(after[0] - before[0] == 1 and after[1] - before[1] < 100)


def _fill(connection: Connection) -> None:
    """Collection notes, two thirds of whose rows are one tenant's, with an index."""
    connection.execute("select pgvec.create_collection('notes', 3, access => 'tenant')")
    connection.execute(FILL, {"large": LARGE, "small": SMALL})
    # a flood of equal rows: which of them are returned must not depend on the index
    connection.execute(
        "insert into notes (tenant_id, id, content, embedding) select %s, 'same' || i, 'x', '[1,2,3]'"
        " from generate_series(1, 40) as i",
        (LARGE,),
    )
    definition = "select statement from pgvec.index_definition('notes', 'hnsw', 'vector')"
    for (statement,) in connection.execute(definition).fetchall():
        connection.execute(statement)
    connection.execute("select pgvec.note_index('notes')")
    connection.execute("vacuum analyze notes")


with_shares = template("shares", _fill)
database = copied("with_shares")


@pytest.fixture
def filled(connection: Connection) -> Connection:
    return connection


def test_whatever_its_share_a_tenant_gets_its_own_nearest_rows(filled: Connection, database: str) -> None:
    for tenant in (LARGE, SMALL):
        with installation.connect(database, "pgvec_reader") as member:
            member.execute("select set_config('app.tenant_id', %s, false)", (tenant,))
            for vector in VECTORS:
                for count in (1, 10, 300):
                    wanted = [row[0] for row in filled.execute(EXACT, (tenant, vector, count)).fetchall()]
                    for found in (_found(member, vector, count), _found(filled, vector, count, tenant)):
                        assert len(found) == count
                        assert len(set(found) & set(wanted)) >= 0.95 * count, (tenant, vector, count)
                        if vector == VECTORS[0] and count == 10 and tenant == LARGE:
                            assert found == wanted


def test_who_has_most_rows_is_answered_by_one_look_whoever_asks(filled: Connection, database: str) -> None:
    with installation.connect(database, "pgvec_reader") as member:
        member.execute("select '[1]'::extensions.vector")  # which makes its settings known
        settings = member.execute(SETTINGS).fetchone()
        for vector in VECTORS:
            one_look = vector != VECTORS[0]  # a tie at LIMIT is for the whole search
            member.execute("select set_config('app.tenant_id', %s, false)", (LARGE,))
            assert _looked(member, vector, 10) is one_look
            assert _looked(filled, vector, 10, LARGE) is one_look
            member.execute("select set_config('app.tenant_id', %s, false)", (SMALL,))
            assert not _looked(member, vector, 10)
        assert member.execute(SETTINGS).fetchone() == settings


def test_who_may_not_read_embeddings_or_all_rows_of_the_tenant_finds_what_may_be_read(
    filled: Connection, database: str
) -> None:
    with installation.connect(database, "pgvec_reader") as member:
        member.execute("select set_config('app.tenant_id', %s, false)", (LARGE,))
        for vector in VECTORS[1:]:
            everything = _found(member, vector, 10)
            filled.execute("revoke select on notes from pgvec_reader")
            filled.execute("grant select (tenant_id, id, content, metadata) on notes to pgvec_reader")
            assert _found(member, vector, 10) == everything
            filled.execute("grant select on notes to pgvec_reader")
            hidden = everything[::2]
            filled.execute(
                "create policy fewer on notes as restrictive for select to pgvec_reader"
                " using (not id = any (current_setting('app.hidden')::text[]))"
            )
            member.execute("select set_config('app.hidden', %s, false)", ("{" + ",".join(hidden) + "}",))
            found = _found(member, vector, 10)
            assert found[:5] == everything[1::2]
            assert len(found) == 10
            assert not set(found) & set(hidden)
            filled.execute("drop policy fewer on notes")


def test_a_share_is_told_of_most_rows_of_a_large_table_alone(filled: Connection, database: str) -> None:
    filled.execute("select pgvec.create_collection('few', 3, access => 'tenant')")
    filled.execute("select pgvec.create_collection('parts', 3, access => 'tenant', partition => 2)")
    for name, rows in (("few", 9000), ("parts", 12000)):
        filled.execute(f"alter table {name} disable trigger user".encode())
        filled.execute(
            sql.SQL(
                "insert into {} (tenant_id, id, content, content_hash) select %s, i, 'x', 'x'"
                " from generate_series(1, %s) as i"
            ).format(sql.Identifier(name)),
            (LARGE, rows),
        )
        filled.execute(f"analyze {name}".encode())
    share = "select share from pgvec.searched_tenants(%s, %s::regclass, %s)"
    with installation.connect(database, "pgvec_reader") as member:
        for tenant, base, of_most in ((LARGE, "notes", True), (SMALL, "notes", False), (NOBODY, "notes", False)):
            member.execute("select set_config('app.tenant_id', %s, false)", (tenant,))
            (told,) = member.execute(share, ("notes", base, None)).fetchone() or ()
            assert (told is not None) is of_most
            assert told is None or 0.6 < told < 0.7
        member.execute("select set_config('app.tenant_id', %s, false)", (LARGE,))
        for asked in (
            ("few", "few", None),
            ("parts", "parts", None),
            ("nothing", "notes", None),
            ("notes", None, None),
        ):
            assert member.execute(share, asked).fetchone() == (None,)
        assert member.execute(share, ("notes", "notes", SMALL)).fetchone() == (None,)
