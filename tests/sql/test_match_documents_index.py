"""match_documents over an index: the plan, the recall, the settings of a search, and the index that it has noted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

import installation
from conftest import Connection, copied, filled

ROWS = 8000
DIMENSIONS = 64


def _rows(connection: Connection, call: str, *parameters: Any) -> list[tuple[Any, ...]]:
    return connection.execute(f"select id, similarity from match_documents({call})", parameters).fetchall()


VECTORS = np.random.default_rng(7).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)


def _fill(connection: Connection) -> None:
    """VECTORS behind an HNSW index; row i has metadata n = i mod 10, and only row 7 has rare = true."""
    connection.execute("select pgvec.create_collection('documents', %s)", (DIMENSIONS,))
    metadata = [{"n": number % 10} | ({"rare": True} if number == 7 else {}) for number in range(ROWS)]
    connection.execute(
        "insert into documents (id, content, embedding, metadata)"
        " select to_char(n - 1, 'fm00000'), 'text ' || n - 1, v::extensions.vector, m::jsonb"
        " from unnest(%s::text[], %s::text[]) with ordinality as given (v, m, n)",
        ([_literal(vector) for vector in VECTORS], [json.dumps(one) for one in metadata]),
    )
    row = connection.execute("select statement from pgvec.index_definition('documents')").fetchone()
    assert row is not None
    connection.execute(row[0])
    connection.execute("analyze documents")


with_many = filled("many", _fill)
many_copy = copied("with_many")


@pytest.fixture
def many(many_copy: str) -> Iterator[tuple[Connection, np.ndarray[Any, Any]]]:
    with installation.connect(many_copy) as connection:
        yield connection, VECTORS


def _literal(vector: np.ndarray[Any, Any]) -> str:
    return str(vector.tolist())


def _exact(vectors: np.ndarray[Any, Any], query: np.ndarray[Any, Any]) -> list[str]:
    similarity = vectors @ query / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))
    return [f"{number:05}" for number in np.argsort(-similarity)]


def test_the_search_walks_the_hnsw_index(many: tuple[Connection, np.ndarray[Any, Any]]) -> None:
    connection, vectors = many
    plan = "\n".join(
        row[0]
        for row in connection.execute(
            "select plan from pgvec.explain_search('documents', %s, 10)", (_literal(vectors[0]),)
        ).fetchall()
    )
    assert "Index Scan using documents_embedding_hnsw_cosine_idx" in plan

    used = "select idx_scan from pg_stat_user_indexes where indexrelname = 'documents_embedding_hnsw_cosine_idx'"
    connection.execute("select pg_stat_force_next_flush()")
    before = connection.execute(used).fetchone()
    _rows(connection, "%s, 10", _literal(vectors[0]))
    connection.execute("select pg_stat_force_next_flush()")
    after = connection.execute(used).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] == before[0] + 1, "match_documents itself scanned it, once"


def test_recall_grows_with_the_collections_ef_search(many: tuple[Connection, np.ndarray[Any, Any]]) -> None:
    connection, vectors = many
    queries = np.random.default_rng(8).normal(size=(20, DIMENSIONS)).astype(np.float32)
    recall = {}
    for ef_search in (10, 400):
        connection.execute(
            "update pgvec.collections set settings = jsonb_build_object('ef_search', %s::int)", (ef_search,)
        )
        found = [{row[0] for row in _rows(connection, "%s, 10", _literal(query))} for query in queries]
        recall[ef_search] = np.mean(
            [len(ids & set(_exact(vectors, query)[:10])) / 10 for ids, query in zip(found, queries, strict=True)]
        )
    assert recall[10] < recall[400]
    assert recall[400] >= 0.99


@pytest.mark.parametrize("count", [10, 41, 150, 1000])
def test_as_many_rows_come_back_as_were_asked_for(many: tuple[Connection, np.ndarray[Any, Any]], count: int) -> None:
    connection, vectors = many
    connection.execute("set enable_seqscan = off")
    connection.execute("set enable_bitmapscan = off")
    assert len(_rows(connection, "%s, %s", _literal(vectors[1]), count)) == count


@pytest.mark.parametrize(("filter_", "matches"), [('{"n": 3}', 800), ('{"rare": true}', 1), ('{"n": 11}', 0)])
def test_a_filter_never_costs_rows_even_where_only_the_index_may_be_used(
    many: tuple[Connection, np.ndarray[Any, Any]], filter_: str, matches: int
) -> None:
    connection, vectors = many
    connection.execute("set enable_seqscan = off")
    connection.execute("set enable_bitmapscan = off")
    connection.execute("set hnsw.max_scan_tuples = 100")
    rows = _rows(connection, "%s, 1000, %s", _literal(vectors[2]), filter_)
    assert len(rows) == matches
    query = vectors[2]
    allowed = {row[0] for row in rows}
    assert [row[0] for row in rows] == [number for number in _exact(vectors, query) if number in allowed]


SETTINGS = (
    "select name, setting from pg_settings where name ~ '^(hnsw|ivfflat|enable|jit|search_path|plan_cache)' order by 1"
)


@pytest.mark.parametrize(
    ("filter_", "rows"), [("{}", 300), ('{"n": 3}', 300), ('{"n": {"$ne": 3}}', 300), ('{"rare": true}', 1)]
)
@pytest.mark.parametrize("method", ["hnsw", "ivfflat"])
def test_settings_of_a_search_never_reach_the_callers_transaction(
    many: tuple[Connection, np.ndarray[Any, Any]], method: str, filter_: str, rows: int
) -> None:
    connection, vectors = many
    connection.execute("select '[1]'::extensions.vector")  # loads the library, whose settings are then there
    if method == "ivfflat":
        connection.execute("drop index documents_embedding_hnsw_cosine_idx")
        connection.execute("create index on documents using ivfflat (embedding extensions.vector_cosine_ops)")
    # every possible step: nothing may be scanned before the index scan
    connection.execute('update pgvec.collections set settings = \'{"exact_rows": 0, "probes": 3}\'')
    with connection.transaction():
        connection.execute("set local hnsw.ef_search = 61")
        connection.execute("set local ivfflat.probes = 7")
        before = connection.execute(SETTINGS).fetchall()
        for _ in range(2):
            assert len(_rows(connection, "%s, 300, %s", _literal(vectors[3]), filter_)) == rows
            assert connection.execute(SETTINGS).fetchall() == before
        with pytest.raises(psycopg.Error), connection.transaction():
            connection.execute("select * from match_documents(%s, filter => '[1]')", (_literal(vectors[3]),))
        assert connection.execute(SETTINGS).fetchall() == before


@pytest.mark.parametrize("plans", ["auto", "force_generic_plan"])
def test_a_prepared_call_loses_no_rows_to_a_generic_plan(
    many: tuple[Connection, np.ndarray[Any, Any]], plans: str
) -> None:
    connection, vectors = many
    connection.execute("select set_config('plan_cache_mode', %s, false)", (plans,))
    # narrow and wide in turn: a plan cached for one must not make the other slower
    for _ in range(7):
        for filter_, expected in (('{"rare": true}', 1), ('{"n": {"$lt": 9}}', 10), ("{}", 10), ('{"n": 77}', 0)):
            rows = connection.execute(
                "select id from match_documents(%s, 10, %s)", (_literal(vectors[4]), filter_), prepare=True
            ).fetchall()
            assert len(rows) == expected


def test_a_connection_that_a_pooler_hands_on_loses_no_rows(many: tuple[Connection, np.ndarray[Any, Any]]) -> None:
    # transactions of several clients on one server connection: other settings, other roles' leftovers, rollbacks
    connection, vectors = many
    for turn in range(12):
        with connection.transaction(force_rollback=turn % 3 == 0):
            connection.execute(f"set local hnsw.ef_search = {1 + 13 * turn}")
            connection.execute(f"set local enable_seqscan = {'off' if turn % 2 else 'on'}")
            connection.execute(f"set local search_path = {'pg_temp' if turn % 4 == 1 else 'public, extensions'}")
            rows = connection.execute(
                "select id from public.match_documents(%s::text::extensions.vector, 50, %s)",
                (_literal(vectors[turn]), '{"n": 3}'),
                prepare=True,
            ).fetchall()
            allowed = [number for number in _exact(vectors, vectors[turn]) if int(number) % 10 == 3]
            assert [row[0] for row in rows] == allowed[:50]
        if turn % 5 == 4:
            connection.execute("discard plans")


def test_a_noted_index_is_used_and_looked_for_again_when_it_is_gone(
    many: tuple[Connection, np.ndarray[Any, Any]],
) -> None:
    connection, vectors = many
    used = "select idx_scan from pg_stat_user_indexes where indexrelname = %s"
    name = "documents_embedding_hnsw_cosine_idx"

    def scans(index: str) -> int:
        connection.execute("select pg_stat_force_next_flush()")
        row = connection.execute(used, (index,)).fetchone()
        assert row is not None
        return int(row[0])

    for note in (False, True):
        if note:
            assert connection.execute("select pgvec.note_index('documents')::text").fetchone() == (name,)
        before = scans(name)
        assert len(_rows(connection, "%s, 10", _literal(vectors[0]))) == 10
        assert scans(name) == before + 1

    # created again under the same name, over another expression
    connection.execute(f"drop index {name}")
    connection.execute(
        f"create index {name} on documents using hnsw ((embedding::extensions.halfvec({DIMENSIONS}))"
        " extensions.halfvec_cosine_ops)"
    )
    before = scans(name)
    assert len(_rows(connection, "%s, 10", _literal(vectors[0]))) == 10
    assert scans(name) == before + 1

    connection.execute(f"drop index {name}")
    assert [row[0] for row in _rows(connection, "%s, 10", _literal(vectors[0]))] == _exact(vectors, vectors[0])[:10]
    assert connection.execute("select pgvec.note_index('documents')").fetchone() == (None,)


@pytest.mark.parametrize("settings", ["{}", '{"ef_search": 12}'])
@pytest.mark.parametrize("count", [3, 60])
def test_a_search_looks_as_far_as_its_steps_say(
    many: tuple[Connection, np.ndarray[Any, Any]], count: int, settings: str
) -> None:
    connection, vectors = many
    connection.execute("update pgvec.collections set settings = %s", (settings,))
    step = connection.execute(
        """
        select s.ef_search, s.read_rows
          from pgvec.vector_request(%s, %s, '{}', null, 'documents', null, null) as r,
               unnest((pgvec.search_steps(r)).steps) as s
         limit 1
        """,
        (_literal(vectors[0]), count),
    ).fetchone()
    assert step is not None
    # the rows depend on the number of candidates: with so few, hardly two numbers find the same rows
    for vector in vectors[:20]:
        found = [row[0] for row in _rows(connection, "%s, %s", _literal(vector + 0.5), count)]
        with connection.transaction():
            connection.execute(f"set local hnsw.ef_search = {step[0]}; set local hnsw.iterative_scan = relaxed_order")
            bare = connection.execute(
                "select id from (select id, embedding operator(extensions.<=>) %(q)s::extensions.vector as distance"
                " from documents order by distance limit %(rows)s) as found order by distance, id limit %(count)s",
                {"q": _literal(vector + 0.5), "rows": step[1], "count": count},
            ).fetchall()
        assert found == [row[0] for row in bare]


@pytest.mark.parametrize(
    ("tuned", "part", "first"),
    [
        ({"deep_recall": 0.995, "deep_ef_search": 400}, 10, (220, 11)),  # twice as many match as are read
        ({"deep_recall": 0.995, "deep_ef_search": 600}, 10, (268, 11)),  # it finds rows that are 1.4 times as far
        ({"deep_recall": 0.995}, 10, (422, 11)),  # by an earlier release, which did not measure it
        ({"deep_recall": 0.995, "deep_ef_search": 400}, 2, (86, 11)),  # near rows are missed as well
        ({"deep_recall": 0.995, "deep_ef_search": 400}, 5, (125, 11)),
        ({"deep_recall": 0.98}, 10, (110, 14)),
        ({}, 10, (110, 14)),
    ],
)
def test_a_graph_that_finds_farther_rows_too_is_looked_into_further(
    many: tuple[Connection, np.ndarray[Any, Any]], tuned: dict[str, float], part: int, first: tuple[int, int]
) -> None:
    connection, vectors = many
    connection.execute("update pgvec.collections set settings = %s", (json.dumps({"tuned": tuned}),))
    steps = connection.execute(
        """
        select s.ef_search, s.enough, s.kind
          from pgvec.vector_request(%s, 10, '{}', null, 'documents', null, null) as r,
               unnest(pgvec.wide_steps(r, 11, 40, %s, 20000)) as s
        """,
        (_literal(vectors[0]), ROWS / part),
    ).fetchall()
    assert steps[0] == (*first, "column")
    assert steps[-1][2] is None  # what it does not find, an exact scan does


@pytest.mark.parametrize(
    ("part", "to_scan", "then"),
    [
        (10, 30_000, [(1000, "off")]),
        (20, 30_000, []),
        (20, 90_000, []),
        (20, 110_000, [(440, "relaxed_order")]),
        (100, 20_000, []),
    ],
)
def test_where_walking_leads_nowhere_more_rows_are_scanned(
    many: tuple[Connection, np.ndarray[Any, Any]], part: int, to_scan: int, then: list[tuple[int, str]]
) -> None:
    connection, vectors = many
    connection.execute("""update pgvec.collections set settings = '{"tuned": {"deep_recall": 0.9}}'""")
    steps = connection.execute(
        """
        select s.ef_search, s.iterative_scan
          from pgvec.vector_request(%s, 10, '{}', null, 'documents', null, null) as r,
               unnest(pgvec.wide_steps(r, 11, 40, %s, %s)) as s
        """,
        (_literal(vectors[0]), ROWS / part, to_scan),
    ).fetchall()
    assert steps[0] == (110, "off")
    assert steps[1:] == [*then, (None, None)]


def test_a_table_may_be_renamed_and_moved_behind_its_noted_index(
    many: tuple[Connection, np.ndarray[Any, Any]],
) -> None:
    connection, vectors = many
    connection.execute("select pgvec.note_index('documents')")
    expected = _rows(connection, "%s, 10", _literal(vectors[0]))
    connection.execute("alter table documents rename to papers")
    connection.execute("create table documents (id text)")
    assert _rows(connection, "%s, 10", _literal(vectors[0])) == expected
    connection.execute('create schema "100 %s"; alter table papers set schema "100 %s"')
    assert _rows(connection, "%s, 10", _literal(vectors[0])) == expected
    connection.execute("select pgvec.note_index('documents')")
    assert _rows(connection, "%s, 10", _literal(vectors[0])) == expected
    assert len(_rows(connection, "%s, 10, %s", _literal(vectors[0]), '{"n": 3}')) == 10


def test_queries_noted_by_another_release_are_noted_anew(many: tuple[Connection, np.ndarray[Any, Any]]) -> None:
    connection, vectors = many
    connection.execute("select pgvec.note_index('documents')")
    expected = _rows(connection, "%s, 10", _literal(vectors[0]))
    connection.execute("update pgvec.collections set search_query = 'of another release'")
    assert connection.execute("select pgvec.upgrade_collections()").fetchall() == []
    assert _rows(connection, "%s, 10", _literal(vectors[0])) == expected


@pytest.mark.parametrize("copies", [30, 3000])
def test_ties_at_the_limit_go_by_id_over_an_index_too(connection: Connection, copies: int) -> None:
    connection.execute("select pgvec.create_collection('documents', 8)")
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select lpad(i::text, 5, '0'), 'same', '[1,2,3,4,5,6,7,8]' from generate_series(%s, 1, -1) as i",
        (copies,),
    )
    row = connection.execute("select statement from pgvec.index_definition('documents')").fetchone()
    assert row is not None
    connection.execute(row[0])
    connection.execute("set enable_seqscan = off")
    for wanted in (3, 60):
        found = [row[0] for row in _rows(connection, "'[1,2,3,4,5,6,7,9]', %s", wanted)]
        assert found == [f"{number:05}" for number in range(1, min(wanted, copies) + 1)]
