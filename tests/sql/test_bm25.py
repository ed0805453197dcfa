"""BM25: the weights, the statistics that follow every statement, and scores like those of another implementation."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from conftest import Connection
from judged import needs_judgements, read
from pgvec_admin.engine import collections
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record

WITH_PARTS = re.compile(r"[-./@]")
ANY = "(select id from documents order by random() limit 2)"
COUNTED = """
select lexeme, sum(documents)::bigint from pgvec.lexemes where collection = 'documents'
 group by lexeme having sum(documents) <> 0 order by lexeme
"""
THERE = "select word, ndoc::bigint from ts_stat('select fts from documents') order by word"
TOTALS = """
select coalesce(sum(documents), 0)::bigint, coalesce(sum(positions), 0)::bigint, coalesce(sum(uncounted), 0)::bigint
  from pgvec.text_totals where collection = 'documents'
"""
THERE_IN_ALL = """
select (select count(*) from documents),
       (select coalesce(sum(nentry), 0)::bigint from ts_stat('select fts from documents'))
"""


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    return connection


def _is_counted(connection: Connection) -> None:
    """The statistics equal those from counting all rows."""
    assert sorted(connection.execute(COUNTED).fetchall()) == sorted(connection.execute(THERE).fetchall())
    rows, words, uncounted = connection.execute(TOTALS).fetchone() or (None, None, None)
    assert (rows, words) == connection.execute(THERE_IN_ALL).fetchone()
    assert uncounted == 0


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


def test_statistics_follow_whatever_happens_to_the_rows(documents: Connection) -> None:
    chosen = random.Random(3)
    words = [f"word{number}" for number in range(30)]

    def text() -> str:
        return " ".join(chosen.choices(words, k=chosen.randint(0, 8)))

    for step in range(120):
        match chosen.randrange(8):
            case 0 | 1:
                documents.execute("insert into documents (id, content) values (%s, %s)", (f"row{step}", text()))
            case 2:
                documents.execute(
                    "insert into documents (id, content) select %s || i, %s from generate_series(1, 3) as i",
                    (f"many{step}-", text()),
                )
            case 3:
                documents.execute(f"update documents set content = %s where id in {ANY}".encode(), (text(),))
            case 4:
                documents.execute(
                    "insert into documents (id, content) select id, %s from documents order by random() limit 2"
                    " on conflict (id) do update set content = excluded.content",
                    (text(),),
                )
            case 5:
                documents.execute(
                    "delete from documents where id in (select id from documents order by random() limit 1)"
                )
            case 6:
                change = "id = id || 'x', metadata = '{}', embedding = '[1,2,3]'"
                documents.execute(f"update documents set {change} where id in {ANY}".encode())
            case 7:
                with documents.transaction(force_rollback=True):
                    documents.execute("insert into documents (content) values (%s)", (text(),))
        if step % 10 == 0:
            _is_counted(documents)
    _is_counted(documents)
    documents.execute("truncate documents")
    _is_counted(documents)
    assert documents.execute("select average_length from pgvec.bm25_parameters").fetchone() == (None,)


def test_vectors_and_metadata_add_nothing_to_the_statistics(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('a', 'some text')")
    count = (
        "select (select count(*) from pgvec.lexemes), sum(documents), sum(positions), sum(uncounted)"
        " from pgvec.text_totals"
    )
    before = documents.execute(count).fetchone()
    documents.execute("""update documents set embedding = '[1,2,3]', metadata = '{"a": 1}'""")
    assert documents.execute(count).fetchone() == before


def test_the_parts_of_the_statistics_stay_few(documents: Connection) -> None:
    for number in range(100):
        documents.execute("insert into documents (content) values (%s)", (f"same text {number}",))
    _is_counted(documents)
    most = documents.execute(
        "select max(n) from (select count(*) as n from pgvec.lexemes group by lexeme) as l"
    ).fetchone()
    assert most is not None
    assert most[0] <= 16 + 33
    totals = documents.execute("select count(*) from pgvec.text_totals").fetchone()
    assert totals is not None
    assert totals[0] <= 33


def test_writers_do_not_wait_for_each_other(documents: Connection, database: str) -> None:
    documents.execute("insert into documents (content) select 'first text ' || i from generate_series(1, 40) as i")
    for _ in range(40):
        documents.execute("insert into documents (content) values ('more text')")
    with psycopg.connect(database) as one, psycopg.connect(database) as other:
        for connection in (one, other):
            connection.execute("set statement_timeout = '5s'")
        for turn in range(40):
            one.execute("insert into documents (id, content) values (%s, 'shared words')", (f"one{turn}",))
            other.execute("insert into documents (id, content) values (%s, 'words shared')", (f"other{turn}",))
        other.commit()
        one.commit()
    _is_counted(documents)


def test_a_refresh_misses_nothing_that_is_written_meanwhile(documents: Connection, database: str) -> None:
    documents.execute("insert into documents (content) select 'text ' || i from generate_series(1, 10) as i")
    with psycopg.connect(database) as other:
        other.execute("insert into documents (id, content) values ('late', 'text of another')")
        other.execute("delete from documents where content = 'text 3'")
        documents.execute("select pgvec.refresh_statistics('documents')")
        _is_counted(documents)
        other.commit()
    _is_counted(documents)


def test_large_collections_note_what_changed_and_are_counted_by_a_refresh(documents: Connection) -> None:
    documents.execute("""update pgvec.collections set settings = '{"live_statistics": 5}'""")
    documents.execute("insert into documents (id, content) select i, 'old text' from generate_series(1, 20) as i")
    documents.execute("insert into documents (id, content) values ('new', 'something new')")
    documents.execute("update documents set content = 'newer still' where id in ('1', '2')")
    statistics = collections.keyword_statistics(documents, "documents")
    # an update counts twice, once for the old row and once for the new one
    assert (statistics.documents, statistics.uncounted, statistics.due) == (20, 5, True)
    # found all the same, although the statistics do not have the word
    assert list(_scores(documents, "something")) == ["new"]
    refreshed = collections.refresh_statistics(documents, "documents")
    assert refreshed.documents == 21
    _is_counted(documents)
    assert not collections.keyword_statistics(documents, "documents").due


def test_a_load_counts_anew_what_is_due(documents: Connection) -> None:
    documents.execute("""update pgvec.collections set settings = '{"live_statistics": 5}'""")
    records = [Record(id=str(number), content=f"text {number}", metadata={}) for number in range(4100)]
    assert load.load_records(documents, "documents", records).counted_anew
    _is_counted(documents)
    assert not load.load_records(documents, "documents", records).counted_anew


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


def test_a_writer_keeps_the_statistics_without_seeing_them(
    documents: Connection, as_role: Callable[[str], Connection]
) -> None:
    writer = as_role("pgvec_writer")
    writer.execute("insert into documents (id, content) values ('a', 'secret word')")
    writer.execute("update documents set content = 'other word'")
    _is_counted(documents)
    for table in ("lexemes", "text_totals", "bm25_parameters"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(f"select * from pgvec.{table}".encode())
    reader = as_role("pgvec_reader")
    assert list(_scores(reader, "word")) == ["a"]
    for call in (
        "note_parameters(null, null, 1, 1)",
        "write_weights(null, null, false)",
        "forget_lexemes('documents')",
        "refresh_statistics('documents')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select pgvec.{call}".encode())


def test_one_session_counts_collections_of_either_access_anew(documents: Connection) -> None:
    documents.execute("select pgvec.create_collection('shared', 3, access => 'tenant')")
    tenant = "00000000-0000-4000-8000-00000000000a"
    documents.execute("insert into documents (content) values ('cats')")
    documents.execute("insert into shared (tenant_id, content) values (%s, 'cats and dogs')", (tenant,))
    lexemes = [
        documents.execute("select lexemes from pgvec.refresh_statistics(%s)", (name,)).fetchone()
        for name in ("documents", "shared", "documents")
    ]
    assert lexemes == [(1,), (2,), (1,)]


def test_adding_up_the_parts_of_a_new_collection_reads_each_of_them_a_few_times(documents: Connection) -> None:
    """The planner's statistics come later; until then a word must not be compared with every other."""
    with documents.transaction():
        for number in range(40):
            words = " ".join(f"w{word}" for word in range(20 * number, 20 * number + 40))
            documents.execute("insert into documents (content) values (%s)", (words,))
        read = documents.execute(
            "select seq_tup_read + idx_tup_fetch from pg_stat_xact_all_tables where relid = 'pgvec.lexemes'::regclass"
        ).fetchone()
    _is_counted(documents)
    assert read is not None
    assert 0 < read[0] < 40 * 40 * 20


