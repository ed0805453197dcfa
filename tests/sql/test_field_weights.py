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


# how a table has its titles: its columns, and the arguments of its adoption
TITLES = {
    "content": ("title text, body text", "content_columns => '{title,body}'"),
    "another column": ("title varchar(40), body text", "content_columns => '{body}'"),
    "json": ("facts json, body text", "content_columns => '{body}', metadata_column => 'facts'"),
}
Adopt = Callable[[str, bool], Connection]


@pytest.fixture
def adopt(documents: Connection) -> Adopt:
    """Adopt a table with the rows of `documents`, their titles in one of these ways, its lexemes in it or beside."""

    def make(titles: str, in_table: bool) -> Connection:
        columns, arguments = TITLES[titles]
        documents.execute(
            f"create table jobs (id text primary key, {columns}, embedding extensions.vector(3))".encode()
        )
        title = "json_build_object('title', t.title)" if titles == "json" else "t.title"
        documents.execute(
            f"insert into jobs select d.id, {title}, d.content from documents as d"
            " cross join lateral (select d.metadata ->> 'title' as title) as t".encode()
        )
        documents.execute(
            f"select pgvec.adopt_collection('jobs', 'jobs', {arguments}, add_columns => {in_table})".encode()
        )
        return documents

    return make


def _scores(connection: Connection, collection: str, text: str) -> dict[str, float]:
    found = connection.execute("select id, score from keyword_search(%s, collection => %s)", (text, collection))
    return dict(found.fetchall())


def _agree(connection: Connection) -> None:
    """Both collections find the same, and verify finds nothing in the texts of the adopted one."""
    for collection in ("documents", "jobs"):
        connection.execute("select pgvec.refresh_statistics(%s, null)", (collection,))
    for text in ("connection pool", "server", "lunch canteen", "tram"):
        assert _scores(connection, "jobs", text) == pytest.approx(_scores(connection, "documents", text), rel=1e-5)
    told = connection.execute("select v.result, v.check_name from pgvec.verify_texts('jobs') as v").fetchall()
    assert {row[0] for row in told} == {"ok"}, told


@pytest.mark.parametrize("in_table", [False, True])
@pytest.mark.parametrize("titles", TITLES)
def test_titles_of_an_adopted_table_count_as_those_of_a_collection(adopt: Adopt, titles: str, in_table: bool) -> None:
    connection = adopt(titles, in_table)
    weights = Jsonb({"title": 3, "content": 0.5})
    for collection in ("documents", "jobs"):
        connection.execute("select pgvec.set_weights(%s, %s)", (collection, weights))
    _agree(connection)
    title = 'facts = \'{"title": "A tram"}\'' if titles == "json" else "title = 'A tram'"
    connection.execute(f"update jobs set {title} where id = 'other'".encode())
    connection.execute("""update documents set metadata = '{"title": "A tram"}' where id = 'other'""")
    assert [*_scores(connection, "jobs", "tram")] == ["other"]
    _agree(connection)
    table = "jobs" if in_table else "pgvec.side_jobs"
    connection.execute(f"alter table {table} disable trigger user".encode())
    connection.execute(f"update {table} set fts = '' where id = 'title'".encode())
    connection.execute(f"alter table {table} enable trigger user".encode())
    assert connection.execute("select pgvec.repair_rows('jobs')").fetchone() == (1,)
    _agree(connection)
    for collection in ("documents", "jobs"):
        connection.execute("select pgvec.set_weights(%s, '{}')", (collection,))
    assert [*_scores(connection, "jobs", "tram")] == (["other"] if titles == "content" else [])


@pytest.mark.parametrize("in_table", [False, True])
def test_a_title_that_is_dropped_harms_no_write(adopt: Adopt, in_table: bool) -> None:
    connection = adopt("another column", in_table)
    connection.execute("""select pgvec.set_weights('jobs', '{"title": 3}')""")
    connection.execute("alter table jobs drop column title")
    connection.execute("insert into jobs (id, body) values ('new', 'a tram')")
    assert [*_scores(connection, "jobs", "tram")] == ["new"]


def test_only_fields_of_a_table_and_its_owner(adopt: Adopt, as_role: Callable[[str], Connection]) -> None:
    connection = adopt("content", False)
    with pytest.raises(psycopg.Error, match="jobs has no column 'titel'") as caught:
        connection.execute("""select pgvec.set_weights('jobs', '{"titel": 3, "body": 1}')""")
    assert caught.value.sqlstate == "PV004"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("pgvec_reader").execute("""select pgvec.set_weights('jobs', '{"title": 3}')""")


@pytest.mark.parametrize("titles", ["another column", "json"])
def test_who_may_not_read_a_title_reads_no_word_of_it(
    adopt: Adopt, as_role: Callable[[str], Connection], titles: str
) -> None:
    connection = adopt(titles, False)
    connection.execute("grant select (id, body, embedding) on jobs to pgvec_reader")
    lexemes = "select count(*) from pgvec.side_jobs where fts is not null"
    assert as_role("pgvec_reader").execute(lexemes.encode()).fetchone() == (3,)
    connection.execute("""select pgvec.set_weights('jobs', '{"title": 3}')""")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("pgvec_reader").execute(lexemes.encode())


def _words(number: int) -> str:
    return " ".join(f"w{place:x}y{place * 7919 % 1048576:x}" for place in range(number))


def test_fields_that_do_not_fit_beside_the_content_are_left_out(documents: Connection) -> None:
    _weigh(documents, {"a": 3, "b": 3, "c": 3})
    long = {name: _words(8000).replace("w", name) for name in "abc"}
    documents.execute(
        "insert into documents (id, content, metadata) values ('some', %s, %s), ('all', %s, %s)",
        (_words(10_000), Jsonb(long), _words(60_000), Jsonb(long)),
    )
    assert sorted(_ids(documents, "w1y1eef")) == ["all", "some"]
    assert _ids(documents, "a1y1eef") == ["some"]


@pytest.mark.parametrize("weighted", ["title", "body"])
def test_more_words_than_fit_harm_no_write(adopt: Adopt, weighted: str) -> None:
    connection = adopt("content", False)
    many = _words(60_000)
    for collection, weights in (("jobs", {weighted: 3}), ("documents", {"title": 3})):
        connection.execute("select pgvec.set_weights(%s, %s)", (collection, Jsonb(weights)))
    connection.execute("update jobs set title = title || ' tram', body = %s where id = 'title'", (many,))
    connection.execute("update documents set content = %s where id = 'title'", (many,))
    assert [*_scores(connection, "jobs", "tram")] == ["title"]
    assert _scores(connection, "jobs", "w0y0").keys() == _scores(connection, "documents", "w0y0").keys() == {"title"}
    assert connection.execute("select pgvec.repair_rows('jobs')").fetchone() == (0,)
