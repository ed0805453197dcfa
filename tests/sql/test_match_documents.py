"""match_documents: what it returns, in which order, by which plan, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from conftest import Connection


def _rows(connection: Connection, call: str, *parameters: Any) -> list[tuple[Any, ...]]:
    return connection.execute(f"select id, similarity from match_documents({call})", parameters).fetchall()


def _error(connection: Connection, call: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(f"select * from match_documents({call})")
    return caught.value


@pytest.fixture
def few(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        """
        insert into documents (id, content, embedding, metadata)
        values ('b', 'same', '[1,0,0]', '{"lang": "en"}'),
               ('a', 'same', '[1,0,0]', '{"lang": "en", "by": {"name": "Ann", "age": 30}}'),
               ('c', 'near', '[1,1,0]', '{"lang": "fr"}'),
               ('d', 'away', '[0,0,-1]', '{}'),
               ('e', 'against', '[-1,0,0]', '{"lang": "en"}'),
               ('f', 'not embedded', null, '{"lang": "en"}')
        """
    )
    return connection


def test_rows_come_best_first_with_ties_by_id_and_without_the_unembedded(few: Connection) -> None:
    rows = _rows(few, "'[1,0,0]'")
    assert [row[0] for row in rows] == ["a", "b", "c", "d", "e"]
    assert [row[1] for row in rows] == pytest.approx([1, 1, 0.70711, 0, -1], abs=1e-5)


def test_the_columns_are_those_clients_read(few: Connection) -> None:
    cursor = few.execute("select * from match_documents('[1,0,0]', 1)")
    assert [column.name for column in cursor.description or []] == ["id", "content", "metadata", "similarity"]
    assert cursor.fetchone() == ("a", "same", {"lang": "en", "by": {"name": "Ann", "age": 30}}, 1.0)


def test_the_threshold_is_a_least_similarity(few: Connection) -> None:
    assert [row[0] for row in _rows(few, "'[1,0,0]', match_threshold => 0.5")] == ["a", "b", "c"]
    assert [row[0] for row in _rows(few, "'[1,0,0]', match_threshold => 1")] == ["a", "b"]
    assert [row[0] for row in _rows(few, "'[1,0,0]', match_threshold => -1")] == ["a", "b", "c", "d", "e"]


def test_a_filter_is_containment_in_metadata(few: Connection) -> None:
    assert [row[0] for row in _rows(few, """'[1,0,0]', filter => '{"lang": "fr"}'""")] == ["c"]
    assert [row[0] for row in _rows(few, """'[1,0,0]', filter => '{"by": {"name": "Ann"}}'""")] == ["a"]
    assert _rows(few, """'[1,0,0]', filter => '{"by": {"age": "30"}}'""") == []


def test_null_and_text_filters_mean_what_the_client_meant(few: Connection) -> None:
    assert len(_rows(few, "'[1,0,0]', filter => null")) == 5
    assert len(_rows(few, "'[1,0,0]', filter => 'null'")) == 5
    assert [row[0] for row in _rows(few, r"""'[1,0,0]', filter => '"{\"lang\": \"fr\"}"'""")] == ["c"]


@pytest.mark.parametrize(("count", "expected"), [("null", 5), ("0", 1), ("-3", 1), ("2", 2), ("1000000", 5)])
def test_match_count_is_clamped(few: Connection, count: str, expected: int) -> None:
    assert len(_rows(few, f"'[1,0,0]', match_count => {count}")) == expected


def test_another_distance_is_answered_too(few: Connection) -> None:
    few.execute("insert into documents (id, content, embedding) values ('long', 'long', '[9,9,0]')")
    assert _rows(few, "'[1,0,0]', 1, distance => 'inner_product'") == [("long", 9.0)]
    assert _rows(few, "'[1,0,0]', 1, distance => 'l2'") == [("a", 1.0)]
    assert _rows(few, "'[1,1,0]', 1, distance => 'l1'") == [("c", 1.0)]


def test_collections_of_different_dimensions_live_side_by_side(few: Connection) -> None:
    few.execute("select pgvec.create_collection('jobs', 2)")
    few.execute("insert into jobs (id, content, embedding) values ('job', 'x', '[1,0]')")
    assert [row[0] for row in _rows(few, "'[1,0]', collection => 'jobs'")] == ["job"]
    assert len(_rows(few, "'[1,0,0]', collection => null")) == 5


@pytest.mark.parametrize(
    ("call", "sqlstate", "message", "hint"),
    [
        ("'[1,0]'", "PV002", "the query has 2 dimensions, collection 'documents' has 3", "model"),
        ("'[0,0,0]'", "PV005", "zero vector", "empty"),
        ("null", "PV004", "query_embedding is null", "embed"),
        ("'[1,0,0]', collection => 'docs'", "PV001", "no collection 'docs'", "collections: documents"),
        ("'[1,0,0]', distance => 'euclid'", "PV004", "distance cannot be 'euclid'", "cosine, l2"),
        ("'[1,0,0]', match_threshold => 78", "PV004", "match_threshold cannot be 78", "0.78"),
        ("'[1,0,0]', match_threshold => 'NaN'", "PV004", "match_threshold cannot be NaN", "at most 1"),
        ("'[1,0,0]', filter => '[1]'", "PV003", "of type array", "object"),
        ("'[1,0,0]', filter => '\"lang\"'", "PV003", "not JSON", "object"),
        ("'[1,0,0]', filter => '{\"n\": {\"$gtt\": 1}}'", "PV003", "unknown filter operator $gtt", "$gte"),
        ("'[1,0,0]', for_tenant => gen_random_uuid()", "PV006", "has no tenants", "for_tenant"),
    ],
)
def test_a_mistake_is_named_with_its_code_and_a_hint(
    few: Connection, call: str, sqlstate: str, message: str, hint: str
) -> None:
    error = _error(few, call)
    assert error.sqlstate == sqlstate
    assert message in (error.diag.message_primary or "")
    assert hint in (error.diag.message_hint or "")


def test_the_dimension_error_names_the_model(few: Connection) -> None:
    few.execute("update pgvec.collections set model = 'openai:text-embedding-3-small'")
    assert "openai:text-embedding-3-small" in (_error(few, "'[1,0]'").diag.message_hint or "")


def test_no_text_of_a_filter_becomes_sql(few: Connection) -> None:
    hostile = ["'; drop table documents; --", '"', "a$1", "\\", "%s", "{}", "\u2028"]
    for text in hostile:
        rows = few.execute(
            "select id from match_documents('[1,0,0]', filter => %s)", (json.dumps({text: text}),)
        ).fetchall()
        assert rows == []
    assert len(_rows(few, "'[1,0,0]'")) == 5


def test_it_runs_in_a_read_only_transaction(few: Connection) -> None:
    few.execute("set default_transaction_read_only = on")
    assert len(_rows(few, "'[1,0,0]'")) == 5


def test_the_callers_own_row_level_security_decides_what_is_seen(
    few: Connection, as_role: Callable[[str], Connection]
) -> None:
    few.execute("drop policy read_all on documents")
    few.execute("create policy english on documents for select to pgvec_reader using (metadata ->> 'lang' = 'en')")
    assert [row[0] for row in _rows(as_role("pgvec_reader"), "'[1,0,0]'")] == ["a", "b", "e"]


def test_it_does_not_depend_on_the_callers_search_path(few: Connection) -> None:
    few.execute("set search_path = ''")
    rows = few.execute("select id from public.match_documents('[1,0,0]'::extensions.vector, 1)").fetchall()
    assert rows == [("a",)]
