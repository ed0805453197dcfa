"""BM25F: words of titles, which are in metadata, count more than those of the content."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg.types.json import Jsonb

from conftest import Connection


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    for id_, title, content in (
        ("title", "Connection pools", "How many of them a server has."),
        ("content", "Servers", "A connection of a server, and pools."),
        ("other", "Lunch", "At noon, in the canteen of the server room."),
    ):
        connection.execute(
            "insert into documents (id, content, metadata) values (%s, %s, %s)", (id_, content, Jsonb({"title": title}))
        )
    return connection


def _weigh(connection: Connection, weights: object) -> None:
    connection.execute("select pgvec.set_weights('documents', %s)", (Jsonb(weights),))


def _ids(connection: Connection, text: str) -> list[str]:
    return [row[0] for row in connection.execute("select id from keyword_search(%s)", (text,)).fetchall()]


def _state(connection: Connection) -> object:
    return connection.execute("select id, fts::text, bm25::text from documents order by id").fetchall()


def test_titles_are_searched_and_count_as_they_are_told_to(documents: Connection) -> None:
    documents.execute("select pgvec.refresh_statistics('documents', null)")
    before = _state(documents)
    assert _ids(documents, "connection pool") == ["content"]
    _weigh(documents, {"title": 3, "content": 1})
    assert _ids(documents, "connection pool") == ["title", "content"]
    assert _ids(documents, "lunch") == ["other"]
    _weigh(documents, {"title": 0.1, "content": 5})
    assert _ids(documents, "connection pool") == ["content", "title"]
    _weigh(documents, {})
    assert _state(documents) == before
    assert documents.execute("select settings from pgvec.collections").fetchone() == ({},)


def test_occurrences_are_added_up_before_they_saturate(documents: Connection) -> None:
    _weigh(documents, {"title": 3})
    documents.execute(
        """
        insert into documents (id, content, metadata)
        values ('both', 'x tram x', '{"title": "tram"}'), ('four', 'tram tram tram tram', '{}')
        """
    )
    documents.execute("select pgvec.refresh_statistics('documents', null)")
    rows = documents.execute("select id, score from keyword_search('tram')").fetchall()
    scores = {row[0]: row[1] for row in rows}
    assert scores["both"] == pytest.approx(scores["four"], rel=1e-6), "3 + 1 occurrences among 4 words each"


def test_rows_written_since_and_titles_changed_count_alike(documents: Connection) -> None:
    _weigh(documents, {"title": 3})
    documents.execute("""update documents set metadata = '{"title": "A canteen"}' where id = 'content'""")
    assert _ids(documents, "canteen") == ["content", "other"]
    documents.execute("""insert into documents (id, content, metadata) values ('new', 'x', '{"title": "canteen"}')""")
    assert "new" in _ids(documents, "canteen")
    written = _state(documents)
    documents.execute("select pgvec.refresh_statistics('documents', null)")
    documents.execute("select pgvec.repair_rows('documents')")
    assert [row[:2] for row in _state(documents)] == [row[:2] for row in written]  # type: ignore[attr-defined]
    told = documents.execute("select v.check_name, v.result from pgvec.verify_texts('documents') as v").fetchall()
    assert {row[1] for row in told} == {"ok"}, told


@pytest.mark.parametrize(
    "weights", [None, [], {"title": "3"}, {"title": 0}, {"title": 101}, {"title": -1}, {"a": 1, "b": 1, "c": 1, "d": 1}]
)
def test_other_weights_are_refused(documents: Connection, weights: object) -> None:
    with pytest.raises(psycopg.Error, match="weights cannot be") as caught:
        _weigh(documents, weights)
    assert caught.value.sqlstate == "PV004"


def test_an_adopted_table_is_refused(connection: Connection, as_role: Callable[[str], Connection]) -> None:
    connection.execute("create table jobs (id int primary key, title text, embedding extensions.vector(3))")
    connection.execute("select pgvec.adopt_collection('jobs', 'jobs', content_columns => '{title}')")
    with pytest.raises(psycopg.Error, match="jobs was adopted") as caught:
        connection.execute("""select pgvec.set_weights('jobs', '{"title": 3}')""")
    assert caught.value.sqlstate == "PV004"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("pgvec_reader").execute("""select pgvec.set_weights('jobs', '{"title": 3}')""")
