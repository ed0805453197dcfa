"""Writes while rows are embedded: no deadlock with a worker, no failure by the queue; and clocks that differ."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

import installation
from embedding_workers import MODEL, check_rows, count, done, end, jobs, sent, start, until, watching
from installation import Connection
from openai_server import OpenAIServer
from pgvec_admin.embedding.embed import attempt
from pgvec_admin.providers import provider as make_provider

CLAIM = "select id from pgvec.claim_jobs('documents', 100)"
STORE = (
    "select pgvec.store_embeddings('documents', array_agg(i::text), array_agg(md5('text ' || i)),"
    " array_agg('[1,0,0,0,0,0,0,0]'::extensions.vector)) from unnest(%s::int[]) as i"
)


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
    connection.execute(
        "insert into documents (id, content) select i::text, 'text ' || i from generate_series(1, 20) as i"
    )
    return connection


@pytest.fixture
def application(database: str) -> Iterator[Connection]:
    """A connection of the application, which notices at once that it waits."""
    with installation.connect(database) as made:
        made.execute("set lock_timeout = '2s'")
        yield made


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], Any]], threading.Thread]]:
    """Starts functions in threads, whose errors fail the test."""
    errors: list[BaseException] = []
    threads: list[threading.Thread] = []

    def begin(act: Callable[[], Any]) -> threading.Thread:
        def work() -> None:
            try:
                act()
            except BaseException as error:
                errors.append(error)

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return threads[-1]

    yield begin
    for one in threads:
        one.join(60)
    assert errors == []


def test_a_sweep_leaves_rows_alone_that_a_transaction_is_changing(
    documents: Connection, application: Connection
) -> None:
    documents.execute("delete from pgvec.embedding_jobs")
    documents.execute("set lock_timeout = '2s'")
    with application.transaction():
        application.execute("update documents set content = 'changed' where id = '9'")
        # the sweep queues all rows but one, and waits for nobody
        assert count(documents, "select queued from pgvec.enqueue_stale('documents')") == 19
        application.execute("update documents set content = 'changed' where id = '1'")
    assert jobs(documents) == 20


def test_a_claim_waits_for_a_table_before_it_locks_the_queue(
    documents: Connection,
    application: Connection,
    database: str,
    beside: Callable[[Callable[[], Any]], threading.Thread],
) -> None:
    with installation.connect(database) as worker, application.transaction():
        application.execute("lock table documents in access exclusive mode")
        beside(lambda: worker.execute(CLAIM))
        until(
            lambda: count(documents, "select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == 1,
            "the worker waits",
        )
        application.execute("truncate documents")
        application.execute("insert into documents (id, content) values ('1', 'after')")
    until(lambda: count(documents, "select count(*) from pg_locks where not granted") == 0, "nobody waits")
    assert jobs(documents) == 1


def test_the_same_id_of_another_tenant_is_left_alone_while_it_is_locked(
    connection: Connection, application: Connection
) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, access => 'tenant', model => %s)", (MODEL,))
    connection.execute(
        "insert into documents (id, content, tenant_id)"
        " select i::text, 'text ' || i, md5(t::text)::uuid from generate_series(1, 2) as t, generate_series(1, 3) as i"
    )
    connection.execute("set lock_timeout = '2s'")
    with application.transaction():
        application.execute("select from documents where id = '2' and tenant_id = md5('2')::uuid for update")
        assert len(connection.execute(CLAIM).fetchall()) == 6
        assert connection.execute(STORE, ([1, 2, 3],)).fetchall() == [(5,)]
    assert jobs(connection) == 1  # not lost


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize(
    "statement",
    [
        "update documents set content = 'changed ' || id where id in ('3', '4')",
        "delete from documents where id in ('3', '4')",
        "insert into documents (id, content) values ('3', 'x'), ('21', 'y')"
        " on conflict (id) do update set content = excluded.content",
        "merge into documents as d"
        " using (values ('3', 'x'), ('4', null), ('22', 'z')) as n (id, content) on d.id = n.id"
        " when matched and n.content is null then delete when matched then update set content = n.content"
        " when not matched then insert (id, content) values (n.id, n.content)",
        "truncate documents",
        "update documents set id = 'new ' || id where id in ('3', '4')",
    ],
    ids=["update", "delete", "upsert", "merge", "truncate", "key"],
)
def test_statements_succeed_on_rows_that_are_claimed_meanwhile(
    documents: Connection, application: Connection, level: str, statement: str
) -> None:
    with application.transaction():
        application.execute(f"set transaction isolation level {level}".encode())
        application.execute("select 1 from documents")
        assert len(documents.execute(CLAIM).fetchall()) == 20
        application.execute(statement.encode())
    _embed(documents)
    check_rows(documents)


def test_copy_and_weak_roles_queue_rows(documents: Connection, administrator: Connection, database: str) -> None:
    administrator.execute("create role weak_writer")
    administrator.execute("grant usage on schema public to weak_writer")
    administrator.execute("grant select, insert, update, delete on documents to weak_writer")
    with installation.connect(database) as application:
        application.execute("set role weak_writer")
        with documents.cursor() as cursor, cursor.copy("copy documents (id, content) from stdin") as copy:
            for number in range(100, 200):
                copy.write_row((str(number), f"copied {number}"))
        assert jobs(documents) == 120
        administrator.execute("alter table documents enable row level security")
        administrator.execute("create policy own on documents to weak_writer using (true) with check (true)")
        application.execute("update documents set content = 'again' where id = '100'")
        application.execute("delete from documents where id = '101'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("select from pgvec.embedding_jobs")
    assert jobs(documents) == 119


def test_rows_that_replication_applies_are_found_by_a_sweep(documents: Connection, administrator: Connection) -> None:
    administrator.execute("set session_replication_role = replica")
    administrator.execute(
        "insert into documents (id, content, content_hash) values ('r', 'replicated', md5('replicated'))"
    )
    administrator.execute("update documents set content = 'other', content_hash = md5('other') where id = '3'")
    administrator.execute("delete from documents where id = '4'")
    _embed(documents)
    assert check_rows(documents) == 20


def test_a_worker_waits_for_no_session_that_kept_the_lock_of_waiting_workers(
    documents: Connection, database: str
) -> None:
    """A statement that is cancelled between taking the lock and giving it back keeps it."""
    with installation.connect(database) as session, OpenAIServer() as provider:
        session.execute("select pg_advisory_lock(pgvec.embedders_lock())")
        with watching(database, provider):
            until(lambda: jobs(documents) == 0, "embedded")
            documents.execute("insert into documents (id, content) values ('later', 'later')")
            until(lambda: jobs(documents) == 0, "embedded")


def test_a_prepared_transaction_may_write_rows(own: Any) -> None:
    with installation.connect(own) as connection, installation.connect(own) as worker:
        connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
        worker.execute("select pg_advisory_lock_shared(pgvec.embedders_lock())")
        connection.execute("begin")
        connection.execute("insert into documents (id, content) values ('1', 'one')")
        connection.execute("prepare transaction 'one'")
        connection.execute("commit prepared 'one'")
        assert jobs(connection) == 1


@pytest.fixture
def own() -> Iterator[str]:
    """A server with prepared transactions."""
    with installation.own_server(max_prepared_transactions="5") as instance:
        url = instance.start().url()
        installation.install(url)
        yield url


KINDS = {
    "side table": ("create table jobs (id {key} primary key, title text, embedding extensions.vector(8))", False),
    "added columns": ("create table jobs (id {key} primary key, title text, embedding extensions.vector(8))", True),
    "adopted halfvec": (
        "create table jobs (id {key} primary key, title text, embedding extensions.halfvec(8))",
        False,
    ),
}
STEPS = (
    "insert into {t} (id, {c}) values ({k1}, 'one'), ({k2}, 'two'), ({k3}, 'three'), ({k4}, ' ')",
    "update {t} set {c} = 'changed' where id = {k1}",
    "update {t} set id = {k5} where id = {k2}",
    "update {t} set {c} = '' where id = {k3}",
    "update {t} set {c} = 'text at last' where id = {k4}",
    "delete from {t} where id = {k1}",
    "insert into {t} (id, {c}) values ({k1}, 'one')",
    "truncate {t}",
    "insert into {t} (id, {c}) values ({k1}, 'one')",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["bigint", "text", "uuid"])
def test_every_change_of_an_adopted_table_passes_the_queue(connection: Connection, kind: str, key: str) -> None:
    create, added = KINDS[kind]
    connection.execute(create.format(key=key).encode())
    connection.execute(
        b"select pgvec.adopt_collection('documents', 'jobs', content_columns => '{title}', add_columns => %s)",
        (added,),
    )
    connection.execute("select pgvec.bind_model('documents', %s, 8)", (MODEL,))
    keys = {f"k{i}": f"md5('{i}')::uuid" if key == "uuid" else f"'{i}'" for i in range(1, 6)}
    _walk(connection, [step.format(t="jobs", c="title", **keys) for step in STEPS])


@pytest.mark.parametrize("storage", ["vector", "halfvec"])
def test_every_change_of_a_collection_passes_the_queue(connection: Connection, storage: str) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, storage => %s, model => %s)", (storage, MODEL))
    keys = {f"k{i}": f"'{i}'" for i in range(1, 6)}
    _walk(connection, [step.format(t="documents", c="content", **keys) for step in STEPS])


@pytest.mark.parametrize("partition", [None, 3])
def test_every_change_of_tenants_passes_the_queue(connection: Connection, partition: int | None) -> None:
    connection.execute(
        "select pgvec.create_collection('documents', 8, access => 'tenant', model => %s, partition => %s)",
        (MODEL, partition),
    )
    row = "md5('{}')::uuid"
    steps = [
        f"insert into documents (tenant_id, id, content) values ({row.format(1)}, 'a', 'one'),"
        f" ({row.format(2)}, 'a', 'one'), ({row.format(3)}, 'a', 'three')",
        f"update documents set content = 'changed' where id = 'a' and tenant_id = {row.format(2)}",
        f"update documents set content = 'changed' where id = 'a' and tenant_id = {row.format(1)}",
        f"update documents set id = 'b' where tenant_id = {row.format(3)}",
        f"delete from documents where id = 'a' and tenant_id = {row.format(1)}",
        f"insert into documents (tenant_id, id, content) values ({row.format(1)}, 'a', 'again')",
        "truncate documents",
    ]
    _walk(connection, steps)


def _walk(connection: Connection, steps: list[str]) -> None:
    """Each step alone, and all of them over rows that are claimed and not embedded yet."""
    for step in steps:
        connection.execute(step.encode())
        _embed(connection)
        check_rows(connection)
    for step in ["truncate " + steps[0].split()[2], *steps]:
        connection.execute(step.encode())
        connection.execute(CLAIM)
    connection.execute("update pgvec.embedding_jobs set due_at = now()")
    _embed(connection)
    check_rows(connection)


def _embed(connection: Connection) -> None:
    connection.execute("update pgvec.embedding_jobs set due_at = now()")  # the leases have ended
    with OpenAIServer() as server:
        model = make_provider(MODEL, base_url=server.url, api_key="none", dimensions=8)
        result = attempt(connection, "documents", model)
    assert (result.failed, result.stopped) == (0, None)


def test_a_look_for_stale_rows_holds_up_no_worker_that_stores(documents: Connection, application: Connection) -> None:
    assert len(documents.execute(CLAIM).fetchall()) == 20
    with application.transaction():  # a second worker, which has found nothing to claim
        found = application.execute("select queued from pgvec.enqueue_stale('documents')").fetchall()
        assert found == [(0,)]
        assert documents.execute(STORE, (list(range(1, 21)),)).fetchall() == [(20,)]


DAY = 86_400.0


def test_clocks_of_workers_that_differ_by_days_neither_free_a_lease_nor_keep_one(
    documents: Connection, database: str
) -> None:
    with OpenAIServer() as provider:
        options = ("--batch", "2")
        provider.before_answer = lambda _: time.sleep(0.3)  # so that leases of 1.5 seconds are renewed
        with (
            watching(database, provider, *options, lease=1.5, skew=-DAY),
            watching(database, provider, *options, lease=1.5, skew=DAY),
        ):
            until(lambda: done(documents), "all embedded")
        assert check_rows(documents) == 20
        assert set(sent(provider).values()) == {1}  # none was taken from the other
        documents.execute("update documents set content = content || ' again'")
        provider.before_answer = lambda texts: time.sleep(0 if texts == ["probe"] else 60)
        killed = start(database, provider, *options, lease=1.5, skew=DAY)
        until(lambda: count(documents, "select count(worker) from pgvec.embedding_jobs") > 0, "a lease")
        killed.kill()
        killed.wait(60)
        end(killed)
        provider.before_answer = None
        with watching(database, provider, *options, lease=1.5, skew=-DAY):
            until(lambda: done(documents), "all embedded")
        assert check_rows(documents) == 20
