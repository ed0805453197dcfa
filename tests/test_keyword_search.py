"""keyword_search: any word will do, the order is total, headlines mark the words."""

from __future__ import annotations

import psycopg
import pytest

from conftest import Connection


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        """
        insert into documents (id, content, metadata)
        values ('b', 'cats and dogs', '{"lang": "en"}'),
               ('a', 'cats and dogs', '{"lang": "en"}'),
               ('c', 'a dog barks at the other dogs', '{}'),
               ('d', 'fish', '{}')
        """
    )
    return connection


def _ids(connection: Connection, call: str) -> list[str]:
    return [row[0] for row in connection.execute(f"select id from keyword_search({call})").fetchall()]


def test_any_word_of_a_question_will_do(documents: Connection) -> None:
    assert _ids(documents, "'where can I find a fish market?'") == ["d"]


def test_more_words_rank_higher_and_ties_go_by_id(documents: Connection) -> None:
    assert _ids(documents, "'a cat or a dog'") == ["a", "b", "c"]


def test_a_query_without_words_finds_nothing(documents: Connection) -> None:
    assert _ids(documents, "'the of and'") == []
    assert _ids(documents, "''") == []
    assert _ids(documents, "null") == []


def test_filters_and_counts_hold(documents: Connection) -> None:
    assert _ids(documents, "'dog', 1") == ["c"]
    assert _ids(documents, """'dog', filter => '{"lang": "en"}'""") == ["a", "b"]


def test_a_headline_is_made_only_when_asked_for(documents: Connection) -> None:
    headline = "select headline from keyword_search('fish', highlight => %s)"
    assert documents.execute(headline, (False,)).fetchone() == (None,)
    assert documents.execute(headline, (True,)).fetchone() == ("<mark>fish</mark>",)


def test_the_gin_index_finds_the_candidates(documents: Connection) -> None:
    documents.execute("insert into documents (content) select 'text ' || i from generate_series(1, 5000) as i")
    documents.execute("vacuum analyze documents")
    used = "select idx_scan from pg_stat_user_indexes where indexrelname = 'documents_fts_idx'"
    documents.execute("select pg_stat_force_next_flush()")
    before = documents.execute(used).fetchone()
    assert _ids(documents, "'fish'") == ["d"]
    documents.execute("select pg_stat_force_next_flush()")
    after = documents.execute(used).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] > before[0]


def test_an_unknown_ranking_is_refused(documents: Connection) -> None:
    with pytest.raises(psycopg.Error, match="ranking cannot be 'tfidf'") as caught:
        documents.execute("select * from keyword_search('fish', ranking => 'tfidf')")
    assert caught.value.sqlstate == "PV004"
