"""A caller works on the rows of its tenants alone: who it is, what it may plant, what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

import installation
from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import index
from pgvec_admin.quality import verification
from plans import scans

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"

# the same rows of ours in both; theirs only in the first
SHARED, ALONE = "common", "single"


@pytest.fixture(scope="module", params=[None, 3], ids=["one table", "partitions"])
def partition(request: pytest.FixtureRequest) -> int | None:
    """The number of tables over which the rows of the tenants are spread."""
    number: int | None = request.param
    return number


def _create(connection: Connection, name: str, dimensions: int, partition: int | None) -> None:
    connection.execute(
        "select pgvec.create_collection(%s, %s, access => 'tenant', partition => %s)", (name, dimensions, partition)
    )


def _write(connection: Connection, collection: str, tenant: str, rows: list[dict[str, Any]]) -> None:
    connection.execute("select upsert_documents(%s, %s, %s)", (Jsonb(rows), collection, tenant))


def _claims(*tenants: str, **more: Any) -> dict[str, Any]:
    return (
        {"role": "authenticated", "sub": "00000000-0000-4000-8000-0000000000ff"}
        | more
        | ({"app_metadata": {"tenant_ids": list(tenants)}} if tenants else {})
    )


def _act(connection: Connection, role: str, claims: dict[str, Any] | None) -> None:
    """As PostgREST does it."""
    connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    told = json.dumps(claims) if claims is not None else ""
    connection.execute("select set_config('request.jwt.claims', %s, true)", (told,))


@pytest.fixture
def notes(project_database: str, partition: int | None) -> Iterator[Connection]:
    """Collection `notes`, a row of ours and a row of theirs with the same id."""
    with psycopg.connect(project_database, autocommit=True) as connection:
        _create(connection, "notes", 2, partition)
        _write(connection, "notes", OURS, [{"id": "1", "content": "our fish", "embedding": [1, 0]}])
        _write(connection, "notes", THEIRS, [{"id": "1", "content": "their fish", "embedding": [1, 0]}])
        yield connection


def _found(connection: Connection, role: str, claims: dict[str, Any] | None, extra: str = "") -> Any:
    with connection.transaction(force_rollback=True):
        _act(connection, role, claims)
        if extra:
            connection.execute(extra.encode())
        try:
            rows = connection.execute("select content from match_documents('[1,0]', collection => 'notes')").fetchall()
        except psycopg.Error as error:
            return error.sqlstate
    return [row[0] for row in rows]


def test_where_a_callers_tenants_come_from(notes: Connection) -> None:
    member = "00000000-0000-4000-8000-0000000000f1"
    notes.execute("insert into pgvec.memberships (member, tenant_id) values (%s, %s)", (member, THEIRS))
    one = _claims() | {"app_metadata": {"tenant_id": OURS}}
    assert _found(notes, "authenticated", one) == ["our fish"]
    assert _found(notes, "authenticated", _claims(OURS, THEIRS)) == ["our fish", "their fish"]
    assert _found(notes, "authenticated", _claims(sub=member)) == ["their fish"]
    assert _found(notes, "authenticated", _claims(OURS, sub=member)) == ["our fish", "their fish"]
    assert _found(notes, "authenticated", _claims()) == "PV006"
    assert _found(notes, "anon", {"role": "anon"}) == "PV006"
    # users write their user_metadata themselves
    assert _found(notes, "authenticated", _claims(user_metadata={"tenant_id": OURS})) == "PV006"
    assert _found(notes, "authenticated", _claims() | {"app_metadata": {"tenant_id": "x' or true"}}) == "PV006"
    assert _found(notes, "authenticated", _claims() | {"app_metadata": {"tenant_ids": "all"}}) == "PV006"
    setting = f"set local app.tenant_id = '{OURS}'"
    assert _found(notes, "authenticated", None, setting) == ["our fish"]
    assert _found(notes, "authenticated", _claims(), setting) == "PV006", "a token counts alone"
    # a caller that sees all rows has to name a tenant
    assert _found(notes, "service_role", {"role": "service_role"}) == "PV006"


def test_a_tenant_that_a_token_spells_twice_is_one(notes: Connection) -> None:
    with notes.transaction(force_rollback=True):
        _act(notes, "authenticated", _claims(OURS, OURS.upper()))
        assert notes.execute("select t::text from pgvec.allowed_tenants() as t").fetchall() == [(OURS,)]
        found = notes.execute("select content from match_documents('[1,0]', collection => 'notes')").fetchall()
        assert found == [("our fish",)]


def test_each_of_several_tenants_is_searched(notes: Connection) -> None:
    with notes.transaction(force_rollback=True):
        _act(notes, "authenticated", _claims(OURS, THEIRS))
        asked = "collection => 'notes'"
        for call in (
            f"match_documents('[1,0]', {asked})",
            f"keyword_search('fish', {asked})",
            f"hybrid_search('fish', '[1,0]', {asked})",
            f"match_documents_embeddings('[1,0]', {asked})",
            f"match_documents_mmr('[1,0]', {asked})",
            f"kw_match_documents('fish', {asked})",
            f"document_context('1', {asked})",
        ):
            rows = notes.execute(f"select content from {call}".encode()).fetchall()
            assert sorted(row[0] for row in rows) == ["our fish", "their fish"], call
            theirs = notes.execute(f"select content from {call[:-1]}, for_tenant => %s)".encode(), (THEIRS,)).fetchall()
            assert theirs == [("their fish",)], call
        # written is for one
        for write in (
            "select upsert_documents('{\"content\": \"x\"}', 'notes')",
            "insert into notes (content) values ('x')",
        ):
            with pytest.raises(psycopg.Error) as refused, notes.transaction():
                notes.execute(write.encode())
            assert refused.value.sqlstate == "PV006"
        notes.execute('select upsert_documents(\'{"id": "2", "content": "x"}\', \'notes\', %s)', (THEIRS,))
        assert notes.execute("select tenant_id::text from notes where id = '2'").fetchone() == (THEIRS,)


def test_service_role_names_the_tenant(notes: Connection) -> None:
    with notes.transaction(force_rollback=True):
        _act(notes, "service_role", {"role": "service_role"})
        for call in ("match_documents('[1,0]'", "keyword_search('fish'", "hybrid_search('fish', '[1,0]'"):
            rows = notes.execute(f"select content from {call}, collection => 'notes', for_tenant => '{OURS}')".encode())
            assert rows.fetchall() == [("our fish",)]
        explained = notes.execute(
            "select rows from pgvec.explain_search('notes', '[1,0]', for_tenant => %s)", (OURS,)
        ).fetchone()
        assert explained == (1,)
        assert notes.execute(
            "select delete_documents('{1}', collection => 'notes', for_tenant => %s)", (OURS,)
        ).fetchone() == (1,)
        assert notes.execute("select content from notes").fetchall() == [("their fish",)]


def test_words_that_only_others_have_are_suggested_to_nobody(notes: Connection) -> None:
    _write(notes, "notes", THEIRS, [{"id": "2", "content": "a salmon"}])
    for tenant, alike, suggested in ((OURS, [], None), (THEIRS, [("salmn", "'salmon'")], "salmon")):
        with notes.transaction(force_rollback=True):
            _act(notes, "authenticated", _claims(tenant))
            found = notes.execute("select word, lexeme::text from pgvec.nearest_lexemes('notes', 'salmn')").fetchall()
            assert found == alike
            assert notes.execute("select suggest_query('salmn', 'notes')").fetchone() == (suggested,)
            for call, completed in (
                ("suggest_completions('salm', 5, 'notes')", ("salmon", 1)),
                ("pgvec.begun_lexemes('notes', 'salm', 5)", ("salmon", 1)),
                ("pgvec.some_ids('notes', null, 'salmon', 5)", (["2"],)),
            ):
                rows = notes.execute(f"select * from {call}".encode()).fetchall()
                assert [row for row in rows if row != ([],)] == ([completed] if suggested else []), call
            for reading in ("'salmn', fuzzy => true", "'salmo', prefix => true"):
                search = f"select content from keyword_search({reading}, collection => 'notes')"
                assert notes.execute(search.encode()).fetchall() == ([("a salmon",)] if suggested else [])


def test_no_row_is_given_to_another_tenant(notes: Connection) -> None:
    """An update without a condition reads nothing: the policy for updates alone stands in its way."""
    with notes.transaction(force_rollback=True):
        _act(notes, "authenticated", _claims(OURS))
        for write in (
            "update notes set tenant_id = %s, id = '2'",
            "insert into notes (tenant_id, id) values (%s, '2')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"), notes.transaction():
                notes.execute(write.encode(), (THEIRS,))


def test_a_row_without_a_tenant_is_the_callers(notes: Connection) -> None:
    with notes.transaction(force_rollback=True):
        _act(notes, "authenticated", _claims(OURS))
        assert notes.execute("insert into notes (content) values ('x') returning tenant_id::text").fetchone() == (OURS,)


HOSTILE = {
    "a table of that name": "create temp table notes (like public.notes);"
    "insert into pg_temp.notes select * from public.notes",
    "a function of that name": f"create function pg_temp.allowed_tenants() returns setof uuid language sql as"
    f" $$ select '{THEIRS}'::uuid $$",
    "an operator of that name": "create function pg_temp.yes(uuid, uuid) returns boolean language sql as 'select true';"
    "create operator pg_temp.= (function = pg_temp.yes, leftarg = uuid, rightarg = uuid)",
    "a type of that name": "create type pg_temp.keyword_query as (a int)",
    "a search path": "set local search_path = pg_temp, public, extensions, pg_catalog",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_callers_own_objects_change_nothing(notes: Connection, what: str) -> None:
    notes.execute("grant temporary on database current to public".replace("current", notes.info.dbname).encode())
    with notes.transaction(force_rollback=True):
        _act(notes, "authenticated", _claims(OURS))
        notes.execute(HOSTILE[what].encode())
        notes.execute("set local search_path = pg_temp, public, extensions")
        for call in ("match_documents('[1,0]'", "keyword_search('fish'", "hybrid_search('fish', '[1,0]'"):
            rows = notes.execute(f"select content from public.{call}, collection => 'notes')".encode()).fetchall()
            assert rows == [("our fish",)]


def test_no_role_is_gained_by_asking(notes: Connection) -> None:
    dsn = make_conninfo(notes.info.dsn, user="authenticator")
    with psycopg.connect(dsn, autocommit=True) as request:
        request.execute("set role authenticated")
        for statement in ("set role postgres", "select set_config('role', 'postgres', true)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                request.execute(statement.encode())


def test_searches_of_a_tenant_use_the_indexes(project_database: str, partition: int | None) -> None:
    with psycopg.connect(project_database, autocommit=True) as connection:
        _create(connection, "notes", 3, partition)
        connection.execute(
            "insert into notes (tenant_id, id, content, metadata, embedding)"
            " select %s, i, 'word' || i %% 200, jsonb_build_object('n', i %% 500),"
            " array[sin(i), cos(i), 1]::float4[]::extensions.vector from generate_series(1, 12000) as i",
            (OURS,),
        )
        index.create(Target(project_database, "the test"), "notes")
        connection.execute("vacuum analyze notes")
        [(table,)] = connection.execute("select distinct tableoid::regclass::text from notes").fetchall()
        claims = json.dumps(_claims(OURS))
        before = f"set role authenticated; select set_config('request.jwt.claims', '{claims}', false)"
        # these hide plans from the caller, but not from this test
        definers = (
            "select oid::regprocedure::text from pg_proc where pronamespace = 'pgvec'::regnamespace and prosecdef"
        )
        for (routine,) in connection.execute(definers).fetchall():
            connection.execute(f"alter function {routine} reset debug_print_plan".encode())
        asked = {
            "match_documents('[1,0,0]', 5, collection => 'notes')": f"{table}_embedding_hnsw_cosine_idx",
            "match_documents('[1,0,0]', 5, '{\"n\": 7}', collection => 'notes')": f"{table}_metadata_idx",
            "keyword_search('word7', 5, collection => 'notes')": f"{table}_fts_idx",
            "hybrid_search('word7', '[1,0,0]', 5, collection => 'notes', candidates => 20)": f"{table}_fts_idx",
        }
        for call, used in asked.items():
            found = scans(connection, f"select * from {call}", before=before)
            of_table = [
                indexes for tables, indexes in found if {"notes", table, table.removeprefix("pgvec.")} & set(tables)
            ]
            assert any(used in indexes for indexes in of_table), (call, of_table)
            assert not [indexes for indexes in of_table if "seq scan" in indexes or not indexes], (call, of_table)


def test_verify_is_kept_out_and_notices_a_policy_that_lets_in(project_database: str) -> None:
    with psycopg.connect(project_database, autocommit=True) as connection:
        attempts = verification.tenants(connection)
        assert {one.role_name for one in attempts} == {"anon", "authenticated"}
        assert [one for one in attempts if not one.passed] == []
        assert len(attempts) == 32
        assert connection.execute("select count(*) from pgvec.collections").fetchone() == (0,)
        # a second, permissive policy, as one makes in a hurry; and statistics for everybody
        definition = connection.execute("select pg_get_functiondef('pgvec.make_policies'::regproc)").fetchone()
        assert definition is not None
        policy = "execute format('create policy hurry on %s using (true)', target.relation);\n  if visible is null"
        connection.execute(definition[0].replace("if visible is null", policy).encode())
        connection.execute("grant select on pgvec.lexemes to anon")
        failed = {(one.role_name, one.attempt) for one in verification.tenants(connection) if not one.passed}
        assert ("authenticated", "reads the table") in failed
        assert ("authenticated", "inserts for another tenant") in failed
        assert ("anon", "reads the statistics") in failed
        # the engine still finds only the caller's own tenant's rows
        assert ("authenticated", "match_documents") not in failed


def test_where_policies_decide_the_engine_adds_nothing(project_database: str) -> None:
    with psycopg.connect(project_database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('mine', 2, access => 'policy')")
        rows = [{"id": who, "content": f"a fish of {who}", "embedding": [1, 0]} for who in ("a", "b")]
        connection.execute("select upsert_documents(%s, 'mine')", (Jsonb(rows),))
        calls = [
            "match_documents('[1,0]', collection => 'mine')",
            "keyword_search('fish', collection => 'mine')",
            "hybrid_search('fish', '[1,0]', collection => 'mine')",
        ]

        def found(call: str) -> list[str]:
            with connection.transaction(force_rollback=True):
                _act(connection, "authenticated", _claims(sub="a"))
                return [row[0] for row in connection.execute(f"select id from {call}".encode()).fetchall()]

        assert [found(call) for call in calls] == [[], [], []], "row level security is on, and there is no policy yet"
        connection.execute(
            "create policy own on mine for select to authenticated"
            " using (id = (select current_setting('request.jwt.claims')::jsonb ->> 'sub'))"
        )
        assert [found(call) for call in calls] == [["a"], ["a"], ["a"]]
        with pytest.raises(psycopg.Error, match="has no tenants"):
            found("match_documents('[1,0]', collection => 'mine', for_tenant => gen_random_uuid())")


def _as_writer(url: str, tenant: str) -> Connection:
    made = installation.connect(url, "pgvec_writer")
    made.execute("select set_config('app.tenant_id', %s, false)", (tenant,))
    return made


def _load(writer: Connection, name: str, tenant: str, ids: list[str]) -> None:
    """As the command loads a file, and is interrupted."""
    with writer.transaction():
        writer.execute("select pgvec.begin_staging(%s)", (name,))
        for number, id_ in enumerate(ids):
            writer.execute(
                "insert into pg_temp.staged_documents (id, source, chunk_index, content, metadata, embedding)"
                " values (%s, 'a.md', %s, %s, '{}', '[1,2]')",
                (id_, number, f"{tenant[-1]} words " * (number + 1)),
            )
        writer.execute("select pgvec.merge_staged(%s)", (name,))
        writer.execute("select pgvec.note_load(%s, %s, %s, %s, %s)", (name, f"{tenant[-1]}.csv", "x", 1, ids[0]))


def test_a_tenants_writer_is_told_of_its_own_statistics_and_loads(
    connection: Connection, database: str, partition: int | None
) -> None:
    for name, tenants in ((SHARED, (THEIRS, OURS)), (ALONE, (OURS,))):
        _create(connection, name, 2, partition)
        for tenant in tenants:
            with _as_writer(database, tenant) as writer:
                _load(writer, name, tenant, ["1", "2", "3"] if tenant == OURS else ["1", "5", "6", "7"])
    asked = [
        "select documents, uncounted, average_length, weights_made_for, due from pgvec.keyword_statistics('{}')",
        "select * from pgvec.resume_points('{}')",
        "select * from pgvec.noted_loads('{}')",
        "select * from pgvec.loaded_rows('{}') order by source",
        "select * from pgvec.loaded_rows('{}', null, true) order by id",
        "select * from pgvec.loaded_rows('{}', null, false) order by id",
        "select * from pgvec.refresh_statistics('{}', null)",
        "select pgvec.tenant_size('{}', '" + OURS + "')",
    ]
    with _as_writer(database, OURS) as writer:
        for statement in asked:
            shared, alone = (writer.execute(statement.format(name).encode()).fetchall() for name in (SHARED, ALONE))
            assert shared == alone
        hidden = writer.execute("select pgvec.tenant_size(%s, %s)", (SHARED, THEIRS)).fetchone()
        assert hidden == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute("select * from pgvec.loads")
        # the same file again: existing rows stay, changed ones are updated, and no row of another tenant is touched
        with writer.transaction():
            writer.execute("select pgvec.begin_staging(%s)", (SHARED,))
            writer.execute(
                "insert into pg_temp.staged_documents (id, source, chunk_index, content, metadata, embedding)"
                " values ('1', 'a.md', 0, 'a words ', '{}', '[1,2]'), ('2', 'a.md', 1, 'other', '{}', '[1,2]'),"
                " ('9', 'a.md', 2, 'new', '{}', '[1,2]')"
            )
            merged = writer.execute("select * from pgvec.merge_staged(%s)", (SHARED,)).fetchone()
        assert merged == (1, 1, 1, 0)
    rows = connection.execute(f"select tenant_id::text, id, content from {SHARED} order by 1, 2").fetchall()
    assert [row[1] for row in rows if row[0] == THEIRS] == ["1", "5", "6", "7"]
    assert all(row[2].startswith("b words") for row in rows if row[0] == THEIRS)


def test_what_others_write_changes_no_version_of_ours(connection: Connection, partition: int | None) -> None:
    _create(connection, "notes", 2, partition)
    _write(connection, "notes", OURS, [{"id": "1", "content": "ours"}])
    told = "select pgvec.collection_version('notes', %s)"
    before = connection.execute(told, (OURS,)).fetchone()
    for number in range(40):
        _write(connection, "notes", THEIRS, [{"id": str(number), "content": "theirs"}])
    connection.execute("select pgvec.purge_tenant(%s)", (THEIRS,))
    assert connection.execute(told, (OURS,)).fetchone() == before
    _write(connection, "notes", OURS, [{"id": "1", "content": "changed"}])
    assert connection.execute(told, (OURS,)).fetchone() != before
