"""keyword_search: any word will do, the order is total, headlines mark the words."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from conftest import Connection
from installation import function_file
from pgvec_admin.database import Target
from pgvec_admin.install import migrate


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


@pytest.fixture
def pool(connection: Connection) -> Connection:
    """Texts in which the same words stand together and apart."""
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        """
        insert into documents (id, content)
        values ('together', 'the connection pool of postgres is exhausted'),
               ('apart', 'a pool has one connection for each of its clients'),
               ('mysql', 'the connection pool of mysql'),
               ('timeout', 'a timeout of the network'),
               ('art', 'state-of-the-art pools')
        """
    )
    return connection


def test_quoted_phrases_must_occur_and_words_with_a_minus_must_not(pool: Connection) -> None:
    assert set(_ids(pool, "'connection pool timeout'")) == {"together", "apart", "mysql", "timeout", "art"}
    assert set(_ids(pool, "'\"connection pool\" timeout'")) == {"together", "mysql"}
    assert _ids(pool, "'\"connection pool\" timeout -mysql'") == ["together"]
    assert set(_ids(pool, "'pool -\"connection pool\"'")) == {"apart", "art"}
    assert _ids(pool, "'state-of-the-art'") == ["art"]


def test_what_is_quoted_or_excluded_alone_is_no_riddle(pool: Connection) -> None:
    assert _ids(pool, "'-mysql'") == ["mysql"]
    assert _ids(pool, "'\"of the\" timeout'") == ["timeout"]
    assert _ids(pool, "'timeout -the'") == ["timeout"]
    assert _ids(pool, "'\" timeout'") == ["timeout"]
    assert _ids(pool, "'\"\" timeout -'") == ["timeout"]


def test_in_a_text_of_more_words_than_people_type_quotes_are_punctuation(pool: Connection) -> None:
    prose = 'he said "nothing of the kind" about -mysql and ' + "the network " * 12
    assert len(prose.split()) == 33
    search = "select id from keyword_search(%s) order by id"
    assert pool.execute(search, (prose,)).fetchall() == [("mysql",), ("timeout",)]
    assert pool.execute(search, (prose.removesuffix("the network "),)).fetchall() == [("timeout",)]


def test_the_filter_text_works_beside_other_keys_and_in_vector_searches(pool: Connection) -> None:
    pool.execute("""update documents set embedding = '[1,2,3]', metadata = '{"lang": "en"}' where id <> 'art'""")
    search = "select id from match_documents('[1,2,3]', filter => %s) order by id"
    for filter_, ids in (
        ('{"$text": "connection pool"}', ["apart", "mysql", "together"]),
        ('{"$text": "\\"connection pool\\" -mysql"}', ["together"]),
        ('{"$text": "pool", "lang": "en"}', ["apart", "mysql", "together"]),
        ('{"$text": "pool", "lang": {"$ne": "en"}}', []),
        ('{"$text": "the of"}', ["apart", "mysql", "timeout", "together"]),
    ):
        assert [row[0] for row in pool.execute(search, (filter_,)).fetchall()] == ids, filter_
    for bad in ('{"$text": 1}', '{"$or": [{"$text": "pool"}]}'):
        with pytest.raises(psycopg.Error) as caught:
            pool.execute(search, (bad,))
        assert caught.value.sqlstate == "PV003"


def test_a_threshold_leaves_weak_matches_out(documents: Connection) -> None:
    rows = documents.execute("select id, score from keyword_search('dog cats')").fetchall()
    assert len(rows) == 3
    between = (rows[0][1] + rows[-1][1]) / 2
    kept = _ids(documents, f"'dog cats', match_threshold => {between}")
    assert kept == [id_ for id_, score in rows if score >= between]
    assert 0 < len(kept) < 3


@pytest.mark.parametrize("ranking", ["bm25", "ts_rank", "ts_rank_cd"])
def test_every_ranking_returns_as_many_rows_as_there_are(documents: Connection, ranking: str) -> None:
    # the rarest word alone is within the budget, and one row has it
    documents.execute("""update pgvec.collections set settings = '{"candidate_budget": 1}'""")
    documents.execute(
        "insert into documents (id, content) select 'e' || i, 'other dogs' from generate_series(1, 9) as i"
    )
    found = _ids(documents, f"'fish dog', 5, ranking => '{ranking}'")
    assert len(found) == 5
    assert len(_ids(documents, f"'fish dog', 100, ranking => '{ranking}'")) == 13
    assert _ids(documents, f"'fish dog', 1, ranking => '{ranking}'") == ["d"]


def test_a_ranking_more_is_an_edit_of_one_file(documents: Connection, database: str, sql_copy: Path) -> None:
    file = function_file("pgvec.rankings", sql_copy)
    line = "('by_length', 'ts_rank(d.fts, $5, 2)::float8 * 100', true),\n                 "
    file.write_text(file.read_text().replace("('ts_rank',", f"{line}('ts_rank',"))
    report = migrate.migrate(Target(database, "the test"), report=lambda _: None)
    assert [state.name for state in report.functions] == ["pgvec.rankings"]

    wanted = documents.execute(
        "select d.id, ts_rank(d.fts, q.words, 2) * 100 from documents as d, to_tsquery('dog') as q (words)"
        " where d.fts @@ q.words order by 2 desc, 1"
    ).fetchall()
    search = "select id, score from keyword_search('dog', ranking => 'by_length')"
    assert [(id_, pytest.approx(score)) for id_, score in wanted] == documents.execute(search).fetchall()
    fused = documents.execute(
        "select max(score) from hybrid_search('dog', null, semantic_weight => 0, fusion => 'weighted',"
        " ranking => 'by_length')"
    ).fetchone()
    assert fused == (1,), "over the greatest"
    with pytest.raises(psycopg.Error) as caught:
        documents.execute("select keyword_search('dog', ranking => 'best')")
    assert caught.value.diag.message_hint == "one of: bm25, ts_rank, by_length, ts_rank_cd"


def test_the_budget_bounds_the_rows_that_are_read(documents: Connection) -> None:
    documents.execute(
        "insert into documents (content) select case when i % 50 = 0 then 'rare common' else 'common' end"
        " from generate_series(1, 5000) as i"
    )
    words = "select candidates::text, words::text from pgvec.keyword_query('documents', 'rare common words')"
    assert documents.execute(words).fetchone() == ("'word' | 'rare' | 'common'",) * 2
    documents.execute("""update pgvec.collections set settings = '{"candidate_budget": 200}'""")
    assert documents.execute(words).fetchone() == ("'word' | 'rare'", "'word' | 'rare' | 'common'")


def test_a_query_of_ten_thousand_words_is_cut_with_a_notice(documents: Connection) -> None:
    told: list[str] = []
    documents.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    text = "fish " + " ".join(f"word{number}" for number in range(10_000))
    rows = documents.execute("select id from keyword_search(%s)", (text,)).fetchall()
    assert rows == [("d",)]
    assert told == ["the query is too long: it is searched by 500 of its words"]
    rows = documents.execute("select id from keyword_search(%s)", ("fish " + "x" * 2_000_000,)).fetchall()
    assert rows == [("d",)]


def test_common_words_never_count_against_a_row(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content) values ('a', 'common'), ('b', 'common'), ('c', 'common rare')"
    )
    rows = connection.execute("select id, score from keyword_search('common rare nowhere')").fetchall()
    assert [row[0] for row in rows] == ["c", "a", "b"]
    assert all(row[1] > 0 for row in rows)


@pytest.mark.parametrize(
    ("language", "content", "query"),
    [
        ("english", "Running databases", "run the database"),
        ("german", "Die Häuser an der Straße", "Haus"),
        ("german", "Kündigungsschutzklagen", "Kündigungsschutzklage"),
        ("simple", "Naïve café", "café"),
        ("simple", "База данных", "данных"),
        ("russian", "Базы данных", "база"),
        ("simple", "検索 エンジン", "検索"),
        ("simple", "it's a 'quoted' back\\slash C:\\temp", "it's quoted slash"),
    ],
)
def test_any_text_search_configuration_serves(connection: Connection, language: str, content: str, query: str) -> None:
    connection.execute("select pgvec.create_collection('documents', 3, language => %s)", (language,))
    connection.execute("insert into documents (id, content) values ('it', %s), ('other', 'xyz')", (content,))
    for ranking in ("bm25", "ts_rank", "ts_rank_cd"):
        rows = connection.execute("select id from keyword_search(%s, ranking => %s)", (query, ranking)).fetchall()
        assert rows == [("it",)]


def test_rows_with_a_language_of_their_own_are_found_in_it(documents: Connection) -> None:
    documents.execute(
        """
        insert into documents (id, content, language)
        values ('haus', 'die alten Häuser', 'german'), ('maison', 'les vieilles maisons', 'french')
        """
    )
    assert _ids(documents, "'Haus'") == ["haus"]
    assert _ids(documents, "'maison'") == ["maison"]
    assert _ids(documents, "'barking dog -Haus', 1") == ["c"]
    assert _ids(documents, "'\"alten Haus\"'") == ["haus"]
    headline = "select headline from keyword_search('Haus', highlight => true)"
    assert documents.execute(headline).fetchone() == ("die alten <mark>Häuser</mark>",)


@pytest.mark.parametrize("add_columns", [False, True], ids=["beside", "in the table"])
def test_adopted_tables_are_ranked_like_others(connection: Connection, add_columns: bool) -> None:
    texts = ["cats and dogs", "a dog barks at the other dogs", "fish", "one more fish and a cat"]
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute("create table jobs (job bigint primary key, content text, embedding extensions.vector(3))")
    for number, text in enumerate(texts[:2]):
        connection.execute("insert into jobs values (%s, %s)", (number, text))
    connection.execute("select pgvec.adopt_collection('jobs', 'jobs', add_columns => %s)", (add_columns,))
    for number, text in enumerate(texts[2:], 2):
        connection.execute("insert into jobs values (%s, %s)", (number, text))
    connection.execute("insert into jobs values (9, 'fish to come'), (10, 'gone soon fish')")
    connection.execute("update jobs set content = 'dog' where job = 9")
    connection.execute("update jobs set job = 19 where job = 9")
    connection.execute("delete from jobs where job = 10")
    for number, text in enumerate([*texts, "dog"]):
        connection.execute("insert into documents (id, content) values (%s, %s)", (number if number < 4 else 19, text))
    for name in ("documents", "jobs"):
        connection.execute("select pgvec.refresh_statistics(%s, 0)", (name,))
    search = "select id, score from keyword_search('dog fish cat', collection => %s)"
    expected = connection.execute(search, ("documents",)).fetchall()
    assert len(expected) == 5
    assert connection.execute(search, ("jobs",)).fetchall() == expected
    connection.execute("truncate jobs cascade")
    assert connection.execute(search, ("jobs",)).fetchall() == []
    assert connection.execute("select count(*) from pgvec.lexemes where collection = 'jobs'").fetchone() == (0,)
    connection.execute("select pgvec.release_collection('jobs')")
    connection.execute("insert into jobs (job, content) values (1, 'free')")


def test_an_unknown_ranking_is_refused(documents: Connection) -> None:
    with pytest.raises(psycopg.Error, match="ranking cannot be 'tfidf'") as caught:
        documents.execute("select * from keyword_search('fish', ranking => 'tfidf')")
    assert caught.value.sqlstate == "PV004"
