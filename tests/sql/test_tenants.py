"""Tenants: what each may see and write, by role and by token, in SQL and through PostgREST."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

import installation
from conftest import Connection, searchable
from pgvec_admin.database import Target
from pgvec_admin.engine import index
from pgvec_admin.quality import verification
from pgvec_admin.server import embedded
from plans import scans
from properties import examples
from supabase_project import Project

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
NOBODYS = "00000000-0000-4000-8000-00000000000c"

# the same rows of ours in both; theirs only in the first
SHARED, ALONE = "common", "single"


@pytest.fixture(scope="module", params=[None, 3], ids=["one table", "partitions"])
def partition(request: pytest.FixtureRequest) -> int | None:
    """The number of tables over which the rows of the tenants are spread."""
    number: int | None = request.param
    return number


@pytest.fixture(scope="module")
def project(
    platform: embedded.Server, installed: str, tmp_path_factory: pytest.TempPathFactory, partition: int | None
) -> Iterator[Project]:
    with searchable(platform, installed, tmp_path_factory.mktemp("tenants")) as made:
        with psycopg.connect(made.database, autocommit=True) as connection:
            for name in (SHARED, ALONE):
                _create(connection, name, 2, partition)
            _write(connection, SHARED, OURS, _rows("our", "en"))
            _write(connection, ALONE, OURS, _rows("our", "en"))
            _write(connection, SHARED, THEIRS, _rows("their", "fr", extra=20))
        made.settle()
        yield made


def _create(connection: Connection, name: str, dimensions: int, partition: int | None) -> None:
    connection.execute(
        "select pgvec.create_collection(%s, %s, access => 'tenant', partition => %s)", (name, dimensions, partition)
    )


def _rows(whose: str, lang: str, extra: int = 0) -> list[dict[str, Any]]:
    """Some ids are both tenants', and so are some words."""
    rows = [
        {
            "id": str(n) if n % 2 else f"{whose}-{n}",
            "content": f"{whose} red fish number {n} {whose}words {'fish ' * (n % 4)}",
            "source": f"{'shared' if n % 3 else whose}.md",
            "chunk_index": n,
            "metadata": {"lang": lang, "n": n, "tags": [whose, "all"]},
            "embedding": [1, n / 4],
        }
        for n in range(10)
    ]
    more = [{"id": f"{whose}-x{n}", "content": f"rare{n} salmon", "embedding": [n, 1]} for n in range(extra)]
    return rows + more


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


# what a tenant does: SQL with {} for the collection, and the values of its placeholders

IDS = st.sampled_from(["1", "3", "our-2", "their-2", "their-x1", "none"])
TENANTS = st.sampled_from([None, None, None, OURS, THEIRS, NOBODYS])
WORDS = st.lists(
    st.sampled_from(["red", "fish", "-fish", '"red fish"', "ourwords", "theirwords", "rare1", "salmn", "number", "7"]),
    max_size=4,
).map(" ".join)
VECTORS = st.tuples(st.integers(-2, 2), st.integers(1, 3)).map(lambda pair: f"[{pair[0]},{pair[1]}]")
COUNTS = st.sampled_from([None, 1, 2, 5, 100])
FILTERS = st.sampled_from(
    [
        {},
        {"lang": "fr"},
        {"lang": "en"},
        {"n": {"$gte": 5}},
        {"$not": {"lang": "en"}},
        {"$or": [{"n": 1}, {"tags": {"$contains": "their"}}]},
        {"$text": "fish"},
        {"tags": ["all"]},
    ]
).map(Jsonb)
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {"id": IDS, "content": WORDS.filter(bool)},
        optional={"embedding": VECTORS, "source": st.sampled_from(["our.md", "shared.md", "their.md"])},
    ),
    min_size=1,
    max_size=3,
).map(Jsonb)


def _call(text: str, *values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(text), st.tuples(*values))


