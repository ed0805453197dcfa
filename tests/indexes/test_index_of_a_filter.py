"""Vector indexes over the rows of a filter that is asked often: built, used, proposed, noted and verified."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from command import Run
from conftest import Connection, copied, filled
from pgvec_admin.database import Target
from pgvec_admin.engine import index
from pgvec_admin.quality import stats

ROWS = 10_500
OF_ALL_ROWS = "documents_embedding_hnsw_cosine_idx"
CHECKS = ("noted index", "unused index")
COMMON = {"lang": "de"}  # a third of the rows
# what JSON and SQL quote differently
TEXTS = ["it's", "back\\slash", 'a "quoted" word', "\\'", "e'\\\\'", "zürich ♥", "a $2", "%s", "a\nb", "{}"]


def _fill(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 16)")
    connection.execute("select setseed(0.25)")
    connection.execute(
        """
        insert into documents (id, content, metadata, embedding)
        select i::text, 'text ' || i,
               jsonb_build_object('lang', (array['de', 'en', 'fr'])[1 + i %% 3], 'text', (%s::text[])[1 + i %% %s]),
               v.embedding::extensions.vector
          from generate_series(1, %s) as i,
               lateral (select array_agg(random() - 0.5) as embedding from generate_series(1, 16) where i > 0) as v
        """,
        (TEXTS, len(TEXTS), ROWS),
    )
    definition = "select statement from pgvec.index_definition('documents', 'hnsw', 'vector')"
    for (statement,) in connection.execute(definition).fetchall():
        connection.execute(statement)
    connection.execute("select pgvec.note_index('documents')")
    connection.execute("vacuum analyze documents")


with_languages = filled("languages", _fill)
database = copied("with_languages")


@pytest.fixture
def where(database: str) -> Target:
    return Target(database, "the test")


def _route(connection: Connection, wanted: dict[str, Any], vector: str) -> tuple[str, str]:
    row = connection.execute(
        "select route, index from pgvec.explain_search('documents', %s, 10, %s)", (vector, Jsonb(wanted))
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _recall(connection: Connection, wanted: dict[str, Any], queries: int = 20) -> float:
    """Of the ten nearest, found among those that match; each search has its ten."""
    found = 0
    for (vector,) in connection.execute(
        "select embedding::text from documents order by md5(id) limit %s", (queries,)
    ).fetchall():
        ours = connection.execute("select id from match_documents(%s, 10, %s)", (vector, Jsonb(wanted))).fetchall()
        exact = connection.execute(
            "select id from documents where metadata @> %s"
            " order by (embedding operator(extensions.<=>) %s::extensions.vector) + 0, id limit 10",
            (Jsonb(wanted), vector),
        ).fetchall()
        assert len(ours) == len(exact) == 10
        found += len(set(ours) & set(exact))
    return found / 10 / queries


def _noted(connection: Connection) -> Any:
    row = connection.execute("select settings -> 'indexed_filters' from pgvec.collections").fetchone()
    assert row is not None
    return row[0]


def _verdicts(connection: Connection) -> dict[str, tuple[str, str | None]]:
    rows = connection.execute("select check_name, result, found, fix from pgvec.verify_indexes('documents')")
    return {name: (found, fix) for name, result, found, fix in rows if result != "ok" and name in CHECKS}


def test_searches_with_that_filter_take_its_index_and_others_do_not(connection: Connection, where: Target) -> None:
    vector = "[" + ",".join(["0.1"] * 16) + "]"
    build = index.create(where, "documents", rows_that=COMMON)
    assert not build.existed
    assert index.create(where, "documents", rows_that=COMMON).existed
    assert _route(connection, COMMON, vector) == ("index", build.name)
    assert _recall(connection, COMMON) >= 0.99
    for other in ({"lang": "en"}, {"lang": ["de"]}, {"lang": "de", "text": TEXTS[0]}, {"lang": {"$eq": "de"}}):
        assert _noted(connection) == ['{"lang": "de"}']
        assert connection.execute(
            "select count(*) from match_documents(%s, 10, %s)", (vector, Jsonb(other))
        ).fetchone() == ((0,) if other == {"lang": ["de"]} else (10,))
    assert _recall(connection, {"lang": "en"}) >= 0.99
    assert connection.execute(
        "select count(*) from match_documents(%s, 10, %s, distance => 'l2')", (vector, Jsonb(COMMON))
    ).fetchone() == (10,)

    listed = index.vector_indexes(connection, "documents")
    assert [one.condition for one in listed if one.name == build.name] == ["""(metadata @> '{"lang": "de"}'::jsonb)"""]
    connection.execute("update documents set metadata = '{\"lang\": \"de\"}', embedding = %s where id = '1'", (vector,))
    connection.execute("update documents set metadata = '{}', embedding = %s where id = '3'", (vector,))
    nearest = connection.execute("select id from match_documents(%s, 10, %s)", (vector, Jsonb(COMMON))).fetchall()
    assert nearest[0] == ("1",)
    assert ("3",) not in nearest

    assert _verdicts(connection) == {}
    index.drop(connection, "documents", build.name)
    assert _noted(connection) is None
    assert _recall(connection, COMMON) >= 0.99


def test_any_value_is_read_back_from_its_index(connection: Connection, where: Target) -> None:
    for text in TEXTS:
        wanted = {"text": text}
        build = index.create(where, "documents", rows_that=wanted)
        assert json.dumps(wanted) in [json.dumps(json.loads(noted)) for noted in _noted(connection)]
        assert _route(connection, wanted, "[" + ",".join(["0.2"] * 16) + "]") == ("index", build.name)
    assert len(_noted(connection)) == len(TEXTS)


@pytest.mark.parametrize("storage", ["vector", "halfvec", "binary"])
def test_it_holds_what_the_index_of_all_rows_holds(connection: Connection, where: Target, storage: str) -> None:
    if storage != "vector":
        index.drop(connection, "documents", OF_ALL_ROWS)
        index.create(where, "documents", method="hnsw", storage=storage)
    build = index.create(where, "documents", rows_that=COMMON)
    assert _route(connection, COMMON, "[" + ",".join(["0.1"] * 16) + "]")[1] == build.name
    assert _noted(connection) == ['{"lang": "de"}']
    if storage != "binary":
        assert _recall(connection, COMMON) >= 0.98


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("'documents', filter => '{\"lang\": \"de\"}'", "holds what the hnsw index of all rows"),  # there is none
        ("'documents', filter => '{\"n\": {\"$gt\": 3}}'", "for values of metadata only"),
        ("'documents', filter => '{\"id\": \"3\"}'", "for values of metadata only"),
        ("'documents', filter => '{}'", "for values of metadata only"),
        ("'documents', filter => '[1]'", "filter"),
        ("'notes', filter => '{\"lang\": \"de\"}'", "can have no index for a filter"),
        ("'jobs', filter => '{\"lang\": \"de\"}'", "can have no index for a filter"),
    ],
)
def test_what_it_cannot_be_is_said(connection: Connection, call: str, message: str) -> None:
    index.drop(connection, "documents", OF_ALL_ROWS)
    connection.execute("select pgvec.create_collection('notes', 3, access => 'tenant')")
    connection.execute("create table jobs (id text primary key, content text, embedding extensions.vector(3))")
    connection.execute("select pgvec.adopt_collection('jobs', 'jobs')")
    with pytest.raises(psycopg.Error, match=message) as caught:
        connection.execute(f"select * from pgvec.index_definition({call})".encode())
    assert caught.value.diag.message_hint


def test_an_index_that_was_dropped_by_hand_is_told_and_rows_are_found_meanwhile(
    connection: Connection, where: Target
) -> None:
    build = index.create(where, "documents", rows_that=COMMON)
    assert _verdicts(connection) == {}
    connection.execute(f"drop index {build.name}".encode())
    assert _recall(connection, COMMON) >= 0.9
    found, fix = _verdicts(connection)["noted index"]
    assert "filters that have an index" in found
    assert fix is not None
    connection.execute(fix.encode())
    assert _verdicts(connection) == {}
    assert _recall(connection, COMMON) >= 0.99


def test_an_index_with_another_condition_is_never_taken_for_that_of_all_rows(
    connection: Connection, where: Target
) -> None:
    index.drop(connection, "documents", OF_ALL_ROWS)
    connection.execute(
        "create index a_few on documents using hnsw (embedding extensions.vector_cosine_ops) where length(content) < 6"
    )
    build = index.create(where, "documents")
    assert connection.execute("select search_index from pgvec.collections").fetchone() == (f"public.{build.name}",)
    assert _noted(connection) is None
    assert "a_few serves no search" in _verdicts(connection)["unused index"][0]


def test_the_log_proposes_filters_that_many_rows_match(connection: Connection, run: Run) -> None:
    connection.execute("select pgvec.log_searches('documents', 1, texts => true)")
    vector = "[" + ",".join(["0.1"] * 16) + "]"
    asked = ((COMMON, 20), ({"lang": "en"}, 19), ({"text": TEXTS[0]}, 20), ({"lang": {"$ne": "de"}}, 20))
    for wanted, times in asked:
        for _ in range(times):
            connection.execute("select count(*) from match_documents(%s, 10, %s)", (vector, Jsonb(wanted)))
    (proposed,) = stats.read(connection, "documents").filters
    assert (proposed.collection, proposed.filter, proposed.searches) == ("documents", COMMON, 20)
    assert ROWS / 4 < proposed.matches < ROWS / 2
    assert 0 < proposed.p50_ms <= proposed.p95_ms

    said = run("stats", "documents").stderr
    assert """pgvec-admin index create documents --where '{"lang": "de"}'""" in said
    built = run("index", "create", "documents", "--where", '{"lang": "de"}')
    assert built.returncode == 0, built.stderr
    assert stats.read(connection, "documents").filters == []
    assert "metadata @> " in run("index", "list", "documents").stdout
