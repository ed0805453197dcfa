"""BM25: the weights, the statistics that follow every statement, and scores like those of another implementation."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

import pytest

from conftest import Connection
from judged import needs_judgements, read
from pgvec_admin.engine import collections
from pgvec_admin.loading import load

WITH_PARTS = re.compile(r"[-./@]")


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    return connection


def _scores(connection: Connection, query: str, **arguments: object) -> dict[str, float]:
    given = "".join(f", {name} => %({name})s" for name in arguments)
    rows = connection.execute(
        f"select id, score from keyword_search(%(query)s{given})".encode(), {"query": query, **arguments}
    ).fetchall()
    return dict(rows)


def test_scores_are_those_of_the_formula(documents: Connection) -> None:
    texts = {"a": "cat cat dog", "b": "dog bird bird fish", "c": "fish"}
    for id_, text in texts.items():
        documents.execute("insert into documents (id, content) values (%s, %s)", (id_, text))
    documents.execute("select pgvec.refresh_statistics('documents', 0)")
    words = {id_: Counter(text.split()) for id_, text in texts.items()}
    average = sum(sum(count.values()) for count in words.values()) / 3

    def score(id_: str, query: list[str]) -> float:
        length = sum(words[id_].values())
        total = 0.0
        for word in query:
            having = sum(word in count for count in words.values())
            tf = words[id_][word]
            total += (
                math.log(1 + (3 - having + 0.5) / (having + 0.5)) * tf / (tf + 1.2 * (0.25 + 0.75 * length / average))
            )
        return total

    for query in (["cat"], ["dog", "fish"], ["bird", "cat", "dog"], ["dog", "dog"]):
        expected = {id_: score(id_, query) for id_ in texts if any(word in words[id_] for word in query)}
        assert _scores(documents, " ".join(query)) == pytest.approx(expected, rel=1e-5)


def _average_of_weights(connection: Connection) -> tuple[float, float]:
    statistics = collections.keyword_statistics(connection, "documents")
    assert statistics.average_length is not None
    assert statistics.weights_made_for is not None
    return statistics.average_length, statistics.weights_made_for


def _weights_are_even(connection: Connection) -> bool:
    """Whether all weights are those that would be computed now."""
    row = connection.execute(
        "select bool_and(d.bm25::text = pgvec.bm25_vector(d.fts, p.average_length, p.k1, p.b)::text)"
        " from documents as d, pgvec.bm25_parameters as p"
    ).fetchone()
    return row == (True,)


def test_weights_of_a_young_collection_follow_its_average_length(documents: Connection) -> None:
    documents.execute("insert into documents (content) values ('one')")
    for number in range(60):
        documents.execute(
            "insert into documents (content) values (%s)", (" ".join(["many words here"] * (number % 7)),)
        )
        now, made_for = _average_of_weights(documents)
        assert _weights_are_even(documents)
    assert made_for == pytest.approx(now, rel=0.25)
    before = documents.execute("select max(updated_at - created_at) from documents").fetchone()
    assert before is not None
    assert before[0].total_seconds() == 0, "weights are no change of the row"


def test_a_first_statement_of_many_rows_makes_its_weights_once(documents: Connection) -> None:
    documents.execute(
        "insert into documents (id, content)"
        " select i, repeat('word' || i % 9 || ' ', 5 + i % 20) from generate_series(1, 12000) as i"
    )
    now, made_for = _average_of_weights(documents)
    assert made_for == now
    assert not _weights_are_even(documents)
    row = documents.execute(
        """
        select percentile_cont(0.99) within group (
                 order by abs(extensions.l2_norm(d.bm25) / extensions.l2_norm(w.weights) - 1))
          from documents as d, pgvec.bm25_parameters as p,
               lateral (select pgvec.bm25_vector(d.fts, p.average_length, p.k1, p.b) as weights) as w
        """
    ).fetchone()
    assert row is not None
    assert row[0] < 0.02
    documents.execute("select pg_stat_force_next_flush()")
    updated = documents.execute("select n_tup_upd from pg_stat_user_tables where relname = 'documents'").fetchone()
    assert updated == (0,)


def test_new_settings_count_from_the_next_refresh(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('a', 'cat cat'), ('b', 'cat dog bird fish')")
    documents.execute("""update pgvec.collections set settings = '{"k1": 0, "b": 0}'""")
    assert collections.keyword_statistics(documents, "documents").due
    assert collections.refresh_statistics(documents, "documents").renewed == 2
    scores = _scores(documents, "cat")
    assert scores["a"] == scores["b"]
    assert collections.refresh_statistics(documents, "documents").renewed == 0
    documents.execute("update pgvec.collections set settings = '{}'")
    assert collections.keyword_statistics(documents, "documents").due, "the defaults are other ones again"
    assert collections.refresh_statistics(documents, "documents").renewed == 2


def test_two_lexemes_of_one_dimension_are_added(connection: Connection) -> None:
    # the first 28 bits of their md5 are the same
    row = connection.execute(
        """
        select pgvec.bm25_vector(to_tsvector('simple', 'w8434 w9365 other'), 3, 1.2, 0.75)::text,
               pgvec.bm25_vector(to_tsvector('simple', 'w8434'), 3, 1.2, 0)::text,
               pgvec.bm25_vector('', 3, 1.2, 0.75)::text
        """
    ).fetchone()
    assert row is not None
    both, one, none = row
    assert both.count(":") == 2
    dimension = one.split(":")[0].strip("{")
    weights = dict(item.split(":") for item in both.split("}")[0].strip("{").split(","))
    assert float(weights.pop(dimension)) == pytest.approx(2 * float(next(iter(weights.values()))))
    assert none == "{}/268435456"


def test_a_text_of_more_words_than_a_vector_holds_keeps_those_that_weigh_most(documents: Connection) -> None:
    text = " ".join(f"w{number}" for number in range(17_000)) + " often often often"
    documents.execute("insert into documents (id, content) values ('long', %s)", (text,))
    row = documents.execute("select length(fts), bm25::text from documents").fetchone()
    assert row is not None
    assert row[0] == 17_001
    assert row[1].count(":") == 16_000
    assert list(_scores(documents, "often")) == ["long"]


@needs_judgements
def test_scores_and_order_are_those_of_bm25s(documents: Connection) -> None:
    import bm25s

    cranfield = read("cranfield")
    documents.execute("select pgvec.drop_collection('documents')")
    collections.create(documents, "documents", 384)
    # parts of words weigh half, which the library cannot say
    records = [replace(record, content=WITH_PARTS.sub(" ", record.content)) for record in cranfield.records]
    load.load_records(documents, "documents", records)
    words = "select l.lexeme, cardinality(l.positions) from {} as t, unnest({}) as l"

    def repeated(rows: list[tuple[str, int]]) -> list[str]:
        return [lexeme for lexeme, times in rows for _ in range(times)]

    ids = [record.id for record in cranfield.records]
    corpus = [
        repeated(
            documents.execute(words.format("documents", "t.fts").encode() + b" where t.id = %s", (id_,)).fetchall()
        )
        for id_ in ids
    ]
    reference = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    reference.index(corpus, show_progress=False)
    for query in cranfield.queries:
        text = WITH_PARTS.sub(" ", query.text.replace('"', " "))
        lexemes = repeated(
            documents.execute(
                words.format("(select to_tsvector('english', %s) as fts)", "t.fts").encode(), (text,)
            ).fetchall()
        )
        scores = reference.get_scores([lexeme for lexeme in lexemes if lexeme in reference.vocab_dict])
        expected = sorted(zip(ids, map(float, scores), strict=True), key=lambda row: (-row[1], row[0]))[:50]
        found = list(_scores(documents, text, match_count=50).items())
        assert [id_ for id_, _ in found] == [id_ for id_, score in expected if score > 0]
        assert [score for _, score in found] == pytest.approx([score for _, score in expected if score > 0], rel=1e-5)
