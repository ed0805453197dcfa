"""Long texts find rows by two of their words, one of them rare."""

from __future__ import annotations

import random

import pytest

from conftest import copied, filled
from installation import Connection

WORDS = [f"word{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(200)]
WEIGHTS = [1 / (place + 2) for place in range(len(WORDS))]
ROWS = 6000

Found = list[tuple[str, float]]


def _fill(connection: Connection) -> None:
    chosen = random.Random(2)
    connection.execute("select pgvec.create_collection('notes', 3)")
    connection.execute(
        """update pgvec.collections set settings = '{"live_statistics": 1000, "candidate_budget": 1000}'"""
    )
    connection.execute(
        """
        insert into notes (id, content, metadata)
        select t.place::text, t.text, jsonb_build_object('half', t.place % 2, 'rare', t.place % 500)
          from unnest(%s::text[]) with ordinality as t (text, place)""".replace("% ", "%% ").encode(),
        ([" ".join(chosen.choices(WORDS, WEIGHTS, k=chosen.randint(5, 30))) for _ in range(ROWS)],),
    )
    connection.execute("select pgvec.refresh_statistics('notes')")
    connection.execute("vacuum analyze notes")


with_long_texts = filled("with_long_texts", _fill)
database = copied("with_long_texts")


@pytest.mark.parametrize("words", range(8))
def test_two_words_are_wanted_and_one_of_them_is_rare(connection: Connection, words: int) -> None:
    for rare in range(words + 1):
        wrong = connection.execute(
            """
            with words as (
                   select w as place, 'w' || w as word from generate_series(1, %(words)s) as w),
                 texts as (
                   select array_to_tsvector(array(
                              select w.word from words as w where t.number >> (w.place - 1) & 1 = 1)) as text,
                          bit_count(t.number::bit(8)) >= 2 and t.number %% (1 << %(rare)s) > 0 as is_wanted
                     from generate_series(0, (1 << %(words)s) - 1) as t (number)),
                 pairs as (
                   select pgvec.word_pairs(array(select quote_literal(w.word) from words as w order by w.place),
                                           %(rare)s, 0) as query)
            select t.text::text from texts as t, pairs as p where t.is_wanted <> coalesce(t.text @@ p.query, false)
            """,
            {"words": words, "rare": rare},
        ).fetchall()
        assert wrong == []


def test_there_are_pairs_of_many_words(connection: Connection) -> None:
    row = connection.execute(
        """
        with pairs as materialized (
               select pgvec.word_pairs(array(select quote_literal('w' || w) from generate_series(1, 1023) as w), 1023,
                                       0)
                   as query)
        select bool_and(array_to_tsvector(array['w1', 'w' || n]) @@ p.query),
               bool_or(array_to_tsvector(array['w' || n]) @@ p.query)
          from pairs as p, generate_series(2, 1023) as n
        """
    ).fetchone()
    assert row == (True, False)


def _asked(number: int) -> list[str]:
    chosen = random.Random(number)
    return [" ".join(chosen.sample(WORDS, k=number)) for _ in range(10)]


def _found(connection: Connection, query: str, filter_: str = "{}", ranking: str = "bm25") -> Found:
    return connection.execute(
        "select id, score from keyword_search(%s, 10, %s, %s, collection => 'notes')", (query, filter_, ranking)
    ).fetchall()


def _exact(connection: Connection, query: str, filter_: str = "{}") -> Found:
    """Every row that has a word is scored."""
    connection.execute("begin")
    connection.execute("update pgvec.collections set settings = settings || '{\"candidate_budget\": 1000000}'")
    found = _found(connection, query, filter_)
    connection.execute("rollback")
    return found


def _pairs(connection: Connection, query: str) -> str | None:
    row = connection.execute("select pairs::text from pgvec.keyword_query('notes', %s)", (query,)).fetchone()
    assert row is not None
    pairs: str | None = row[0]
    return pairs


@pytest.mark.parametrize("filter_", ["{}", '{"half": 1}', '{"rare": 3}'])
def test_the_best_rows_of_long_texts_are_found(connection: Connection, filter_: str) -> None:
    ours, exact = [], []
    for query in _asked(25):
        assert _pairs(connection, query)
        ours += _found(connection, query, filter_)
        exact += _exact(connection, query, filter_)
    assert len(ours) == len(exact)
    assert sum(score for _, score in ours) >= 0.95 * sum(score for _, score in exact)


def test_with_a_filter_there_is_no_such_choice(connection: Connection) -> None:
    for query in _asked(25):
        of_one_word = connection.execute(
            """
            select d.id, - (d.bm25 operator(extensions.<#>) q.weights) as score
              from notes as d, pgvec.keyword_query('notes', %s) as q
             where d.fts @@ q.candidates and d.metadata @> '{"half": 1}'
             order by score desc, d.id limit 10
            """,
            (query,),
        ).fetchall()
        assert _found(connection, query, '{"half": 1}') == of_one_word


def test_they_are_read_instead_of_all_that_have_a_rare_word(connection: Connection) -> None:
    for query in _asked(25):
        row = connection.execute(
            """
            select (select count(*) from notes as d where d.fts @@ q.pairs),
                   (select count(*) from notes as d where d.fts @@ q.candidates)
              from pgvec.keyword_query('notes', %s) as q
            """,
            (query,),
        ).fetchone()
        assert row is not None
        assert 40 <= row[0] < row[1]


def test_texts_of_few_rare_words_go_without(connection: Connection) -> None:
    assert _pairs(connection, " ".join(WORDS[:12])) is None
    assert _pairs(connection, " ".join(WORDS[:12] + WORDS[190:196]))


def test_short_texts_passages_small_collections_and_other_rankings_go_without(connection: Connection) -> None:
    long = _asked(25)[0]
    assert _pairs(connection, " ".join(long.split()[:8])) is None
    assert _pairs(connection, " ".join(WORDS[:40])) is None  # a passage
    before = _found(connection, long, ranking="ts_rank")
    connection.execute("update pgvec.collections set settings = settings || '{\"candidate_budget\": 1500}'")
    assert _pairs(connection, long) is None
    connection.execute("update pgvec.collections set settings = settings || '{\"candidate_budget\": 1000}'")
    assert [score for _, score in before] == [score for _, score in _found(connection, long, ranking="ts_rank")]


def test_a_word_that_one_row_has_finds_it_alone(connection: Connection) -> None:
    connection.execute("insert into notes (id, content) values ('counted', 'zyx4711')")
    connection.execute("select pgvec.refresh_statistics('notes')")
    connection.execute("insert into notes (id, content) values ('later', 'xyz1147')")
    for id_, word in (("counted", "zyx4711"), ("later", "xyz1147")):
        query = f"{word} {' '.join(WORDS[5:14] + WORDS[190:196])}"
        assert _pairs(connection, query)
        assert id_ in [found for found, _ in _exact(connection, query)]
        assert id_ in [found for found, _ in _found(connection, query)]


@pytest.mark.parametrize("budget", [-(2**63), -1, 0, 1, 1000, 2**62, 2**63 - 1])
def test_any_budget_finds_rows(connection: Connection, budget: int) -> None:
    settings = f'{{"candidate_budget": {budget}}}'
    connection.execute("update pgvec.collections set settings = settings || %s::jsonb", (settings,))
    for number in (2, 25):
        assert len(_found(connection, _asked(number)[0])) == 10


def test_where_few_rows_have_two_of_the_words_those_with_one_are_found(connection: Connection) -> None:
    """Words that never meet in a row."""
    alone = [f"alone{chr(97 + number)}" for number in range(12)]
    connection.execute(
        "insert into notes (content) select w from unnest(%s::text[]) as w, generate_series(1, 100)", (alone,)
    )
    connection.execute("select pgvec.refresh_statistics('notes')")
    query = " ".join(alone)
    assert _pairs(connection, query)
    assert len(_found(connection, query)) == 10
