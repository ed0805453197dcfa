"""Workers that are killed, cut off and told to stop, among an application that writes: no row is lost, none is charged.

With PGVEC_TEST_FULL=1 there are more kills.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import installation
from embedding_workers import (
    MODEL,
    check_locks,
    check_rows,
    count,
    done,
    end,
    jobs,
    sent,
    start,
    until,
    waiting,
    watching,
)
from installation import Connection
from openai_server import Fault, OpenAIServer
from pgvec_admin.server.embedded_system import is_postmaster
from properties import FULL

KILLS = 12 if FULL else 2
RESTARTS = 6 if FULL else 1
CUTS = 6 if FULL else 2
BATCH, CONCURRENCY = 10, 2


@pytest.fixture
def provider() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def documents(connection: Connection) -> Connection:
    """A collection of 8 dimensions, bound to the provider's model."""
    connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
    return connection


def _fill(connection: Connection, first: int, last: int) -> None:
    connection.execute(
        "insert into documents (id, content) select i::text, 'text ' || i from generate_series(%s::int, %s) as i",
        (first, last),
    )


def _on_request(provider: OpenAIServer, number: int, act: Any) -> None:
    """Act once, while so many requests from now are being answered."""
    left = [number]

    def before(texts: list[str]) -> None:
        if texts == ["probe"]:
            return
        left[0] -= 1
        if left[0] == 0:
            act()

    provider.before_answer = before


def test_a_worker_that_is_killed_loses_no_row(documents: Connection, database: str, provider: OpenAIServer) -> None:
    options = ("--batch", str(BATCH), "--concurrency", str(CONCURRENCY))
    for kill in range(KILLS):
        _fill(documents, 100 * kill, 100 * kill + 99)
        worker = start(database, provider, *options)
        _on_request(provider, 2 + kill % 4, worker.kill)
        worker.wait(60)
        end(worker)
        assert worker.returncode == -signal.SIGKILL
        provider.before_answer = None
    assert jobs(documents) > 0
    with watching(database, provider, *options):
        until(lambda: done(documents), "all embedded")
    assert check_rows(documents) == 100 * KILLS
    check_locks(documents)
    twice = sent(provider).total() - 100 * KILLS
    assert 0 < twice <= KILLS * BATCH * (CONCURRENCY + 1)  # asked, or answered and not yet stored
    assert max(sent(provider).values()) <= 1 + KILLS
    assert count(documents, "select coalesce(max(attempts), 0) from pgvec.embedding_jobs") == 0


@pytest.fixture(scope="module")
def own() -> Iterator[Any]:
    """A server for this module alone, which it may kill."""
    with installation.own_server(synchronous_commit="on") as instance:
        url = instance.start().url()
        installation.install(url)
        yield instance


def test_a_worker_reconnects_after_the_server_has_crashed(own: Any, provider: OpenAIServer) -> None:
    url = own.status().url()
    with installation.connect(url) as connection:
        connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
    with watching(url, provider, "--batch", "20") as worker:
        for restart in range(RESTARTS):
            pid = own.status().pid
            _on_request(provider, 2, lambda: _crash(own))
            with installation.connect(url) as connection:
                _fill(connection, 200 * restart, 200 * restart + 199)
            until(lambda gone=pid: not is_postmaster(gone, own.data), "the end of the server")  # type: ignore[misc]
            own.start()
            until(lambda: _done(url), "all embedded")
    assert worker.returncode == 0
    with installation.connect(url) as connection:
        assert check_rows(connection) == 200 * RESTARTS
        check_locks(connection)
    twice = sent(provider).total() - 200 * RESTARTS
    assert twice <= 40 * RESTARTS


def _done(url: str) -> bool:
    with installation.connect(url) as connection:
        return done(connection)


def _crash(own: Any) -> None:
    pid = own.status().pid
    os.kill(pid, signal.SIGQUIT)  # as pg_ctl stop -m immediate
    until(lambda: not is_postmaster(pid, own.data), "the end of the server")


def test_a_worker_whose_connection_is_terminated_connects_again(
    documents: Connection, administrator: Connection, database: str, provider: OpenAIServer
) -> None:
    def cut() -> None:
        administrator.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'pgvec-admin' and datname = current_database()"
        )

    with watching(database, provider, "--batch", "20"):
        for round_ in range(CUTS):
            _on_request(provider, 2, cut)
            _fill(documents, 100 * round_, 100 * round_ + 99)
            until(lambda: done(documents), "all embedded")
        until(lambda: waiting(documents), "the worker waits")
        cut()  # while it waits
        until(lambda: not waiting(documents), "the connection has ended")
        _fill(documents, 5000, 5009)
        until(lambda: done(documents), "all embedded")
    assert check_rows(documents) == 100 * CUTS + 10
    check_locks(documents)
    assert sent(provider).total() - (100 * CUTS + 10) <= 20 * CUTS


