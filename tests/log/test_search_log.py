"""The log of searches: its contents, who may see it, and that no search fails or waits because of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from conftest import Connection
from pgvec_admin.engine import search_log
from pgvec_admin.install import functions

TENANT_A, TENANT_B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
VECTOR = "select count(*) from match_documents('[1,0,0]', 2)"
FOUND = ("match_documents", "exact", 2, 2)


def _fill(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content, metadata, embedding)"
        " select 'd' || i, 'number' || i || ' is a word', jsonb_build_object('n', i % 2),"
        " array[1, i, 0]::float4[]::extensions.vector"
        " from generate_series(1, 5) as i"
    )


@pytest.fixture
def logged(connection: Connection) -> Connection:
    """Five rows, and all searches logged."""
    _fill(connection)
    connection.execute("select pgvec.log_searches('documents', 1)")
    return connection


def _log(connection: Connection, columns: str = "function, route, requested, returned") -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from pgvec.search_log order by id".encode()).fetchall()


def test_nothing_is_logged_unless_it_was_asked_for(connection: Connection) -> None:
    _fill(connection)
    connection.execute(VECTOR)
    connection.execute("select count(*) from hybrid_search('word', '[1,0,0]')")
    assert _log(connection) == []
    connection.execute("select pgvec.log_searches('documents', 1)")
    connection.execute(VECTOR)
    connection.execute("select pgvec.log_searches('documents', 0)")
    connection.execute(VECTOR)
    assert _log(connection) == [FOUND]


def test_a_row_says_what_was_asked_and_what_came_of_it(logged: Connection) -> None:
    logged.execute("select count(*) from match_documents('[1,1,0]', 3, '{\"n\": 1}')")
    logged.execute("select count(*) from keyword_search('number2 word', 1)")
    logged.execute("select count(*) from hybrid_search('nowhere', null, semantic_weight => 0)")
    columns = (
        "function, route, requested, returned, filtered, tenants, sample, query_text, query_filter, query_embedding"
    )
    assert _log(logged, columns) == [
        ("match_documents", "exact", 3, 3, True, None, 1, None, None, None),
        ("keyword_search", "keyword", 1, 1, False, None, 1, None, None, None),
        ("hybrid_search", "hybrid", 10, 0, False, None, 1, None, None, None),
    ]
    rows = _log(logged, "ms, top_score, collection, searched_at <= clock_timestamp()")
    assert all(0 < ms < 60_000 for ms, *_ in rows)
    assert rows[0][1] == pytest.approx(1)
    assert rows[1][1] > 0
    assert rows[2][1] is None
    assert {row[2:] for row in rows} == {("documents", True)}


def test_texts_and_vectors_are_logged_only_when_asked_for(logged: Connection) -> None:
    logged.execute("select pgvec.log_searches('documents', 1, texts => true)")
    hybrid = "select count(*) from hybrid_search('a word', '[1,0,0]', filter => '{\"n\": {\"$gte\": 0}}')"
    logged.execute(hybrid)
    logged.execute("select pgvec.log_searches('documents', 1, embeddings => true)")
    logged.execute(hybrid)
    assert _log(logged, "query_text, query_filter, query_embedding::text") == [
        ("a word", {"n": {"$gte": 0}}, None),
        (None, None, "[1,0,0]"),
    ]


@pytest.mark.parametrize(
    ("call", "function"),
    [
        ("hybrid_search('word', '[1,0,0]')", "hybrid_search"),
        ("hybrid_search('word', '[1,0,0]', group_by => 'n')", "hybrid_search"),
        ("kw_match_documents('word')", "keyword_search"),
        ("match_vectors('[1,0,0]')", "match_documents"),
        ("match_documents_mmr('[1,0,0]')", "match_documents"),
        ("match_documents_embeddings('[1,0,0]')", "match_documents"),
        ("recommend_documents('{d1}')", "match_documents"),
    ],
)
def test_a_call_is_logged_once_however_many_functions_it_takes(logged: Connection, call: str, function: str) -> None:
    logged.execute(f"select count(*) from {call}".encode())
    assert _log(logged, "function") == [(function,)]


def test_two_searches_of_a_transaction_are_two(logged: Connection) -> None:
    with logged.transaction():
        logged.execute(VECTOR)
        logged.execute("select count(*) from keyword_search('word')")
    assert _log(logged, "function") == [("match_documents",), ("keyword_search",)]


def test_what_administration_searches_for_is_not_logged(logged: Connection) -> None:
    logged.execute("select * from pgvec.explain_search('documents', '[1,0,0]')")
    assert _log(logged) == []
    with logged.transaction():
        logged.execute("select * from pgvec.explain_search('documents', '[1,0,0]')")
        logged.execute(VECTOR)
    assert _log(logged) == [FOUND]
    search_log.without(logged)
    logged.execute(VECTOR)
    logged.execute("select count(*) from hybrid_search('word', '[1,0,0]')")
    assert _log(logged) == [FOUND]


def test_the_route_is_the_one_that_was_taken(logged: Connection) -> None:
    row = logged.execute("select statement from pgvec.index_definition('documents')").fetchone()
    assert row is not None
    logged.execute(row[0])
    logged.execute("select pgvec.note_index('documents')")
    logged.execute("set enable_seqscan = off")
    logged.execute(VECTOR)
    logged.execute("select count(*) from match_documents('[1,0,0]', 50)")
    logged.execute("select count(*) from match_documents('[1,0,0]', 2, distance => 'l2')")
    assert _log(logged, "route, returned") == [("index", 2), ("index, then exact", 5), ("exact", 2)]


def test_a_search_that_fails_is_not_logged_and_leaves_the_next_one_as_it_was(logged: Connection) -> None:
    with logged.transaction():
        for call in (
            "match_documents('[1,0]')",
            "hybrid_search('word', '[0,0,0]')",
            "keyword_search('word', filter => '{\"$x\": 1}')",
        ):
            with pytest.raises(psycopg.Error), logged.transaction():
                logged.execute(f"select * from {call}".encode())
        logged.execute(VECTOR)
    assert _log(logged) == [FOUND]


def test_a_sample_is_of_its_size_and_stands_for_all(logged: Connection) -> None:
    logged.execute("select pgvec.log_searches('documents', 0.3)")
    logged.execute("select setseed(0.5)")
    logged.execute(
        "select count(m.id) from generate_series(1, 1000) as i,"
        " lateral match_documents(array[1, i, 0]::extensions.vector, 1) as m"
    )
    row = logged.execute("select logged, searches, last_hour, last_day from pgvec.stats").fetchone()
    assert row is not None
    # six standard deviations
    assert 300 - 87 < row[0] < 300 + 87
    assert row[1:] == (round(row[0] / 0.3),) * 3


def test_the_sample_of_a_hybrid_search_is_not_drawn_again_for_its_parts(logged: Connection) -> None:
    logged.execute("select pgvec.log_searches('documents', 0.5)")
    logged.execute("select setseed(0.1)")
    for _ in range(40):
        logged.execute("select count(*) from hybrid_search('word', '[1,0,0]')")
    functions_logged = {function for (function,) in _log(logged, "function")}
    assert functions_logged == {"hybrid_search"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("'documents', 1.1", "sample cannot be 1.1"),
        ("'documents', -0.1", "sample cannot be -0.1"),
        ("'documents', keep => '0 days'", "keep 00:00:00"),
        ("'documents', keep => null", "keep null"),
        ("'nowhere'", "there is no collection"),
    ],
)
def test_settings_that_make_no_sense_are_refused(logged: Connection, arguments: str, told: str) -> None:
    with pytest.raises(psycopg.Error, match=told):
        logged.execute(f"select pgvec.log_searches({arguments})".encode())


def test_readers_are_logged_but_can_neither_read_nor_write_the_log(
    logged: Connection, as_role: Callable[[str], Connection]
) -> None:
    reader = as_role("pgvec_reader")
    assert reader.execute(VECTOR).fetchone() == (2,)
    assert _log(logged) == [FOUND]
    for statement in (
        "select * from pgvec.search_log",
        "insert into pgvec.search_log (collection) values ('documents')",
        "delete from pgvec.search_log",
        "select * from pgvec.stats",
        "select * from pgvec.search_channel",
        "select pgvec.log_searches('documents', 0)",
        "select pgvec.prune_search_log()",
        "select * from pgvec.search_log_state()",
        "select * from pgvec.collection_stats()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())
    logged.execute("grant select on pgvec.stats, pgvec.search_log to pgvec_reader")
    assert len(reader.execute("select * from pgvec.stats").fetchall()) == 1


def test_what_is_logged_by_hand_stays_within_what_searches_log(
    logged: Connection, as_role: Callable[[str], Connection]
) -> None:
    call = "select pgvec.log_search('documents', %s, %s, 1, 1, now() + interval '1 year', 1, null, '{}', 'x', null)"
    as_role("pgvec_reader").execute(call, ("nonsense", "exact"))
    assert _log(logged) == []
    as_role("pgvec_reader").execute(call, ("match_documents", "x" * 1000))
    assert _log(logged, "length(route), searched_at <= now()") == [(100, True)]


@pytest.mark.parametrize("access", ["open", "tenant"])
def test_a_search_that_finds_nothing_is_logged(
    connection: Connection, as_role: Callable[[str], Connection], access: str
) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => %s)", (access,))
    connection.execute("select pgvec.log_searches('notes', 1)")
    reader = as_role("pgvec_reader")
    reader.execute("select set_config('app.tenant_id', %s, false)", (TENANT_A,))
    functions = {
        "match_documents": "'[1,0]'",
        "match_documents_embeddings": "'[1,0]'",
        "match_documents_mmr": "'[1,0]'",
        "match_vectors": "'[1,0]'",
        "keyword_search": "'word'",
        "hybrid_search": "'word', '[1,0]'",
    }
    for function, arguments in functions.items():
        call = f"select count(*) from {function}({arguments}, filter => '{{\"x\": 1}}', collection => 'notes')"
        assert reader.execute(call.encode()).fetchone() == (0,)
    logged = connection.execute("select returned from pgvec.search_log").fetchall()
    assert logged == [(0,)] * len(functions)


def test_what_is_logged_by_hand_can_be_shown(logged: Connection, as_role: Callable[[str], Connection]) -> None:
    reader = as_role("pgvec_reader")
    for started, score in (("-infinity", "nan"), ("infinity", "infinity"), ("0001-01-01 BC", "-infinity")):
        reader.execute(
            "select pgvec.log_search('documents', 'match_documents', 'exact', -5, -5, %s, %s, null, %s, 'x', null)",
            (started, score, json.dumps({"a": "x" * 100_000})),
        )
    rows = _log(logged, "searched_at > now() - interval '2 days', ms between 0 and 86400001, top_score, requested")
    assert rows == [(True, True, None, 0)] * 3


def test_each_tenants_searches_bear_its_id_and_go_with_it(
    connection: Connection, as_role: Callable[[str], Connection]
) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    connection.execute("select pgvec.log_searches('notes', 1, texts => true)")
    for tenant in (TENANT_A, TENANT_B):
        connection.execute(
            "insert into notes (tenant_id, id, content, embedding) values (%s, 'n', 'a note', '[1,0]')", (tenant,)
        )
    member = as_role("pgvec_reader")
    vector = "select count(*) from match_documents('[1,0]', collection => 'notes')"
    hybrid = "select count(*) from hybrid_search('note', '[1,0]', collection => 'notes')"
    member.execute("select set_config('app.tenant_id', %s, false)", (TENANT_A,))
    for call in (vector, hybrid, "select count(*) from keyword_search('note', collection => 'notes')"):
        assert member.execute(call.encode()).fetchone() == (1,)
    both = f'{{"sub": "u", "app_metadata": {{"tenant_ids": ["{TENANT_A}", "{TENANT_B}"]}}}}'
    member.execute("select set_config('request.jwt.claims', %s, false)", (both,))
    calls = (
        hybrid,
        vector,
        "select count(*) from keyword_search('note', collection => 'notes')",
        "select count(*) from match_documents_embeddings('[1,0]', collection => 'notes')",
    )
    for call in calls:
        assert member.execute(call.encode()).fetchone() == (2,)
    found = [
        (function, [str(one) for one in tenants], text)
        for function, tenants, text in _log(connection, "function, tenants, query_text")
    ]
    assert found == [
        ("match_documents", [TENANT_A], None),
        ("hybrid_search", [TENANT_A], "note"),
        ("keyword_search", [TENANT_A], "note"),
        ("hybrid_search", [TENANT_A, TENANT_B], "note"),
        ("match_documents", [TENANT_A, TENANT_B], None),
        ("keyword_search", [TENANT_A, TENANT_B], "note"),
        ("match_documents", [TENANT_A, TENANT_B], None),
    ]
    connection.execute("select pgvec.purge_tenant(%s)", (TENANT_B,))
    assert [row[1] for row in found[:3]] == [[str(one) for one in row[0]] for row in _log(connection, "tenants")]


def test_the_functions_that_write_the_log_are_ours_alone() -> None:
    files = {file.name: file.text for file in functions.files()}
    assert [name for name, text in files.items() if "insert into pgvec.search_log" in text] == ["pgvec.insert_search"]