# a request that names another tenant, as a caller could make one
FORGED = (
    "(select jsonb_populate_record(pgvec.vector_request(%s, 5, '{{}}', null, '{}', null, null), jsonb_build_object("
    "'tenants', array[%s::text], 'query_text', %s::text, 'filter', '{{}}'::jsonb, 'ranking', 'bm25', 'fusion', 'rrf',"
    " 'semantic_weight', 1, 'full_text_weight', 1, 'rrf_k', 60, 'depth', 5)))"
)
AS_OWNER = "('{}', %s, %s, %s, '{{}}', null, 'cosine', 'bm25', 5, %s, %s)"
READS = st.one_of(
    _call(
        "select * from match_documents(%s, %s, %s, %s, '{}', %s)",
        VECTORS,
        COUNTS,
        FILTERS,
        st.sampled_from([None, 0.5]),
        TENANTS,
    ),
    _call(
        "select * from match_documents(%s, %s, collection => '{}', distance => 'l2', for_tenant => %s)",
        VECTORS,
        COUNTS,
        TENANTS,
    ),
    _call(
        "select * from keyword_search(%s, %s, %s, %s, '{}', %s, true)",
        WORDS,
        COUNTS,
        FILTERS,
        st.sampled_from(["bm25", "ts_rank", "ts_rank_cd"]),
        TENANTS,
    ),
    _call(
        "select * from hybrid_search(%s, %s, %s, filter => %s, collection => '{}', for_tenant => %s)",
        WORDS,
        VECTORS,
        COUNTS,
        FILTERS,
        TENANTS,
    ),
    _call(
        "select * from hybrid_search(%s, %s, %s, collection => '{}', group_by => 'source', diversity => 0.5)",
        WORDS,
        VECTORS,
        COUNTS,
    ),
    _call("select * from kw_match_documents(%s, %s, %s, '{}', %s)", WORDS, COUNTS, FILTERS, TENANTS),
    _call("select * from match_documents_embeddings(%s, %s, %s, null, '{}', %s)", VECTORS, COUNTS, FILTERS, TENANTS),
    _call("select * from match_documents_mmr(%s, %s, %s, null, '{}', %s)", VECTORS, COUNTS, FILTERS, TENANTS),
    _call("select * from match_vectors(%s, %s, %s, null, '{}', %s)", VECTORS, COUNTS, FILTERS, TENANTS),
    _call(
        "select * from recommend_documents(array[%s], array[%s], %s, collection => '{}', for_tenant => %s)",
        IDS,
        IDS,
        COUNTS,
        TENANTS,
    ),
    _call(
        "select * from document_facets(%s, %s, %s, 10, '{}', %s)",
        st.sampled_from(["lang", "tags", "n"]),
        st.one_of(st.none(), WORDS),
        FILTERS,
        TENANTS,
    ),
    _call("select * from document_context(%s, 3, 3, '{}', %s)", IDS, TENANTS),
    _call("select suggest_query(%s, '{}', %s)", WORDS, TENANTS),
    _call("select * from search(%s, %s, %s, '{}', %s, true, 'source')", WORDS, COUNTS, FILTERS, TENANTS),
    _call("select * from hybrid_search(%s, null, %s, collection => '{}', for_tenant => %s)", WORDS, COUNTS, TENANTS),
    _call("select * from pgvec.explain_search('{}', %s, %s, %s, for_tenant => %s)", VECTORS, COUNTS, FILTERS, TENANTS),
    _call("select id, content, metadata, fts::text, bm25::text from {} where id = %s", IDS),
    _call("select count(*), min(content), max(embedding::text) from {}"),
    _call("select id from {} where content like %s order by id", st.sampled_from(["%fish%", "their%"])),
    # the engine, called directly
    _call("select pgvec.keyword_query('{}', %s, %s)::text", WORDS, TENANTS),
    _call("select * from pgvec.nearest_lexemes('{}', %s, %s)", WORDS, TENANTS),
    _call("select pgvec.text_configurations('{}', %s)", TENANTS),
    _call("select pgvec.query_vector(%s, '{}')", WORDS),
    _call("select * from pgvec.fit_status('{}')"),
    _call("select * from pgvec.fits"),
    _call("select * from pgvec.lexeme_vectors"),
    _call(
        "select (c).* from pgvec.candidates_as_owner" + AS_OWNER + " as c",
        *(TENANTS, WORDS, VECTORS, st.booleans(), st.booleans()),
    ),
    _call(
        "select (c).* from pgvec.find_candidates" + AS_OWNER + " as c",
        *(TENANTS, WORDS, VECTORS, st.booleans(), st.booleans()),
    ),
    _call("select pgvec.count_ids('{}', array[%s])", IDS),
    _call("select * from pgvec.stale_documents('{}')"),
    _call("select pgvec.count_stale('{}')"),
    _call("select pgvec.count_missing('{}', %s)", TENANTS),
    _call("select pgvec.count_blank('{}')"),
    _call("select * from pgvec.claim_jobs('{}')"),
    _call("select * from claim_embeddings('{}')"),
    _call("select * from pgvec.lease_jobs('{}', 10, '1 s')"),
    _call("select * from pgvec.enqueue_stale('{}')"),
    _call("select * from pgvec.embedding_jobs"),
    _call("select * from pgvec.embedding_status('{}')"),
    _call("select * from pgvec.nearest(" + FORGED + ")", VECTORS, TENANTS, WORDS),
    _call("select * from pgvec.found_documents(" + FORGED + ", '{{}}')", VECTORS, TENANTS, WORDS),
    _call("select * from pgvec.keyword_rows(" + FORGED + ", %s, true)", VECTORS, TENANTS, WORDS, TENANTS),
    _call("select * from pgvec.hybrid_rows(" + FORGED + ", %s)", VECTORS, TENANTS, WORDS, TENANTS),
    _call("select pgvec.bm25_settings(c) from pgvec.collections as c where c.name = '{}'"),
    _call("select * from pgvec.lexemes"),
    _call("select * from pgvec.text_totals"),
    _call("select * from pgvec.bm25_parameters"),
    _call("select * from pgvec.memberships"),
    _call("select * from pgvec.keyword_statistics('{}')"),
    _call("select * from pgvec.refresh_statistics('{}')"),
)
WRITES = st.one_of(
    _call("select upsert_documents(%s, '{}', %s)", DOCUMENTS, TENANTS),
    _call("select delete_documents(array[%s], null, null, '{}', %s)", IDS, TENANTS),
    _call(
        "select delete_documents(null, %s, %s, '{}', %s)",
        st.sampled_from([None, "shared.md", "their.md"]),
        FILTERS,
        TENANTS,
    ),
    _call("insert into {} (id, content) values (%s, %s) returning tenant_id", IDS, WORDS),
    _call("insert into {} (tenant_id, id, content) values (%s, %s, 'planted')", TENANTS.filter(bool), IDS),
    _call(
        "insert into {} (id, content) values (%s, 'mine') on conflict (tenant_id, id) do update set content = 'mine'",
        IDS,
    ),
    _call("update {} set tenant_id = %s where id = %s", TENANTS.filter(bool), IDS),
    _call("update {} set content = content || ' changed' where id = %s returning content", IDS),
    _call("delete from {} where id = %s returning content", IDS),
    _call("delete from {} where tenant_id = %s", TENANTS.filter(bool)),
    _call("truncate {}"),
)
DONE = st.one_of(
    st.tuples(st.just("we"), READS),
    st.tuples(st.just("we"), READS),
    st.tuples(st.just("we"), WRITES),
    st.tuples(st.just("they"), WRITES),
)


