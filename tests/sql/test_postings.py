"""Postings: queries of common words read few rows of a large collection, and find those that score highest."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

import installation
from conftest import copied, filled
from installation import Connection
from plans import believe

OURS, THEIRS = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
COLLECTIONS = ("notes", "shared")
# the first is in more texts than postings keep, the last in a few of a thousand
WORDS = [f"word{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(200)]
WEIGHTS = [1 / (place + 2) for place in range(len(WORDS))]
ROWS = 10_000

Found = list[tuple[str, float]]


def _texts(number: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(WORDS[:1] + chosen.choices(WORDS, WEIGHTS, k=chosen.randint(1, 15))) for _ in range(number)]


def _fill(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 3)")
    connection.execute("select pgvec.create_collection('shared', 3, access => 'tenant')")
    connection.execute("""update pgvec.collections set settings = settings || '{"live_statistics": 1000}'""")
    statement = """
        insert into {} ({} id, content, metadata)
        select {} t.place::text, t.text, jsonb_build_object('half', t.place %% 2, 'rare', t.place %% 400)
          from unnest(%s::text[]) with ordinality as t (text, place)"""
    connection.execute(statement.format("notes", "", "").encode(), (_texts(ROWS, 1),))
    for tenant, number in ((OURS, 3000), (THEIRS, 1500)):
        filling = statement.format("shared", "tenant_id,", f"'{tenant}',")
        connection.execute(filling.encode(), (_texts(number, number),))
    for collection in COLLECTIONS:
        connection.execute("select pgvec.refresh_statistics(%s)", (collection,))
        connection.execute(f"vacuum analyze {collection}".encode())


with_postings = filled("with_postings", _fill)
database = copied("with_postings")


def _tenant(collection: str) -> str | None:
    return OURS if collection == "shared" else None


def _found(
    connection: Connection, collection: str, query: str, count: int = 10, **more: Any
) -> list[tuple[str, float]]:
    given = "".join(f", {name} => %({name})s" for name in more)
    values = {"query": query, "count": count, "collection": collection, "tenant": _tenant(collection)} | more
    return connection.execute(
        "select id, score from keyword_search(%(query)s, %(count)s, collection => %(collection)s,"
        f" for_tenant => %(tenant)s{given})".encode(),
        values,
    ).fetchall()


def _without(
    connection: Connection, collection: str, query: str, count: int = 10, **more: Any
) -> list[tuple[str, float]]:
    """What is found without postings: every row that has a word is scored."""
    connection.execute("begin")
    connection.execute(
        """update pgvec.collections set posted = false, settings = settings || '{"candidate_budget": 1000000}'"""
    )
    found = _found(connection, collection, query, count, **more)
    connection.execute("rollback")
    return found


def _named(connection: Connection, collection: str, query: str, wanted: int | None = None) -> list[str] | None:
    row = connection.execute(
        "select (pgvec.posted_rows(%(collection)s, %(tenant)s, q.lexemes, q.weights, 400, %(wanted)s)).ids"
        " from pgvec.keyword_query(%(collection)s, %(query)s, %(tenant)s) as q",
        {"collection": collection, "query": query, "tenant": _tenant(collection), "wanted": wanted},
    ).fetchone()
    assert row is not None
    named: list[str] | None = row[0]
    return named


def _agree(ours: Found, exact: Found) -> None:
    """The scores are nearly those of the best rows: which of many equal ones are returned, says nothing."""
    assert len(ours) == len(exact)
    assert sum(score for _, score in ours) >= 0.99 * sum(score for _, score in exact)


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("number", [1, 2, 4, 25])
def test_the_best_rows_are_found_among_few(connection: Connection, collection: str, number: int) -> None:
    chosen = random.Random(number)
    for _ in range(10):
        query = " ".join(chosen.choices(WORDS, WEIGHTS, k=number))
        named = _named(connection, collection, query)
        assert named is None or 100 <= len(named) <= 400  # none for a word that few rows have
        _agree(_found(connection, collection, query), _without(connection, collection, query))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_rows_that_cannot_be_among_the_wanted_are_not_read(connection: Connection, collection: str) -> None:
    """Of all rows that have a word there is an entry, so the sums are the scores, but for rounding."""
    chosen = random.Random(5)
    queries = [" ".join(chosen.sample(WORDS[1:30], k=number)) for number in (2, 3, 4) for _ in range(5)]
    fewer = 0
    for query in queries:
        named, kept = _named(connection, collection, query), _named(connection, collection, query, 10)
        if named is None or kept is None:  # few rows have the words
            assert named is kept is None
            continue
        assert set(kept) <= set(named)
        assert len(kept) >= min(30, len(named))
        fewer += len(kept) < len(named) / 2
        best = [id_ for id_, _ in _found(connection, collection, query, 15)]
        connection.execute(f"update {collection} set content = 'a' where id = any (%s)".encode(), (best[:10],))
        connection.execute(f"delete from {collection} where id = any (%s)".encode(), (best[10:],))
        ours, exact = _found(connection, collection, query), _without(connection, collection, query)
        assert [score for _, score in ours] == pytest.approx([score for _, score in exact])
    assert fewer > 5


def test_rows_are_wanted_whose_sums_lack_what_is_not_read(connection: Connection) -> None:
    """Of twenty common words there are four times as many entries as are read."""
    chosen = random.Random(9)
    asked = "select ids from pgvec.posted_rows('notes', null, %s, (pgvec.keyword_query('notes', %s)).weights, 400, %s)"
    later = 0
    for _ in range(30):
        words = chosen.sample(WORDS[1:40], k=20)
        query = " ".join(words)
        named, kept = (
            {id_ for row in connection.execute(asked, (words, query, wanted)).fetchall() for id_ in row[0]}
            for wanted in (None, 1)
        )
        best = _without(connection, "notes", query, 1)[0][0]
        assert best in kept or best not in named
        later += len(kept) > 4
    assert later > 20


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("count", [1, 3, 10])
def test_rows_that_weigh_less_than_noted_leave_no_others_out(
    connection: Connection, collection: str, count: int
) -> None:
    query = f"{WORDS[1]} {WORDS[2]}"
    best = [id_ for id_, _ in _found(connection, collection, query, 3 * count + 2)]
    connection.execute(
        f"update {collection} set content = content || %s where id = any (%s)".encode(),
        (" something else" * 100, best),
    )
    ours, exact = _found(connection, collection, query, count), _without(connection, collection, query, count)
    assert [score for _, score in ours] == pytest.approx([score for _, score in exact])


def test_words_that_select_no_rows_count_for_those_that_are_found(connection: Connection) -> None:
    """Single letters of a script without spaces weigh, and have no postings of their own in a query."""
    connection.execute("truncate notes")
    texts = ["\u6771\u4eac \u5927\u962a"] + ["\u6771\u4eac\u5927\u962a \u6771 \u4eac \u5927 \u962a"] * 20
    connection.execute(
        "insert into notes (content) select t || repeat(' word', n %% 7) from unnest(%s::text[]) as t,"
        " generate_series(1, 200) as n",
        (texts,),
    )
    connection.execute("select pgvec.refresh_statistics('notes')")
    query = "\u6771\u4eac \u5927\u962a"
    named, kept = _named(connection, "notes", query), _named(connection, "notes", query, 1)
    assert named
    assert kept
    _agree(_found(connection, "notes", query), _without(connection, "notes", query))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_rows_with_one_score_are_looked_up_once(connection: Connection, collection: str) -> None:
    """Entries are rounded, some to more than the score of their row, which is then not below the bound."""
    mine = "tenant_id, " if collection == "shared" else ""
    value = "%(tenant)s::uuid, " if collection == "shared" else ""
    equal = [f"equal{chr(97 + number)}" for number in range(8)]
    connection.execute(
        f"insert into {collection} ({mine}content) select {value}repeat(w.word || ' ', w.place::int)"
        " from unnest(%(equal)s::text[]) with ordinality as w (word, place), generate_series(1, 300)".encode(),
        {"tenant": _tenant(collection), "equal": equal},
    )
    connection.execute("select pgvec.refresh_statistics(%s)", (collection,))
    for query in equal:
        row = connection.execute(
            "select p.bound from pgvec.keyword_query(%(collection)s, %(query)s, %(tenant)s) as q,"
            " pgvec.posted_rows(%(collection)s, %(tenant)s, q.lexemes, q.weights, 400, 10) as p",
            {"collection": collection, "query": query, "tenant": _tenant(collection)},
        ).fetchone()
        assert row is not None
        assert row[0] is not None
        assert _found(connection, collection, query)[-1][1] >= row[0]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_many_words_that_begin_like_the_last_one_are_found_among_few(
    connection: Connection, collection: str
) -> None:
    for query in ("worda", f"{WORDS[3]} worda", f"{WORDS[60]} {WORDS[1]} wordb"):
        row = connection.execute(
            """select cardinality(lexemes) from pgvec.keyword_query(%s, %s, %s, '{"prefix": true}')""",
            (collection, query, _tenant(collection)),
        ).fetchone()
        assert row is not None
        assert row[0] > 20
        _agree(_found(connection, collection, query, prefix=True), _without(connection, collection, query, prefix=True))
    typed = " ".join(WORDS[40:49])  # more words than postings tell of
    assert connection.execute("select lexemes from pgvec.keyword_query('notes', %s)", (typed,)).fetchone() == (None,)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_rows_of_rare_words_are_read_without_postings(connection: Connection, collection: str) -> None:
    statement = "select lexemes is not null from pgvec.keyword_query(%s, %s, %s)"
    for query, posted in ((WORDS[0], True), (" ".join(WORDS[:2]), True), (WORDS[-1], False)):
        assert connection.execute(statement, (collection, query, _tenant(collection))).fetchone() == (posted,)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_conditions_hold(connection: Connection, collection: str) -> None:
    first, second, third = WORDS[:3]
    cases: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"{first} {second}", {"filter": '{"half": 1}'}),  # few of the named rows are left by the next one
        (f"{first} {second}", {"filter": '{"rare": 7}'}),
        (f"{first} -{second}", {}),
        (f'"{first} {second}" {third}', {}),
        (f"{first} {WORDS[50]}", {}),
    )
    for query, more in cases:
        _agree(_found(connection, collection, query, **more), _without(connection, collection, query, **more))
    assert len(_found(connection, collection, first, 1000)) == 1000


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_what_is_written_later_is_found_and_what_is_gone_is_not(connection: Connection, collection: str) -> None:
    query = f"{WORDS[1]} {WORDS[2]}"
    heavy = f"{query} " * 30
    tenant = {"tenant": _tenant(collection)}
    mine = "tenant_id, " if collection == "shared" else ""
    value = "%(tenant)s, " if collection == "shared" else ""
    connection.execute(
        f"insert into {collection} ({mine}id, content) values ({value}'new', %(text)s)".encode(),
        tenant | {"text": heavy},
    )
    assert _found(connection, collection, query)[0][0] == "new"
    light = _found(connection, collection, WORDS[90])[-1][0]
    connection.execute(f"update {collection} set content = %s where id = %s".encode(), (heavy + query, light))
    assert {id_ for id_, _ in _found(connection, collection, query)[:2]} == {"new", light}
    connection.execute(
        f"update {collection} set metadata = metadata || '{{\"seen\": true}}' where id <> 'new'".encode()
    )
    assert {id_ for id_, _ in _found(connection, collection, query)[:2]} == {"new", light}
    connection.execute(f"delete from {collection} where id in ('new', %s)".encode(), (light,))
    assert not {id_ for id_, _ in _found(connection, collection, query)} & {"new", light}
    _agree(_found(connection, collection, query), _without(connection, collection, query))


def test_beyond_a_quarter_of_changes_searches_do_without_until_the_refresh(connection: Connection) -> None:
    query = f"{WORDS[0]} {WORDS[1]}"
    notes = "insert into notes (content) select t from unnest(%s::text[]) as t"
    connection.execute(notes.encode(), (_texts(1000, 7),))
    assert _named(connection, "notes", query) is not None
    noted = "select count(*) from pgvec.posting_changes"
    before = connection.execute(noted).fetchone()
    assert before is not None
    assert before[0] > 1000
    connection.execute(notes.encode(), (_texts(3000, 8),))
    assert connection.execute(noted).fetchone() == before
    assert _named(connection, "notes", query) is None
    assert _found(connection, "notes", query) == _without(connection, "notes", query)
    connection.execute("select pgvec.refresh_statistics('notes')")
    assert connection.execute(noted).fetchone() == (0,)
    assert _named(connection, "notes", query) is not None


@pytest.mark.parametrize("posted", [True, False])
def test_what_is_written_while_postings_are_made_is_found(connection: Connection, database: str, posted: bool) -> None:
    heavy, query = f"{WORDS[1]} {WORDS[2]} " * 30, f"{WORDS[1]} {WORDS[2]}"
    insert = "insert into notes (id, content) values (%s, %s)"
    if not posted:  # these will be the first
        connection.execute("select pgvec.forget_postings('notes'), pgvec.settle_postings('notes')")
    with (
        installation.connect(database) as early,
        installation.connect(database) as making,
        installation.connect(database) as late,
        ThreadPoolExecutor() as pool,
    ):
        early.execute("begin")
        early.execute(insert, ("early", heavy))  # it has noted nothing, if there was nothing to note it under
        making.execute("begin")
        made = pool.submit(making.execute, "select pgvec.refresh_statistics('notes')")
        waiting = "select wait_event from pg_stat_activity where pid = %s"
        while connection.execute(waiting, (making.info.backend_pid,)).fetchone() != ("PgSleep",):
            assert not made.done()
        early.execute("commit")
        made.result()
        late.execute(insert, ("late", heavy))  # not in the postings, and not waited for by the writer
        making.execute("commit")
    assert {id_ for id_, _ in _found(connection, "notes", query)[:2]} == {"early", "late"}


def test_who_makes_postings_does_not_wait_for_ever(connection: Connection, database: str) -> None:
    before = _left(connection, "notes", NOBODYS)
    with installation.connect(database) as writer:
        writer.execute("begin")
        writer.execute("insert into notes (id, content) values ('slow', 'a text')")
        connection.execute("select pgvec.refresh_statistics('notes')")
        assert _left(connection, "notes", NOBODYS)[:2] == before[:2]
        writer.execute("commit")


def test_nobody_is_told_of_rows_that_they_may_not_read(
    connection: Connection, as_role: Callable[[str], Connection]
) -> None:
    asked = (
        "select (pgvec.posted_rows(%s, %s, q.lexemes, q.weights, 400)).ids from pgvec.keyword_query(%s, %s, %s) as q"
    )
    query = f"{WORDS[0]} {WORDS[1]}"

    def named(reader: Connection, collection: str, tenant: str | None) -> list[str] | None:
        row = reader.execute(asked.encode(), (collection, tenant, collection, query, tenant)).fetchone()
        assert row is not None
        found: list[str] | None = row[0]
        return found

    reader = as_role("pgvec_reader")
    assert named(reader, "notes", None)
    reader.execute("select set_config('app.tenant_id', %s, false)", (OURS,))
    ours = named(reader, "shared", None)
    assert ours
    assert set(ours) <= {str(number) for number in range(1, 3001)}
    with pytest.raises(psycopg.errors.DatabaseError, match=THEIRS) as refused:
        reader.execute("select pgvec.posted_rows('shared', %s, '{a}', '{1:1}/268435456', 10)", (THEIRS,))
    assert refused.value.sqlstate == "PV006"
    for table in ("postings", "posted_ids", "posting_changes"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select from pgvec.{table}".encode())
    # any other policy hides rows, or may
    connection.execute("create policy hides on notes as restrictive for select using (id <> '1')")
    assert named(reader, "notes", None) is None
    connection.execute("drop policy hides on notes")
    connection.execute("alter policy read_all on notes using (length(id) > 1)")
    assert named(reader, "notes", None) is None
    assert (
        _found(reader, "notes", query)
        == [row for row in _without(connection, "notes", query, 1000) if len(row[0]) > 1][:10]
    )
    assert named(connection, "notes", None)  # its owner


NOBODYS = "00000000-0000-0000-0000-000000000000"


def _left(connection: Connection, collection: str, tenant: str) -> list[int]:
    """How many rows each table of postings has for a tenant."""
    kept = "select count(*) from pgvec.{} where collection = %s and tenant = %s"
    counts = [
        connection.execute(kept.format(table).encode(), (collection, tenant)).fetchone()
        for table in ("postings", "posted_ids", "posting_changes")
    ]
    return [count[0] for count in counts if count is not None]


@pytest.mark.parametrize(
    "done",
    [
        f"select pgvec.purge_tenant('{OURS}')",
        f"delete from shared where tenant_id = '{OURS}'; select pgvec.refresh_statistics('shared')",
        f"update shared set tenant_id = '{NOBODYS}' where tenant_id = '{OURS}';"
        " select pgvec.refresh_statistics('shared')",
    ],
    ids=["purged", "deleted", "moved"],
)
def test_nothing_stays_of_a_tenant_that_is_gone(connection: Connection, done: str) -> None:
    connection.execute("insert into shared (tenant_id, content) values (%s, %s)", (OURS, WORDS[0]))
    theirs = _left(connection, "shared", THEIRS)
    assert all(_left(connection, "shared", OURS))
    assert all(theirs[:2])
    for statement in done.split("; "):
        connection.execute(statement.encode())
    assert _left(connection, "shared", OURS) == [0, 0, 0]
    assert _left(connection, "shared", THEIRS) == theirs


def test_nothing_stays_of_rows_that_are_gone(connection: Connection) -> None:
    connection.execute("truncate shared")
    assert _left(connection, "shared", OURS) == _left(connection, "shared", THEIRS) == [0, 0, 0]
    connection.execute("delete from notes where id <> '1'")
    assert _left(connection, "notes", NOBODYS)[1] == 1
    connection.execute("select pgvec.refresh_statistics('notes')")
    assert _left(connection, "notes", NOBODYS) == [0, 0, 0]
    assert connection.execute("select posted from pgvec.collections where name = 'notes'").fetchone() == (False,)


@pytest.mark.parametrize("believed", [0, 5, 100, 50_000])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_what_the_planner_believes_of_the_words_makes_no_difference(
    connection: Connection, database: str, collection: str, believed: int
) -> None:
    """After a first load nothing tells how many there are: the rows were read for each, or each weighed for all."""
    write = (
        "select pgvec.write_postings(pgvec.collection(%s), t.tenant) from pgvec.text_totals as t where t.tenant = %s"
    )
    of = (collection, _tenant(collection) or NOBODYS)
    took = []
    for known in (True, False):
        if not known:
            believe(database, "pgvec.lexemes", believed)
        else:
            connection.execute("analyze pgvec.lexemes")
        with connection.transaction():
            began = time.perf_counter()
            connection.execute(write.encode(), of)
            took.append(time.perf_counter() - began)
            read = connection.execute(
                "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = %s",
                (collection,),
            ).fetchone()
            assert read is not None
            assert read[0] <= 4 * ROWS
    assert took[1] < 3 * took[0] + 0.1


@pytest.mark.parametrize(
    "call",
    [
        "keyword_search('wordab wordac')",
        "keyword_search('wordab wordax', fuzzy => true)",
        "keyword_search('wordab wordbx', fuzzy => true)",
        "keyword_search('wordab worda', prefix => true)",
        "suggest_completions('worda')",
        "suggest_query('wordab wordaxc')",
    ],
)
def test_words_are_looked_up_whatever_the_planner_believes_of_them(
    connection: Connection, database: str, call: str
) -> None:
    """A table that was analysed when it was nearly empty, and filled since: all words were read for each."""
    connection.execute('select pgvec.set_synonyms(\'notes\', \'{"wordab": ["wordba wordbb", "wordac"]}\')')
    believe(database, "pgvec.lexemes", 1)
    with connection.transaction():
        connection.execute(f"select * from {call}".replace(")", ", collection => 'notes')").encode())
        read = connection.execute(
            "select seq_scan, idx_scan > 0 from pg_stat_xact_user_tables where relid = 'pgvec.lexemes'::regclass"
        ).fetchone()
    assert read == (0, True)
