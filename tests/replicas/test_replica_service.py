"""The HTTP service beside a replica: reads there, writes to the primary; and what is left when the primary is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import psycopg
import pytest

import installation
from http_service import ids, problem, running, search
from pgvec_admin.api.settings import Caching, Limits, Settings
from replicated import Pair, replicated

FILL = "select pgvec.create_collection('documents', 2)"
QUESTION = {"query_embedding": [1, 2]}
ROW = {"content": "red fish", "embedding": [1, 2]}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with replicated(fill=FILL, synchronous_commit="on") as made:
        yield made


def seen(client: httpx.Client, id_: str) -> None:
    """Return when a search finds the row."""
    until = time.monotonic() + 20
    while id_ not in ids(client, **QUESTION):
        assert time.monotonic() < until, f"{id_} does not arrive"
        time.sleep(0.01)


def test_a_replica_alone_answers_searches_and_says_that_it_takes_no_writes(pair: Pair) -> None:
    with running(Settings(pair.replica.url())) as client:
        assert ids(client, **QUESTION) == []
        assert client.get("/health").json() | {"version": ""} == {
            "live": True, "ready": True, "writable": False, "version": ""
        }  # fmt: skip
        for refused in (
            client.put("/documents/x", json=ROW),
            client.post("/documents", json=ROW),
            client.delete("/documents", params={"source": "x"}),
            client.delete("/documents/x"),
        ):
            assert problem(refused) == (503, "25006")
            assert refused.headers["retry-after"] == "5"
            assert "--primary-url" in refused.json()["detail"]


@pytest.mark.parametrize("told", ["by its URL", "by several hosts"])
def test_writes_go_to_the_primary_and_reads_to_the_replica(pair: Pair, told: str) -> None:
    settings = (
        Settings(pair.replica.url(), primary=pair.primary.url())
        if told == "by its URL"
        else Settings(pair.url("prefer-standby"))
    )
    with running(settings) as client:
        assert client.get("/health").json()["writable"] is True
        assert client.put("/documents/x", json=ROW).json()["ids"] == ["x"]
        seen(client, "x")
        with psycopg.connect(pair.replica.url(), autocommit=True) as replica:  # which alone is asked
            replica.execute("select pg_wal_replay_pause()")
            try:
                assert client.delete("/documents/x").json() == {"deleted": 1}
                assert ids(client, **QUESTION) == ["x"]
            finally:
                replica.execute("select pg_wal_replay_resume()")


class _Load(threading.Thread):
    """Asks one thing after the other until it is stopped; counts the answers, and those since `mark`."""

    def __init__(self, client: httpx.Client, number: int) -> None:
        super().__init__()
        self.client, self.number = client, number
        self.stopped = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.last: list[int] = []
        self.acknowledged: list[str] = []

    def run(self) -> None:
        done = 0
        while not self.stopped.is_set():
            id_ = f"{self.number}-{done}"
            if self.number:
                status = self.client.put(f"/documents/{id_}", json=ROW).status_code
                if status == 200:
                    self.acknowledged.append(id_)
            else:
                status = self.client.post("/search", json=QUESTION | {"top_k": 1 + done % 50}).status_code
            done += 1
            self.statuses[status] += 1
            self.last.append(status)


def _wait(what: str, reached: Iterator[bool]) -> None:
    until = time.monotonic() + 60
    while not next(reached):
        assert time.monotonic() < until, what
        time.sleep(0.02)


def _all_answer(load: list[_Load], since: list[int]) -> Iterator[bool]:
    """Whether each has been answered well three times in a row since then."""
    while True:
        yield all(
            len(one.last) >= start + 3 and set(one.last[-3:]) == {200} for one, start in zip(load, since, strict=True)
        )


def test_a_search_that_stands_in_the_way_of_a_change_is_made_again(pair: Pair) -> None:
    with psycopg.connect(pair.primary.url(), autocommit=True) as primary:
        primary.execute(
            "insert into documents (id, content, embedding)"
            " select i::text, 'fish', array[1, i]::real[]::extensions.vector from generate_series(1, 3000) as i"
        )
        pair.catch_up()
        with psycopg.connect(pair.replica.url(), autocommit=True) as replica:
            replica.execute("alter system set max_standby_streaming_delay = 0")
            replica.execute("select pg_reload_conf()")
            settings = Settings(pair.replica.url(), limits=Limits(share=100), caching=Caching(answer_bytes=0))
            with running(settings) as client:
                load = [_Load(client, 0) for _ in range(2)]
                for one in load:
                    one.start()
                try:
                    _wait("no search was cancelled", _cancelled(primary, replica))
                finally:
                    for one in load:
                        one.stopped.set()
                    for one in load:
                        one.join()
            statuses = sum((one.statuses for one in load), Counter[int]())
            assert set(statuses) <= {200, 503}
            assert statuses[200] > statuses[503], "a cancelled search is not made again"
            replica.execute("alter system reset max_standby_streaming_delay")
            replica.execute("select pg_reload_conf()")
        primary.execute("truncate documents")
        pair.catch_up()


def _cancelled(primary: psycopg.Connection, replica: psycopg.Connection) -> Iterator[bool]:
    """Locks the table as an ALTER TABLE does; whether the replica has cancelled five searches for it."""
    while True:
        with primary.transaction():
            primary.execute("lock table documents in access exclusive mode")
        found = replica.execute("select sum(confl_lock) >= 5 from pg_stat_database_conflicts").fetchone()
        yield found == (True,)


def test_a_failover_during_a_load_loses_no_acknowledged_write_and_heals(pair: Pair) -> None:
    """The last of these tests: afterwards the primary is dead, and the replica is none."""
    with psycopg.connect(pair.primary.url(), autocommit=True) as primary:
        primary.execute("alter system set synchronous_standby_names = 'pgvec_replica'")
        primary.execute("select pg_reload_conf()")
    settings = Settings(pair.url("prefer-standby"), limits=Limits(requests_a_minute=0, share=100, wait_seconds=1))
    with running(settings) as client:
        load = [_Load(client, number) for number in range(4)]
        try:
            for one in load:
                one.start()
            _wait("there is no load", _all_answer(load, [20] * 4))
            with psycopg.connect(pair.replica.url(), autocommit=True) as replica:
                assert replica.execute("select pg_promote()").fetchone() == (True,)
            os.kill(pair.primary.pid, signal.SIGKILL)
            killed = [len(one.last) for one in load]
            _wait("the service does not heal", _all_answer(load, killed))
        finally:
            for one in load:
                one.stopped.set()
            for one in load:
                one.join()
        assert client.get("/health").json()["writable"] is True
        statuses = sum((one.statuses for one in load), Counter[int]())
        assert set(statuses) <= {200, 503}
        assert set(load[0].statuses) == {200}, "a search failed, although its server was there all the time"
        assert len(search(client, **QUESTION, top_k=1000)["results"]) > 3
    acknowledged = {id_ for one in load for id_ in one.acknowledged}
    with installation.connect(pair.replica.url()) as connection:
        stored = {id_ for (id_,) in connection.execute("select id from documents").fetchall()}
    assert acknowledged - stored == set()
    assert len(acknowledged) > 60
    assert pair.instance.promoted