def _answer(connection: Connection, tenant: str, collection: str, text: str, values: tuple[Any, ...]) -> Any:
    """Rows, or everything that an error says; the two collections' names look the same."""
    try:
        with connection.transaction():
            _act(connection, "authenticated", _claims(tenant))
            found = connection.execute(text.format(*[collection] * text.count("{}")).encode(), values)
            told = repr((found.rowcount, found.fetchall() if found.description else None))
            connection.execute("reset role")
    except psycopg.Error as error:
        diag = error.diag
        told = repr((error.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint))
    return told.replace(SHARED, "COLLECTION").replace(ALONE, "COLLECTION")


@examples(1200)
@given(done=st.lists(DONE, min_size=2, max_size=5))
def test_what_a_tenant_sees_does_not_depend_on_others(project: Project, done: list[tuple[str, Any]]) -> None:
    with psycopg.connect(project.database) as connection:
        for who, (text, values) in done:
            if who == "they":
                _answer(connection, THEIRS, SHARED, text, values)
            else:
                seen = _answer(connection, OURS, SHARED, text, values)
                assert seen == _answer(connection, OURS, ALONE, text, values)
                assert "their red" not in seen
        connection.rollback()


@examples(200, for_a_change=25)
@given(words=WORDS, vector=VECTORS, filter_=FILTERS, id_=IDS, tenant=TENANTS)
def test_nor_does_it_through_rest(
    project: Project, words: str, vector: str, filter_: Jsonb, id_: str, tenant: str | None
) -> None:
    asked = {"collection": None, "for_tenant": tenant}
    narrowed = asked | {"filter": filter_.obj}
    calls: dict[str, dict[str, Any]] = {
        "match_documents": narrowed | {"query_embedding": vector},
        "keyword_search": narrowed | {"query_text": words, "highlight": True},
        "hybrid_search": narrowed | {"query_text": words, "query_embedding": vector},
        "recommend_documents": asked | {"positive": [id_]},
        "document_facets": narrowed | {"field": "tags", "query_text": words},
        "document_context": asked | {"document_id": id_},
        "suggest_query": asked | {"query_text": words},
        "search": narrowed | {"query_text": words, "highlight": True},
        "delete_documents": asked | {"ids": ["their-2", "their-x1"]},
    }
    for function, arguments in calls.items():
        common, single = (
            project.rpc(function, arguments | {"collection": name}, "authenticated", _claims(OURS))
            for name in (SHARED, ALONE)
        )
        assert common.status_code == single.status_code
        assert common.text.replace(SHARED, "") == single.text.replace(ALONE, "")