def test_workers_among_writers_embed_each_row_for_its_present_text(
    documents: Connection, database: str, provider: OpenAIServer
) -> None:
    provider.before_answer = lambda _: time.sleep(0.05)
    errors: list[BaseException] = []
    written: set[str] = {f"text {i}" for i in range(1, 1001)}
    workers = [start(database, provider, "--batch", "25", "--concurrency", "2") for _ in range(3)]
    until(lambda: waiting(documents, 3), "all workers wait")
    _fill(documents, 1, 1000)

    def write(seed: int) -> None:
        drawn = random.Random(seed)
        try:
            with installation.connect(database) as mine:
                for turn in range(60):
                    with mine.transaction():  # each writer has rows of its own, in any order
                        for _ in range(drawn.randint(1, 6)):
                            row = str(drawn.randrange(seed, 1200, 3))
                            text = f"writer {seed} turn {turn} row {row}"
                            written.add(text)
                            mine.execute(
                                drawn.choice(
                                    [
                                        "update documents set content = %(text)s where id = %(row)s",
                                        "delete from documents where id = %(row)s and %(text)s > ''",
                                        "insert into documents (id, content) values (%(row)s, %(text)s)"
                                        " on conflict (id) do update set content = excluded.content",
                                    ]
                                ),
                                {"row": row, "text": text},
                            )
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert errors == []  # no deadlock, no failure of a writer
    until(lambda: done(documents), "all embedded")
    printed = [line for worker in workers for line in end(worker)]
    assert [worker.returncode for worker in workers] == [0] * 3
    assert [line["error"] for line in printed if line["error"]] == []
    check_rows(documents)
    check_locks(documents)
    assert sent(provider).keys() <= written
    doubled = [text for text, times in sent(provider).items() if times > 1]
    # a row that was locked while its vector came is embedded again
    assert len(doubled) <= 100, f"{len(doubled)} texts were sent twice"


def test_a_lease_is_extended_while_the_provider_answers(
    documents: Connection, database: str, provider: OpenAIServer
) -> None:
    _fill(documents, 1, 20)
    provider.before_answer = lambda _: time.sleep(1.5)
    with watching(database, provider, lease=0.6), watching(database, provider, lease=0.6):
        until(lambda: done(documents), "all embedded")
    assert check_rows(documents) == 20
    assert max(sent(provider).values()) == 1


def test_a_worker_that_was_stopped_for_longer_than_its_lease_does_no_harm(
    documents: Connection, database: str, provider: OpenAIServer
) -> None:
    _fill(documents, 1, 20)
    first = start(database, provider, lease=0.3)
    _on_request(provider, 1, lambda: first.send_signal(signal.SIGSTOP))
    until(lambda: len(sent(provider)) == 20, "asked by the first")
    with watching(database, provider, poll=0.5):
        until(lambda: done(documents), "embedded by the second")
        documents.execute("update documents set content = 'another text' where id = '7'")
        first.send_signal(signal.SIGCONT)
        until(lambda: done(documents), "all embedded")
        until(lambda: waiting(documents), "the worker waits")
    end(first)
    assert first.returncode == 0
    assert check_rows(documents) == 20
    assert max(sent(provider).values()) == 2
    check_locks(documents)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_worker_once_what_is_asked_is_stored(
    documents: Connection, database: str, provider: OpenAIServer, number: signal.Signals
) -> None:
    _fill(documents, 1, 100)
    worker = start(database, provider, "--batch", "10", "--concurrency", "2")

    def tell() -> None:
        worker.send_signal(number)
        time.sleep(0.3)

    _on_request(provider, 3, tell)
    worker.communicate(timeout=60)
    assert worker.returncode == 0
    asked = sent(provider).total()
    assert 30 <= asked <= 60
    assert count(documents, "select count(*) from documents where embedding is not null") == asked
    assert jobs(documents) == 100 - asked
    assert count(documents, "select count(*) from pgvec.embedding_jobs where worker is not null") == 0
    assert count(documents, "select count(*) from pgvec.embedding_jobs where due_at > clock_timestamp()") == 0
    check_locks(documents)


def test_a_second_signal_ends_a_worker_at_once(documents: Connection, database: str, provider: OpenAIServer) -> None:
    _fill(documents, 1, 10)
    provider.behave = lambda texts, _: Fault(hang=True) if texts != ["probe"] else None
    worker = start(database, provider)
    until(lambda: len(sent(provider)) == 10, "asked")
    worker.send_signal(signal.SIGTERM)
    with pytest.raises(Exception, match="timed out"):
        worker.wait(1)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=20)
    assert worker.returncode == 130
    assert count(documents, "select count(*) from pgvec.embedding_jobs where worker is null") == 10
    check_locks(documents)