def test_counting_anew_waits_for_a_writer_of_several_rows_and_sees_what_it_wrote(
    documents: Connection, database: str
) -> None:
    # b lies before a
    documents.execute("insert into documents (id, content) values ('b', 'cat'), ('a', 'dog dog dog')")
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database) as writer:
        writer.execute("update documents set content = 'dog dog dog dog' where id = 'a'")
        counting = pool.submit(documents.execute, "select renewed from pgvec.refresh_statistics('documents', null)")
        waiting = "select from pg_locks where not granted and locktype = 'transactionid'"
        with psycopg.connect(database, autocommit=True) as watcher:
            while not watcher.execute(waiting).rowcount:
                assert not counting.done()
        writer.execute("update documents set content = 'cat cat' where id = 'b'")
        writer.commit()
        counting.result()
    differs = documents.execute(
        "select d.id from documents as d, pgvec.bm25_parameters as p"
        " where p.collection = 'documents'"
        " and d.bm25 operator(extensions.<>) pgvec.bm25_vector(d.fts, p.average_length, p.k1, p.b)"
    )
    assert differs.fetchall() == []
    _is_counted(documents)


def test_collections_of_an_earlier_release_are_counted_by_the_upgrade(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('a', 'a text about cats')")
    documents.execute("delete from pgvec.bm25_parameters")
    documents.execute("delete from pgvec.lexemes")
    documents.execute("delete from pgvec.text_totals")
    documents.execute("alter table documents disable trigger user")
    documents.execute("update documents set bm25 = null")
    for event in ("insert", "update", "delete", "truncate"):
        documents.execute(f"drop trigger documents_count_{event} on documents".encode())
    documents.execute(
        "create or replace trigger documents_maintain before insert or update on documents"
        " for each row execute function pgvec.maintain_document('english')"
    )
    assert documents.execute("select pgvec.upgrade_collections()").fetchall() == [("documents",)]
    assert documents.execute("select pgvec.upgrade_collections()").fetchall() == []
    documents.execute("alter table documents enable trigger user")
    documents.execute("insert into documents (id, content) values ('b', 'a text about dogs')")
    _is_counted(documents)
    assert list(_scores(documents, "cats dogs")) == ["a", "b"]


def test_dropping_a_collection_leaves_no_statistics(documents: Connection) -> None:
    documents.execute("insert into documents (content) values ('a text')")
    documents.execute("select pgvec.drop_collection('documents')")
    for table in ("lexemes", "text_totals", "bm25_parameters"):
        assert documents.execute(f"select count(*) from pgvec.{table}".encode()).fetchone() == (0,)


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
