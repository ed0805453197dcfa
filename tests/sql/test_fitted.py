"""Vectors of words fitted to rows: search by text alone, for whom, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import sql

from conftest import Connection
from pgvec_admin.engine import collections
from pgvec_admin.errors import DataRejectedError
from pgvec_admin.fitting import run

TOPICS = {
    "fish": ["salmon swim up the river", "a trout waits in the stream", "herring and cod live in the sea"],
    "bird": ["sparrows sing in the morning", "an eagle flies above the hills", "swans and ducks land on the lake"],
    "tool": ["a hammer drives the nail", "the saw cuts a board of oak", "screws hold the shelf to the wall"],
}
AXES = dict(zip(TOPICS, np.eye(3), strict=True))


def _quiet(*_: object) -> None:
    """No progress."""


def _fill(connection: Connection, name: str = "documents", **options: object) -> None:
    """Sixty texts about three topics, with the vectors of somebody's model: seven dimensions, not of length 1."""
    random = np.random.default_rng(1)
    turned = random.normal(size=(3, 7))
    collections.create(connection, name, 7, **options)  # type: ignore[arg-type]
    place = 0
    for topic, texts in TOPICS.items():
        for text in texts * 7:
            vector = 3 * (AXES[topic] + 0.1 * random.normal(size=3)) @ turned
            connection.execute(
                sql.SQL("insert into {} (id, content, embedding) values (%s, %s, %s)").format(sql.Identifier(name)),
                (f"{topic}{place}", f"{text}, number {place}", str(vector.tolist())),
            )
            place += 1


@pytest.fixture
def documents(connection: Connection) -> Connection:
    """A collection, with a row on herring in other words that only vectors find by "river"."""
    _fill(connection)
    return connection


def _search(connection: Connection, text: str, **arguments: object) -> list[Any]:
    given = {"query_text": text} | arguments
    call = ", ".join(f"{name} => %({name})s" for name in given)
    return connection.execute(f"select id, similarity, headline from search({call})".encode(), given).fetchall()


def _notices(connection: Connection) -> list[str]:
    told: list[str] = []
    connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    return told


def test_a_text_alone_finds_rows_without_its_words(documents: Connection) -> None:
    assert {row[0][:4] for row in _search(documents, "river", match_count=30)} == {"fish"}
    assert len(_search(documents, "river", match_count=30)) == 7
    run.fit(documents, "documents", report=_quiet)
    found = _search(documents, "river", match_count=21)
    assert {row[0][:4] for row in found} == {"fish"}
    assert len(found) == 21
    assert all(row[1] > 0.8 for row in found)


def test_nothing_fitted_means_keyword_search_alone_and_a_notice(documents: Connection) -> None:
    told = _notices(documents)
    found = _search(documents, "river", highlight=True)
    assert [row[1] for row in found] == [None] * 7
    assert "<mark>river</mark>" in found[0][2]
    assert told == ["nothing is fitted to collection 'documents': it is searched by keyword alone"]