@pytest.fixture
def notes(with_search: Project, partition: int | None) -> Iterator[Connection]:
    """Collection `notes`, a row of ours and a row of theirs with the same id."""
    with psycopg.connect(with_search.database, autocommit=True) as connection:
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


def test_searches_of_a_tenant_use_the_indexes(with_search: Project, partition: int | None) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        _create(connection, "notes", 3, partition)
        connection.execute(
            "insert into notes (tenant_id, id, content, metadata, embedding)"
            " select %s, i, 'word' || i %% 200, jsonb_build_object('n', i %% 500),"
            " array[sin(i), cos(i), 1]::float4[]::extensions.vector from generate_series(1, 12000) as i",
            (OURS,),
        )
        index.create(Target(with_search.database, "the test"), "notes")
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


def test_verify_is_kept_out_and_notices_a_policy_that_lets_in(with_search: Project) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
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


def test_where_policies_decide_the_engine_adds_nothing(with_search: Project) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
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


@pytest.mark.parametrize("role", ["pgvec_reader", None])
def test_rows_of_several_tenants_say_whose_they_are(connection: Connection, role: str | None) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    ours, theirs = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
    for tenant in (ours, theirs):
        connection.execute(
            "insert into notes (tenant_id, id, content, embedding, metadata)"
            " values (%s, '1', 'fish', '[1,0]', '{\"a\": 1}')",
            (tenant,),
        )
    claims = json.dumps({"app_metadata": {"tenant_ids": [ours, theirs]}})
    connection.execute("select set_config('request.jwt.claims', %s, false)", (claims,))
    if role:
        connection.execute(f"set role {role}".encode())
    calls = (
        "match_documents('[1,0]', collection => 'notes'{})",
        "match_documents_embeddings('[1,0]', collection => 'notes'{})",
        "match_documents_mmr('[1,0]', collection => 'notes'{})",
        "match_vectors('[1,0]', collection => 'notes'{})",
        "keyword_search('fish', collection => 'notes'{})",
        "kw_match_documents('fish', collection => 'notes'{})",
        "hybrid_search('fish', '[1,0]', collection => 'notes'{})",
    )
    for call in calls:
        found = connection.execute(f"select id, metadata from {call.format('')}".encode()).fetchall()
        assert sorted(found, key=str) == [("1", {"a": 1, "tenant_id": one}) for one in (ours, theirs)], call
        narrowed = f"select id, metadata from {call.format(f', for_tenant => {theirs!r}')}"
        assert connection.execute(narrowed.encode()).fetchall() == [("1", {"a": 1})], call
        column = json.dumps({"tenant_id": theirs})
        chosen = f"select metadata ->> 'tenant_id' from {call.format(f', filter => {column!r}')}"
        assert connection.execute(chosen.encode()).fetchall() == [(theirs,)], call
