"""Tenants: what each may see and write, by role and by token, in SQL and through PostgREST."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from conftest import Connection, searchable
from pgvec_admin.server import embedded
from properties import examples
from supabase_project import Project

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
NOBODYS = "00000000-0000-4000-8000-00000000000c"

# the same rows of ours in both; theirs only in the first
SHARED, ALONE = "common", "single"


@pytest.fixture(scope="module", params=[None, 3, 0], ids=["one table", "partitions", "a table each"])
def partition(request: pytest.FixtureRequest) -> int | None:
    """The number of tables over which the rows of the tenants are spread; 0 for one of each tenant."""
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
            for name in (SHARED, ALONE):
                if partition == 0:
                    for tenant in (OURS, THEIRS):
                        connection.execute("select pgvec.copy_tenant(%s, %s)", (name, tenant))
                        connection.execute("select pgvec.isolate_tenant(%s, %s)", (name, tenant))
                connection.execute("""select pgvec.set_synonyms(%s, '{"cod": ["fish", "their red"]}')""", (name,))
        made.settle()
        yield made


@pytest.fixture(scope="module")
def member(project: Project) -> Iterator[Connection]:
    with psycopg.connect(project.database, prepare_threshold=None) as made:
        yield made  # one session for all examples, each of which is rolled back


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
    st.sampled_from(
        [
            *("red", "fish", "-fish", '"red fish"', "ourwords", "theirwords", "rare1", "salmn", "number", "7"),
            *("fihs", "theirwordz", "ourwrds", "nubmer", "their", "our", "numb", "cod"),
        ]
    ),
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
READINGS = st.sampled_from([None, {"fuzzy": True}, {"prefix": True}, {"fuzzy": True, "prefix": True}]).map(Jsonb)
LEXEMES = st.sampled_from(["fish", "ourword", "theirword", "number", "red"])
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
    _call("select * from suggest_completions(%s, 5, '{}', %s)", WORDS, TENANTS),
    _call(
        "select * from keyword_search(%s, 5, collection => '{}', for_tenant => %s, highlight => true, fuzzy => %s,"
        " prefix => %s)",
        WORDS,
        TENANTS,
        st.booleans(),
        st.booleans(),
    ),
    _call(
        "select * from hybrid_search(%s, %s, 5, collection => '{}', for_tenant => %s, fuzzy => %s, prefix => %s)",
        WORDS,
        VECTORS,
        TENANTS,
        st.booleans(),
        st.booleans(),
    ),
    _call("select * from search(%s, %s, %s, '{}', %s, true, 'source')", WORDS, COUNTS, FILTERS, TENANTS),
    _call("select * from hybrid_search(%s, null, %s, collection => '{}', for_tenant => %s)", WORDS, COUNTS, TENANTS),
    _call("select * from pgvec.explain_search('{}', %s, %s, %s, for_tenant => %s)", VECTORS, COUNTS, FILTERS, TENANTS),
    _call("select id, content, metadata, fts::text, bm25::text from {} where id = %s", IDS),
    _call("select count(*), min(content), max(embedding::text) from {}"),
    _call("select id from {} where content like %s order by id", st.sampled_from(["%fish%", "their%"])),
    # the engine, called directly
    _call("select pgvec.keyword_query('{}', %s, %s, %s)::text", WORDS, TENANTS, READINGS),
    _call("select * from pgvec.begun_lexemes('{}', %s, 5, %s)", WORDS, TENANTS),
    _call("select pgvec.some_ids('{}', %s, %s, 5)", TENANTS, LEXEMES),
    _call(
        "select pgvec.shown_word(" + FORGED + ", %s, %s)",
        VECTORS,
        TENANTS,
        WORDS,
        LEXEMES,
        LEXEMES.map(lambda word: word[:2]),
    ),
    _call("select * from pgvec.synonyms"),
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
def test_what_a_tenant_sees_does_not_depend_on_others(member: Connection, done: list[tuple[str, Any]]) -> None:
    with member.transaction(force_rollback=True):
        for who, (text, values) in done:
            if who == "they":
                _answer(member, THEIRS, SHARED, text, values)
            else:
                seen = _answer(member, OURS, SHARED, text, values)
                assert seen == _answer(member, OURS, ALONE, text, values)
                assert not re.search(r"their red fish number \d", seen)


@examples(200, for_a_change=25)
@given(words=WORDS, vector=VECTORS, filter_=FILTERS, id_=IDS, tenant=TENANTS)
def test_nor_does_it_through_rest(
    project: Project, words: str, vector: str, filter_: Jsonb, id_: str, tenant: str | None
) -> None:
    asked = {"collection": None, "for_tenant": tenant}
    narrowed = asked | {"filter": filter_.obj}
    calls: dict[str, dict[str, Any]] = {
        "match_documents": narrowed | {"query_embedding": vector},
        "keyword_search": narrowed | {"query_text": words, "highlight": True, "fuzzy": True, "prefix": True},
        "hybrid_search": narrowed | {"query_text": words, "query_embedding": vector},
        "recommend_documents": asked | {"positive": [id_]},
        "document_facets": narrowed | {"field": "tags", "query_text": words},
        "document_context": asked | {"document_id": id_},
        "suggest_query": asked | {"query_text": words},
        "suggest_completions": asked | {"prefix": words},
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
