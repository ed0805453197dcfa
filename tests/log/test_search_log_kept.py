"""The log of searches holds no search up, and is kept within bounds: locks, failures, pruning, the collector."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import search_log
from pgvec_admin.errors import CheckFailedError
from supabase_project import Project

VECTOR = "select count(*) from match_documents('[1,0,0]', 2)"
FOUND = ("match_documents", "exact", 2, 2)


def _fill(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content, metadata, embedding)"
        " select 'd' || i, 'number' || i || ' is a word', jsonb_build_object('n', i % 2),"
        " array[1, i, 0]::float4[]::extensions.vector"
        " from generate_series(1, 5) as i"
    )


@pytest.fixture
def logged(connection: Connection) -> Connection:
    """Five rows, and all searches logged."""
    _fill(connection)
    connection.execute("select pgvec.log_searches('documents', 1)")
    return connection


def _log(connection: Connection, columns: str = "function, route, requested, returned") -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from pgvec.search_log order by id".encode()).fetchall()


@contextmanager
def _locked(database: str, statement: str) -> Iterator[None]:
    """While another transaction holds a lock on the log."""
    with psycopg.connect(database) as other:
        other.execute(statement.encode())
        yield
        other.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "lock table pgvec.search_log in access exclusive mode",
        "truncate pgvec.search_log",
        "alter table pgvec.search_log add column note text",
        "create index on pgvec.search_log (function)",
        "drop view pgvec.stats; drop table pgvec.search_log",
    ],
)
def test_a_lock_on_the_log_does_not_hold_a_search_up(logged: Connection, database: str, statement: str) -> None:
    logged.execute(VECTOR)
    with _locked(database, statement):
        logged.execute("set statement_timeout = '10s'")
        assert logged.execute(VECTOR).fetchone() == (2,)
    logged.execute(VECTOR)
    assert len(_log(logged)) == 2


def test_a_search_behind_somebody_who_waits_for_the_log_does_not_wait_too(logged: Connection, database: str) -> None:
    with psycopg.connect(database) as waiter, psycopg.connect(database) as holder:
        holder.execute(VECTOR.encode())  # holds the lock of its insert until it commits
        waiting = threading.Thread(target=waiter.execute, args=("truncate pgvec.search_log",))
        waiting.start()
        pid = waiter.info.backend_pid
        blocked = "select cardinality(pg_blocking_pids(%s))"
        while logged.execute(blocked, (pid,)).fetchone() == (0,):
            assert waiting.is_alive()
        logged.execute("set statement_timeout = '10s'")
        assert logged.execute(VECTOR).fetchone() == (2,)
        holder.rollback()
        waiting.join()
        waiter.rollback()
    assert _log(logged) == []


@pytest.mark.parametrize(
    "damage",
    [
        "drop table pgvec.search_log",
        "alter table pgvec.search_log add column note text not null",
        "alter table pgvec.search_log drop column route cascade",
        "alter table pgvec.search_log add check (returned > 10)",
        "alter table pgvec.search_log alter column ms type int using ms, alter column top_score type bit using null",
        "alter function pgvec.log_search owner to pgvec_reader",
        "create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;"
        " create trigger refuse before insert on pgvec.search_log for each row execute function public.refuse()",
        "alter table pgvec.search_log set schema public",
    ],
)
def test_a_log_that_cannot_be_written_does_not_fail_a_search(
    logged: Connection, administrator: Connection, damage: str
) -> None:
    administrator.execute("drop view pgvec.stats")
    administrator.execute(damage.encode())
    for _ in range(2):
        assert logged.execute(VECTOR).fetchone() == (2,)
    found = logged.execute("select id from keyword_search('number2 word', 1)").fetchall()
    assert found == [("d2",)]


def test_a_search_that_is_cancelled_within_the_log_is_cancelled(logged: Connection) -> None:
    logged.execute(
        "create function public.doze() returns trigger language plpgsql"
        " as $$ begin perform pg_sleep(60); return new; end $$;"
        " create trigger doze before insert on pgvec.search_log for each row execute function public.doze()"
    )
    logged.execute("set statement_timeout = '200ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        logged.execute(VECTOR)


def test_rows_past_their_time_go_a_bounded_number_at_a_time(logged: Connection) -> None:
    logged.execute("select pgvec.create_collection('kept', 3)")
    logged.execute("select pgvec.log_searches('documents', 0, keep => '7 days')")
    logged.execute(
        "insert into pgvec.search_log"
        " (collection, searched_at, function, route, requested, returned, ms, filtered, sample)"
        " select c, now() - i * interval '1 day', 'match_documents', 'exact', 1, 1, 1, false, 1"
        " from unnest('{documents,kept}'::text[]) as c, generate_series(1, 20) as i"
    )
    assert [logged.execute("select pgvec.prune_search_log(5)").fetchone() for _ in range(4)] == [(5,), (5,), (4,), (0,)]
    left = logged.execute("select collection, count(*) from pgvec.search_log group by 1 order by 1").fetchall()
    assert left == [("documents", 6), ("kept", 20)]


def test_pruning_leaves_locked_rows_and_searches_go_on_beside_it(logged: Connection, database: str) -> None:
    for _ in range(3):
        logged.execute(VECTOR)
    logged.execute("update pgvec.search_log set searched_at = now() - interval '31 days'")
    with psycopg.connect(database) as other:
        assert other.execute("select pgvec.prune_search_log(2)").fetchone() == (2,)
        logged.execute("set statement_timeout = '10s'")
        assert search_log.prune(logged) == 1
        logged.execute(VECTOR)
        other.commit()
    assert _log(logged, "searched_at > now() - interval '1 day'") == [(True,)]


@pytest.mark.parametrize("end", ["pgvec.drop_collection", "pgvec.detach_collection"])
def test_a_collections_log_goes_with_it(logged: Connection, end: str) -> None:
    logged.execute(VECTOR)
    logged.execute(f"select {end}('documents')".encode())
    assert _log(logged) == []


def test_a_transaction_that_only_reads_is_logged_by_the_collector(logged: Connection, database: str) -> None:
    logged.execute("select pgvec.log_searches('documents', 1, texts => true, embeddings => true)")
    logged.execute("set default_transaction_read_only = on")
    text = "wörd 'quoted' \\ \"{}\" " * 300  # several notifications
    hybrid = "select count(*) from hybrid_search(%s, '[1,0,0]', 3)"
    assert logged.execute(hybrid, (text,)).fetchone() == (3,)
    collector = search_log.Collector(Target(database, "the test"))
    with pytest.raises(CheckFailedError, match="another listener is running"):
        search_log.Collector(Target(database, "the test"))
    with logged.transaction():
        assert logged.execute(hybrid, (text,)).fetchone() == (3,)
        assert logged.execute(hybrid, (text,)).fetchone() == (3,)
    found = collector.collect(timeout=20)
    assert [next(found), next(found)] == ["documents"] * 2
    assert {row[-1] for row in logged.execute("select * from pgvec.search_log_state()").fetchall()} == {"collected"}
    collector.close()
    columns = "function, requested, returned, query_text, query_embedding::text, sample, id > 0, ms > 0"
    assert _log(logged, columns) == [("hybrid_search", 3, 3, text[:10_000], "[1,0,0]", 1, True, True)] * 2
    state = [row[-1] for row in logged.execute("select * from pgvec.search_log_state()").fetchall()]
    assert state == ["not logged: no pgvec-admin log collect is running"]


def test_the_channel_is_told_to_nobody_and_takes_nothing_that_is_not_ours(logged: Connection, database: str) -> None:
    collector = search_log.Collector(Target(database, "the test"))
    (channel,) = logged.execute("select name from pgvec.search_channel").fetchone() or ("",)
    logged.execute("select pg_notify(%s, 'k 1 1 {\"collection\": null}')", (channel,))
    logged.execute("select pg_notify(%s, 'k 1 1 nonsense')", (channel,))
    logged.execute("select pg_notify(%s, 'gibberish')", (channel,))
    logged.execute("set default_transaction_read_only = on")
    logged.execute(VECTOR)
    assert next(collector.collect(timeout=20)) == "documents"
    collector.close()
    assert _log(logged) == [FOUND]
    assert len(channel) > 30


def test_through_the_rest_api_searches_are_logged_while_a_collector_runs(with_search: Project) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as owner:
        _fill(owner)
        owner.execute("select pgvec.log_searches('documents', 1, texts => true)")
        with_search.settle()
        calls = [
            ("match_documents", {"query_embedding": [1, 0, 0], "match_count": 2}),
            ("keyword_search", {"query_text": "word", "match_count": 3}),
            ("hybrid_search", {"query_text": "word", "query_embedding": [1, 0, 0], "match_count": 4}),
            ("match_documents_mmr", {"query_embedding": [1, 0, 0], "match_count": 5}),
        ]
        for function, arguments in calls:
            assert with_search.rpc(function, arguments).status_code == 200
        assert _log(owner) == [], "nobody collects"
        collector = search_log.Collector(Target(with_search.database, "the test"))
        for function, arguments in calls:
            assert len(with_search.rpc(function, arguments).json()) == arguments["match_count"]
        assert with_search.call("GET", "rpc/keyword_search?query_text=bird").json() == []
        found = collector.collect(timeout=20)
        assert [next(found) for _ in range(5)] == ["documents"] * 5
        collector.close()
        assert _log(owner, "function, requested, query_text") == [
            ("match_documents", 2, None),
            ("keyword_search", 3, "word"),
            ("hybrid_search", 4, "word"),
            ("match_documents", 5, None),
            ("keyword_search", 10, "bird"),
        ]
        for role in ("anon", "authenticated", "service_role"):
            owner.execute(f"set role {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute("select * from pgvec.search_log")
