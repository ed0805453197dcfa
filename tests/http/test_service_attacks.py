"""The HTTP service under attack: slow or excessive requests of one caller do not keep others from working."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from conftest import Connection
from http_service import running
from openai_server import OpenAIServer
from pgvec_admin.api import Access, Limits, Settings
from pgvec_admin.embedding.embed import ProviderOptions

OURS, THEIRS = "a key of a backend", "the key of another"
KEY = {"x-api-key": OURS}
WORDS = {"query": "pasta", "mode": "keyword"}  # needs no model


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def settings(connection: Connection, database: str, openai: OpenAIServer) -> Settings:
    """Settings of a service for two backends."""
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
    connection.execute("insert into documents (id, content) values ('pasta', 'Cooking pasta at home')")
    return Settings(
        database,
        provider=ProviderOptions(base_url=openai.url, api_key="k"),
        access=Access(keys=frozenset({OURS, THEIRS})),
    )


@contextmanager
def _wire(client: httpx.Client, sent: bytes = b"", source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A connection to the service on which this was sent."""
    address = client.base_url.host, client.base_url.port or 0
    with socket.create_connection(address, timeout=20, source_address=(source, 0)) as wire:
        if sent:
            wire.sendall(sent)
        yield wire


def _head(*fields: str, line: str = "POST /search") -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "host: 127.0.0.1", *fields, "", ""]).encode()


def _posted(key: str, length: int) -> bytes:
    return _head("content-type: application/json", f"x-api-key: {key}", f"content-length: {length}")


def _status(wire: socket.socket) -> int:
    """The status of the answer, which is read to its end; 0 where the connection is closed without one."""
    answer = b""
    try:
        while (ends := answer.find(b"\r\n\r\n")) < 0 or len(answer) < ends + 4 + _length(answer[:ends]):
            piece = wire.recv(65_536)
            if not piece:
                break
            answer += piece
    except ConnectionResetError:
        return 0
    return int(answer.split()[1]) if answer else 0


def _length(head: bytes) -> int:
    """The length of the body that a head announces."""
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, flags=re.IGNORECASE)
    return int(found[1]) if found else 0


def _found(client: httpx.Client) -> list[str]:
    answer = client.post("/search", json=WORDS, headers=KEY)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["results"]]


def test_who_sends_no_body_keeps_nobody_from_working(settings: Settings) -> None:
    limits = Limits(concurrent=4, share=100, read_seconds=2)
    with running(replace(settings, limits=limits)) as client, ExitStack() as held:
        strangers = [held.enter_context(_wire(client, _posted("nobody's", 100))) for _ in range(8)]
        callers = [held.enter_context(_wire(client, _posted(THEIRS, 100) + b'{"query"')) for _ in range(8)]
        assert [_status(wire) for wire in strangers] == [401] * 8  # before anything of a body is there
        assert _found(client) == ["pasta"]
        assert [_status(wire) for wire in callers] == [408] * 8


def test_a_caller_has_a_share_of_the_requests_at_once(settings: Settings, openai: OpenAIServer) -> None:
    held, asked = threading.Event(), threading.Semaphore(0)

    def wait(_: object) -> None:
        asked.release()
        held.wait(20)

    openai.before_answer = wait
    limits = Limits(concurrent=8, wait_seconds=0.2)
    with running(replace(settings, limits=limits)) as client, ThreadPoolExecutor() as pool:

        def ask(query: str) -> int:
            return client.post("/search", json={"query": query}, headers={"x-api-key": THEIRS}).status_code

        slow = [pool.submit(ask, query) for query in ("one", "two")]
        assert all(asked.acquire(timeout=20) for _ in slow)
        refused = client.post("/search", json=WORDS, headers={"x-api-key": THEIRS})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert _found(client) == ["pasta"]
        held.set()
        assert [one.result() for one in slow] == [200, 200]
        assert ask("one") == 200


def test_a_caller_beyond_its_share_waits_for_its_own(settings: Settings) -> None:
    with running(replace(settings, limits=Limits(concurrent=8))) as client, ThreadPoolExecutor(8) as pool:
        assert all(found == ["pasta"] for found in pool.map(lambda _: _found(client), range(80)))


