"""More functions for a search page: neighbours, similar rows, counts of values, better spelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from conftest import Connection


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        """
        insert into documents (id, source, chunk_index, content, metadata, embedding)
        select 'fish#' || i, 'fish', i, 'chapter ' || i || ' on salmon', jsonb_build_object('kind', 'fish', 'tags', array['wet', 'cold']),
               array[1, i / 10.0, 0]::float4[]::extensions.vector
          from generate_series(0, 4) as i
        union all
        select 'bird#' || i, 'bird', i, 'chapter ' || i || ' on swallows', jsonb_build_object('kind', 'bird', 'tags', array['warm', 'warm']),
               array[0, 1, i / 10.0]::float4[]::extensions.vector
          from generate_series(0, 2) as i
        union all
        select 'alone', null, null, 'lonely text about fishing', '{"kind": null}', null
        """  # noqa: E501
    )
    return connection


def _rows(connection: Connection, call: str, *arguments: object) -> list[tuple[Any, ...]]:
    return connection.execute(f"select * from {call}".encode(), arguments).fetchall()


def test_a_chunk_comes_with_what_stands_around_it(documents: Connection) -> None:
    rows = documents.execute("select id, is_hit from document_context('fish#2', 1, 2)").fetchall()
    assert rows == [("fish#1", False), ("fish#2", True), ("fish#3", False), ("fish#4", False)]
    assert [row[0] for row in _rows(documents, "document_context('fish#0')")] == ["fish#0", "fish#1"]
    assert [row[0] for row in _rows(documents, "document_context('fish#0', null, -5)")] == ["fish#0"]
    assert [row[0] for row in _rows(documents, "document_context('alone', 5, 5)")] == ["alone"]
    assert _rows(documents, "document_context('nowhere')") == []


def test_more_like_this_and_less_like_that(documents: Connection) -> None:
    found = _rows(documents, "recommend_documents('{fish#0}', match_count => 4)")
    assert [row[0] for row in found] == ["fish#1", "fish#2", "fish#3", "fish#4"]
    assert found[0][3] == pytest.approx(1 / (1 + 0.01) ** 0.5, rel=1e-6)
    towards = _rows(documents, "recommend_documents('{fish#0,bird#0}', match_count => 1)")
    away = _rows(documents, "recommend_documents('{fish#2}', '{fish#4,bird#0}', match_count => 2)")
    assert towards[0][0] == "fish#4"
    assert [row[0] for row in away] == ["fish#0", "fish#1"]
    filtered = _rows(documents, "recommend_documents('{fish#0}', filter => '{\"kind\": \"bird\"}')")
    assert {row[0] for row in filtered} == {"bird#0", "bird#1", "bird#2"}
    assert len(_rows(documents, "recommend_documents('{fish#0}', match_count => 1000)")) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'{}'", "there are no positive ids"),
        ("null", "there are no positive ids"),
        ("'{}', '{fish#1}'", "there are no positive ids"),
        ("'{nowhere,fish#1}'", "no rows with an embedding of the ids nowhere"),
        ("'{alone}'", "no rows with an embedding of the ids alone"),
        ("array_fill('fish#1'::text, array[101])", "101 ids are too many"),
    ],
)
def test_ids_that_lead_nowhere_are_refused(documents: Connection, arguments: str, message: str) -> None:
    with pytest.raises(psycopg.Error, match=message) as caught:
        _rows(documents, f"recommend_documents({arguments})")
    assert caught.value.sqlstate == "PV004"


def test_values_are_counted_over_all_matches(documents: Connection) -> None:
    assert _rows(documents, "document_facets('kind')") == [("fish", 5), ("bird", 3)]
    assert _rows(documents, "document_facets('tags')") == [("cold", 5), ("wet", 5), ("warm", 3)]
    assert _rows(documents, "document_facets('tags', match_count => 1)") == [("cold", 5)]
    assert _rows(documents, "document_facets('kind', 'swallow')") == [("bird", 3)]
    assert _rows(documents, "document_facets('kind', 'chapter -swallows')") == [("fish", 5)]
    assert _rows(documents, 'document_facets(\'kind\', filter => \'{"tags": {"$containsAny": ["warm"]}}\')') == [
        ("bird", 3)
    ]
    assert _rows(documents, "document_facets('nothing')") == []
    assert _rows(documents, "document_facets('kind', 'the of')") == []
    assert _rows(documents, "document_facets('kind', '')") == []


def test_a_better_spelling_is_suggested_in_whole_words(documents: Connection) -> None:
    documents.execute("insert into documents (content) select 'swimming lessons' from generate_series(1, 3)")
    for text, suggested in (
        ("salmn chapters", "salmon chapters"),
        ("swiming lesons", "swimming lessons"),
        ("salmon", None),
        ("the of", None),
        ("zzzzqqq", None),
        ("", None),
        (None, None),
    ):
        assert _rows(documents, "suggest_query(%s)", text) == [(suggested,)], text
    documents.execute("delete from documents where content = 'swimming lessons'")
    assert _rows(documents, "suggest_query('swiming')") == [(None,)]


def test_words_of_rows_that_not_everybody_sees_are_not_suggested(connection: Connection) -> None:
    connection.execute("create table notes (id int primary key, content text, embedding extensions.vector(3))")
    connection.execute("insert into notes values (1, 'the secret salmon')")
    connection.execute("select pgvec.adopt_collection('notes', 'notes')")
    assert _rows(connection, "suggest_query('secrt salmn', 'notes')") == [(None,)]
    assert _rows(connection, "pgvec.nearest_lexemes('notes', 'secrt salmn')") == []


def test_keyword_scores_for_langchain_lie_between_0_and_a_tenth(documents: Connection) -> None:
    found = _rows(documents, "kw_match_documents('lonely salmon chapter', 20)")
    expected = documents.execute("select id from keyword_search('lonely salmon chapter', 20)").fetchall()
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert all(0 < row[3] < 0.1 for row in found)
    assert _rows(documents, "kw_match_documents('the of')") == []
    assert [row[0] for row in _rows(documents, "kw_match_documents('salmon', 1, '{\"kind\": \"fish\"}')")] == ["fish#0"]


CALLS = [
    "document_context('fish#0')",
    "recommend_documents('{fish#0}')",
    "document_facets('kind', 'salmon')",
    "suggest_query('salmn')",
    "kw_match_documents('salmon')",
]


@pytest.mark.parametrize("call", CALLS)
def test_readers_may_call_them_all(documents: Connection, as_role: Callable[[str], Connection], call: str) -> None:
    expected = _rows(documents, call)
    assert expected
    assert _rows(as_role("pgvec_reader"), call) == expected


@pytest.mark.parametrize("call", CALLS)
def test_collections_and_tenants_are_checked(documents: Connection, call: str) -> None:
    for argument, code in (("collection => 'nowhere'", "PV001"), ("for_tenant => gen_random_uuid()", "PV006")):
        with pytest.raises(psycopg.Error) as caught:
            _rows(documents, call.replace(")", f", {argument})"))
        assert caught.value.sqlstate == code