def test_no_word_with_a_vector_means_keyword_search_alone_and_a_notice(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    documents.execute("insert into documents (id, content) values ('z', 'a zebra')")
    told = _notices(documents)
    assert _search(documents, "zebra") == [("z", None, None)]
    assert documents.execute("select id from hybrid_search('zebra')").fetchall() == [("z",)]
    assert told == ["no word of the query has a fitted vector: it is searched by keyword alone"] * 2
    assert _search(documents, "") == []
    with pytest.raises(psycopg.Error, match="query_embedding is null") as raised:
        documents.execute("select id from hybrid_search('zebra', full_text_weight => 0)")
    assert raised.value.sqlstate == "PV004"


def test_hybrid_search_without_an_embedding_takes_the_fitted_vector(documents: Connection) -> None:
    with pytest.raises(psycopg.Error, match="query_embedding is null"):
        documents.execute("select id from hybrid_search('river')")
    run.fit(documents, "documents", report=_quiet)
    given = documents.execute("select * from hybrid_search('river', pgvec.query_vector('river'))").fetchall()
    assert documents.execute("select * from hybrid_search('river')").fetchall() == given
    assert documents.execute(
        "select id, content, metadata, score, similarity, keyword_score from search('river')"
    ).fetchall() == [row[:6] for row in given]
    assert documents.execute(
        "select route, rows from pgvec.explain_search('documents', match_count => 5, query_text => 'river')"
    ).fetchall() == [("fitted vector, exact", 5)]


def test_an_embedding_that_is_given_is_used(documents: Connection) -> None:
    vector = "[1, 2, 3, 4, 5, 6, 7]"
    before = documents.execute("select * from hybrid_search('river', %s)", (vector,)).fetchall()
    run.fit(documents, "documents", report=_quiet)
    assert documents.execute("select * from hybrid_search('river', %s)", (vector,)).fetchall() == before
    found = _search(documents, "river", query_embedding=vector)
    assert [(row[0], row[1]) for row in found] == [(row[0], row[4]) for row in before]


def test_the_vector_is_the_sum_of_those_of_the_words(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    rows = documents.execute(
        "select lexeme, vector::real[] from pgvec.lexeme_vectors where lexeme in ('salmon', 'hammer', 'nail')"
    ).fetchall()
    known = {lexeme: np.array(vector) for lexeme, vector in rows}
    summed = known["salmon"] * (1 + np.log(2)) + known["hammer"]
    row = documents.execute("select pgvec.query_vector('Salmon hammers salmon zebra -nail')::real[]").fetchone()
    assert row is not None
    assert row[0] == pytest.approx(summed / np.linalg.norm(summed), abs=1e-5)


@pytest.mark.parametrize("distance", ["l2", "inner_product", "l1"])
def test_by_other_distances_it_is_as_long_as_the_vectors_of_the_rows(connection: Connection, distance: str) -> None:
    _fill(connection, distance=distance, storage="halfvec")
    run.fit(connection, "documents", report=_quiet)
    row = connection.execute(
        "select extensions.vector_norm(pgvec.query_vector('river')),"
        " (select avg(extensions.l2_norm(embedding)) from documents)"
    ).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(row[1], rel=0.001)
    assert {row[0][:4] for row in _search(connection, "eagle", match_count=7)} == {"bird"}


def test_a_fit_replaces_the_one_before_at_its_end(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    documents.execute("update documents set content = replace(content, 'hammer', 'mallet')")
    during = []

    def look(_done: int, _total: int | None, note: str) -> None:
        if note == "store":
            with psycopg.connect(documents.info.dsn) as other:
                during.append(
                    other.execute("select lexeme from pgvec.lexeme_vectors where lexeme = 'hammer'").fetchall()
                )

    run.fit(documents, "documents", report=look)
    assert during == [[("hammer",)]]
    assert documents.execute(
        "select lexeme from pgvec.lexeme_vectors where lexeme in ('hammer', 'mallet')"
    ).fetchall() == [("mallet",)]


@pytest.mark.parametrize("access", ["tenant", "policy"])
def test_rows_that_not_everybody_sees_are_not_fitted(
    connection: Connection, access: str, as_role: Callable[[str], Connection]
) -> None:
    connection.execute("select pgvec.create_collection('documents', 7, access => %s)", (access,))
    with pytest.raises(psycopg.Error, match="not everybody sees all rows") as raised:
        run.fit(connection, "documents", report=_quiet)
    assert raised.value.sqlstate == "PV006"
    assert raised.value.diag.message_hint


def test_a_policy_that_comes_later_ends_the_use_of_what_was_fitted(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    assert documents.execute("select rows from pgvec.fit_status()").fetchall() == [(63,)]
    documents.execute("create policy mine on documents as restrictive for select using (id like 'f%')")
    assert documents.execute("select pgvec.query_vector('river'), count(*) from pgvec.fit_status()").fetchall() == [
        (None, 0)
    ]


def test_an_adopted_table_is_fitted_while_it_has_no_row_level_security(connection: Connection) -> None:
    _fill(connection, "first")
    connection.execute("create table notes as select id, content, embedding from first")
    connection.execute("alter table notes add primary key (id)")
    connection.execute("select pgvec.adopt_collection('notes', 'public.notes', content_columns => '{content}')")
    assert run.fit(connection, "notes", report=_quiet).rows == 63
    assert len(_search(connection, "river", collection="notes", match_count=21)) == 21
    connection.execute("alter table notes enable row level security")
    assert connection.execute("select pgvec.query_vector('river', 'notes')").fetchall() == [(None,)]


def test_who_may_not_read_the_table_learns_nothing_of_its_words(
    documents: Connection, as_role: Callable[[str], Connection]
) -> None:
    run.fit(documents, "documents", report=_quiet)
    reader = as_role("pgvec_reader")
    assert reader.execute("select pgvec.query_vector('river') is not null").fetchall() == [(True,)]
    for table in ("fits", "lexeme_vectors"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select * from pgvec.{table}".encode())
    documents.execute("revoke select on documents from pgvec_reader")
    assert reader.execute("select pgvec.query_vector('river'), count(*) from pgvec.fit_status()").fetchall() == [
        (None, 0)
    ]


def test_another_model_is_not_searched_with_vectors_of_the_old_one(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.collections set model = 'local:a'")  # bound afterwards: the vectors are its own
    assert documents.execute("select pgvec.query_vector('river') is null").fetchall() == [(False,)]
    run.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.collections set model = 'local:b'")
    assert documents.execute("select pgvec.query_vector('river') is null").fetchall() == [(True,)]


def test_what_was_fitted_goes_with_its_collection_and_keeps_its_name(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    documents.execute("update pgvec.collections set name = 'renamed'")
    assert documents.execute("select rows from pgvec.fit_status('renamed')").fetchall() == [(63,)]
    documents.execute("select pgvec.drop_collection('renamed')")
    assert documents.execute("select count(*) from pgvec.lexeme_vectors").fetchone() == (0,)


def test_a_collection_without_vectors_cannot_be_fitted(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    with pytest.raises(DataRejectedError, match="no rows with words and a vector"):
        run.fit(connection, "documents", report=_quiet)


def test_of_a_large_collection_a_sample_is_fitted(documents: Connection) -> None:
    documents.execute(
        "insert into documents (id, content, embedding)"
        " select 'x' || i, 'pike ' || i, '[1, 1, 1, 1, 1, 1, 1]' from generate_series(1, 3000) as i"
    )
    documents.execute("analyze documents")
    assert run.fit(documents, "documents", most_rows=500, report=_quiet).rows <= 500


def test_what_was_fitted_can_be_forgotten(documents: Connection) -> None:
    run.fit(documents, "documents", report=_quiet)
    documents.execute("select pgvec.drop_fit('documents')")
    assert documents.execute("select count(*) from pgvec.lexeme_vectors").fetchone() == (0,)