def test_a_caller_has_a_share_of_the_connections(settings: Settings, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('other', 8)")
    limits = Limits(wait_seconds=0.2, statement_seconds=5)
    with running(replace(settings, connections=4, limits=limits)) as client, ThreadPoolExecutor() as pool:
        assert _found(client) == ["pasta"]

        def ask(collection: str, key: str) -> int:
            question = WORDS | {"collection": collection}
            return client.post("/search", json=question, headers={"x-api-key": key}).status_code

        with psycopg.connect(connection.info.dsn) as other:
            other.execute("lock table documents")
            slow = pool.submit(ask, "documents", THEIRS)
            waiting = (
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            until = time.monotonic() + 20
            while connection.execute(waiting).fetchone() != (1,):
                assert time.monotonic() < until
            assert ask("other", THEIRS) == 429
            assert ask("other", OURS) == 200
        assert slow.result() == 200


def test_bodies_that_arrive_are_counted_by_caller(settings: Settings) -> None:
    limits = Limits(body_bytes=10_000, concurrent=4, read_seconds=2)  # 40,000 bytes, of one caller 10,000
    part = b"x" * 9000
    with running(replace(settings, limits=limits)) as client, ExitStack() as held:
        wires = [held.enter_context(_wire(client, _posted(THEIRS, 9001) + part)) for _ in range(3)]
        assert _found(client) == ["pasta"]
        assert sorted(_status(wire) for wire in wires) == [408, 429, 429]


CHUNKED = _head("x-api-key: " + OURS, "transfer-encoding: chunked")
LARGE = b"x" * 8_000_000
HEADS = {
    "a field": _head("x: " + "x" * 40_000),
    "a field without an end": _head()[:-2] + b"x: " + LARGE,
    "the name of a field without an end": _head()[:-2] + LARGE,
    "fields": _head(*(f"x{number}: 1" for number in range(200))),
    "empty fields": _head(*["a:"] * 50_000),
    "fields of 40,000 bytes": _head(*["x: " + "x" * 997] * 40),
    "an address": _head(line="GET /" + "x" * 40_000),
    "an address without an end": b"GET /" + LARGE,
    "a trailer": CHUNKED + b"0\r\nx: " + b"x" * 40_000 + b"\r\n\r\n",
    "trailers": CHUNKED + b"0\r\n" + b"a: b\r\n" * 5000,
    "a trailer without an end": CHUNKED + b"0\r\nx: " + LARGE,
    "an extension of a chunk": CHUNKED + b"1;x=" + LARGE,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_the_head_of_a_request_has_a_limit(settings: Settings, head: bytes) -> None:
    with running(settings) as client:
        with _wire(client) as wire:
            try:
                wire.sendall(head)
                told = [_status(wire)]
                told.append(_status(wire))
            except (BrokenPipeError, ConnectionResetError):
                told = [431, 0]  # it was closed before all was sent
        assert told[0] in (431, 0)
        assert told[1] == 0
        assert client.post("/search", json=WORDS, headers=KEY | {"x-long": "x" * 20_000}).status_code == 200


def test_too_large_a_head_is_told(settings: Settings) -> None:
    with running(settings) as client:
        answer = client.get("/health", headers={"x": "x" * 40_000})
    assert (answer.status_code, answer.headers["content-type"]) == (431, "application/problem+json")
    assert answer.json()["title"] == "the head of a request has at most 32,768 bytes in 100 fields"


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"POST", _head()[:-2], _head("x: y")[:-4]])
def test_a_connection_that_says_nothing_is_closed(settings: Settings, sent: bytes) -> None:
    with running(replace(settings, limits=Limits(read_seconds=0.5))) as client, _wire(client, sent) as wire:
        assert wire.recv(1000) == b""


def test_a_head_by_the_byte_is_not_waited_for(settings: Settings) -> None:
    with running(replace(settings, limits=Limits(read_seconds=0.5))) as client, _wire(client) as wire:
        wire.settimeout(0.05)
        until = time.monotonic() + 20
        while True:
            assert time.monotonic() < until, "it is waited for"
            try:
                wire.sendall(b"x")
                if wire.recv(1000) == b"":
                    break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break


@pytest.mark.parametrize(("proxies", "most"), [((), 4), (("127.0.0.2",), 8)])
def test_where_connections_are_too_many_the_one_that_waited_longest_goes(
    settings: Settings, proxies: tuple[str, ...], most: int
) -> None:
    """An address beyond its share loses one of its own connections; so stalled ones keep nobody else out."""
    limits = Limits(sockets=9, share=50)
    with running(replace(settings, limits=limits, proxies=proxies)) as client, ExitStack() as held:
        assert _found(client) == ["pasta"]  # by a kept-alive connection
        asked = _head(line="GET /health")
        wires = [held.enter_context(_wire(client, asked, "127.0.0.2")) for _ in range(most)]
        assert [_status(wire) for wire in wires] == [200] * most
        for wire in wires[1:]:  # they go on, and so the first has waited longest
            wire.sendall(asked)
            assert _status(wire) == 200
        assert _found(client) == ["pasta"]
        new = held.enter_context(_wire(client, asked, "127.0.0.2"))
        assert _status(new) == 200
        assert _status(wires[0]) == 0
        for wire in wires[1:]:
            wire.sendall(asked)
            assert _status(wire) == 200
        assert _found(client) == ["pasta"]


def test_a_connection_of_a_caller_outlasts_those_of_strangers(settings: Settings) -> None:
    """Even if all of them come from one address."""
    asked = _posted(OURS, 0).replace(b"POST /search", b"GET /documents/pasta")
    with running(replace(settings, limits=Limits(sockets=4, share=100))) as client, ExitStack() as held:
        callers = [held.enter_context(_wire(client, asked)) for _ in range(2)]
        assert [_status(wire) for wire in callers] == [200, 200]
        for _ in range(20):
            assert _status(held.enter_context(_wire(client, _head(line="GET /health")))) == 200
        for wire in callers:
            wire.sendall(asked)
            assert _status(wire) == 200


def test_a_connection_that_is_worked_for_stays(settings: Settings, openai: OpenAIServer) -> None:
    held, asked = threading.Event(), threading.Semaphore(0)

    def wait(_: object) -> None:
        asked.release()
        held.wait(20)

    openai.before_answer = wait
    with running(replace(settings, limits=Limits(sockets=2, share=100))) as client, ThreadPoolExecutor() as pool:

        def ask(query: str) -> int:
            return httpx.post(f"{client.base_url}/search", json={"query": query}, headers=KEY, timeout=30).status_code

        slow = [pool.submit(ask, query) for query in ("one", "two")]
        assert all(asked.acquire(timeout=20) for _ in slow)
        assert client.get("/health").status_code == 503
        held.set()
        assert [one.result() for one in slow] == [200, 200]


def test_who_does_not_read_an_answer_is_let_go(settings: Settings) -> None:
    """Three megabytes fit nowhere on the way, so the service would hold them for as long as the client likes."""
    limits = Limits(sockets=1, share=100, read_seconds=0.5)
    asked = _posted(OURS, 0).replace(b"POST /search", b"GET /docs/static/swagger-ui-bundle.js") * 8
    with running(replace(settings, limits=limits)) as client, _wire(client, asked):
        until = time.monotonic() + 20
        while client.get("/health", headers={"connection": "close"}).status_code == 503:
            assert time.monotonic() < until, "it is waited for"


def test_requests_before_the_first_answer_are_few(settings: Settings) -> None:
    with running(settings) as client, _wire(client, _head(line="GET /health") * 1000) as wire:
        told = b""
        while part := wire.recv(65_536):
            told += part
    assert 1 <= told.count(b"HTTP/1.1 ") < 100


def test_who_leaves_in_the_middle_is_no_error(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    access = replace(settings.access, metrics_key="a key for Prometheus")
    with running(replace(settings, access=access)) as client:
        for path in ("POST /search", "POST /documents", "PUT /documents/x", "POST /embed"):
            with _wire(client, _posted(OURS, 100).replace(b"POST /search", path.encode()) + b'{"query"'):
                pass
        left = 'endpoint="other",method="POST",mode="",route="",status="499"} 3.0'
        until = time.monotonic() + 20
        scraper = {"authorization": "Bearer a key for Prometheus"}
        while left not in client.get("/metrics", headers=scraper).text:
            assert time.monotonic() < until, client.get("/metrics", headers=scraper).text
        assert _found(client) == ["pasta"]
    assert [record.getMessage() for record in caplog.records] == []


def _nested(levels: int) -> dict[str, Any]:
    return json.loads('{"a":' * levels + "1" + "}" * levels)  # type: ignore[no-any-return]


DEPTHS = [1, 60, 64, 65, 100, 198, 199, 200, 201, 202, *range(245, 262), 300, 500, 900]


def test_what_is_nested_too_deeply_is_no_error_of_the_service(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with running(settings) as client:

        def statuses(levels: int) -> list[int]:
            document = {"id": "deep", "content": "x", "embedding": [1] * 8, "metadata": _nested(levels)}
            bare = {name: value for name, value in document.items() if name != "id"}
            listed = {"content": "x", "embedding": [1] * 8, "metadata": {"a": [[_nested(levels)]]}}
            return [
                client.post("/documents", json=document, headers=KEY).status_code,
                client.post("/documents", json=[document], headers=KEY).status_code,
                client.post("/documents", json=listed, headers=KEY).status_code,
                client.put("/documents/deep", json=bare, headers=KEY).status_code,
                client.post("/search", json=WORDS | {"filter": _nested(levels)}, headers=KEY).status_code,
                client.post("/search", json={"query": _nested(levels)}, headers=KEY).status_code,
            ]

        told = {levels: statuses(levels) for levels in DEPTHS}
        assert client.get("/documents/deep", headers=KEY).json()["metadata"] == _nested(200)
    assert {status for found in told.values() for status in found} == {200, 422}
    assert [levels for levels, found in told.items() if found[0] == found[1] == found[3] == 200] == [
        levels for levels in DEPTHS if levels <= 200
    ]
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