def test_a_notification_wakes_a_worker_and_a_sweep_finds_what_no_trigger_has_seen(
    documents: Connection, administrator: Connection, database: str, provider: OpenAIServer
) -> None:
    with watching(database, provider, poll=2):
        until(lambda: waiting(documents), "the worker waits")
        took = []
        for number in range(3):
            began = time.monotonic()
            _fill(documents, number, number)
            until(lambda: done(documents), "embedded")
            took.append(time.monotonic() - began)
        assert min(took) < 1  # below the two seconds; the least, as the machine may be busy
        administrator.execute("set session_replication_role = replica")
        administrator.execute(
            "insert into documents (id, content, content_hash) values ('quiet', 'no trigger', md5('no trigger'))"
        )
        assert jobs(documents) == 0
        administrator.execute("update pgvec.embedding_queues set swept_at = '-infinity'")  # half a minute later
        until(lambda: done(documents), "found")
    assert check_rows(documents) == 4


@pytest.mark.parametrize("kind", ["rate limit", "dead"])
def test_a_provider_that_fails_for_all_charges_no_row(
    documents: Connection, database: str, provider: OpenAIServer, kind: str
) -> None:
    broken = threading.Event()
    broken.set()
    fault = Fault(status=429, headers={"Retry-After": "600"}) if kind == "rate limit" else Fault(drop=True)

    def behave(texts: list[str], _: Any) -> Fault | None:
        # a limit of tokens lets a single word through
        return fault if broken.is_set() and (kind == "dead" or texts != ["probe"]) else None

    provider.behave = behave
    _fill(documents, 1, 30)
    with watching(database, provider, "--batch", "10"):
        until(lambda: len(provider.requests) >= 4, "tried more than once")
        assert count(documents, "select max(attempts) from pgvec.embedding_jobs") == 0
        assert jobs(documents) == 30
        broken.clear()
        until(lambda: done(documents), "all embedded")
    assert check_rows(documents) == 30


def test_a_row_that_fails_is_charged_alone_until_it_is_dead(
    documents: Connection, database: str, provider: OpenAIServer
) -> None:
    provider.poison = {"text 5", "text 6"}
    _fill(documents, 1, 20)
    with watching(database, provider, poll=0.3):
        for failures in range(1, 6):
            at_least = f"select (sum(attempts) = {2 * failures})::int from pgvec.embedding_jobs"
            until(lambda said=at_least: count(documents, said) == 1, f"failed {failures} times")  # type: ignore[misc]
            assert jobs(documents) == 2
            documents.execute("update pgvec.embedding_jobs set due_at = now() where due_at < 'infinity'")
        assert count(documents, "select dead from pgvec.embedding_status('documents')") == 2
        documents.execute("update documents set content = 'another' where id = '5'")
        until(lambda: jobs(documents) == 1, "the other text is embedded")
        assert count(documents, "select dead from pgvec.embedding_status('documents')") == 1
    provider.poison = set()
    with watching(database, provider, "--retry-dead"):
        until(lambda: done(documents), "all embedded")
    assert check_rows(documents) == 20


def test_a_conflict_while_vectors_are_stored_costs_no_second_request(
    documents: Connection, database: str, provider: OpenAIServer
) -> None:
    """A deadlock, a serialization failure or a timeout of a lock is another transaction's: the vectors are at hand."""
    states = "(array['40P01', '40001', '55P03'])"
    documents.execute("create sequence refused")
    documents.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        " if new.embedding is not null and nextval('public.refused') <= 4 then raise exception using"
        f" errcode = {states}[currval('public.refused') % 3 + 1], message = 'in the way'; end if; return new; end $$"
    )
    documents.execute("create trigger refuse before update on documents for each row execute function refuse()")
    _fill(documents, 1, 40)
    worker = start(database, provider, "--batch", "10", "--concurrency", "2")
    until(lambda: done(documents), "all embedded")
    printed = end(worker)
    assert worker.returncode == 0
    assert [line["error"] for line in printed if line["error"]] == []
    assert check_rows(documents) == 40
    assert count(documents, "select last_value from refused") > 4
    assert set(sent(provider).values()) == {1}


def test_a_table_that_is_locked_for_a_while_costs_no_second_request(
    documents: Connection, administrator: Connection, database: str, provider: OpenAIServer
) -> None:
    administrator.execute(f"alter database \"{documents.info.dbname}\" set lock_timeout = '50ms'".encode())
    _fill(documents, 1, 60)
    released: list[threading.Timer] = []

    def lock() -> None:
        other = installation.connect(database)
        other.execute("set lock_timeout = 0")
        other.execute("begin")
        other.execute("lock table documents in access exclusive mode")
        timer = threading.Timer(1.5, other.close)
        timer.start()
        released.append(timer)

    _on_request(provider, 2, lock)
    with watching(database, provider, "--batch", "10", "--concurrency", "2") as worker:
        until(lambda: bool(released), "the table is locked")
        released[0].join()
        until(lambda: done(documents), "all embedded")
        printed = end(worker)
    assert [line["error"] for line in printed if line["error"]] == []
    assert check_rows(documents) == 60
    assert set(sent(provider).values()) == {1}
