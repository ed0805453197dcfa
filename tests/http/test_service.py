"""The HTTP service: real requests, a real database; only OpenAI's API is a stand-in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

import installation
from conftest import Connection
from http_service import DOCUMENTS, ids, problem, running, search
from openai_server import OpenAIServer, vector_of
from pgvec_admin.api import Access, Caching, Limits, Settings
from pgvec_admin.database import Target
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.engine import index
from pgvec_admin.install import migrate
from pgvec_admin.server import embedded

KEY, OTHER_KEY = "a key of a backend", "the key of another"


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def settings(connection: Connection, database: str, openai: OpenAIServer) -> Settings:
    """Settings of a service over a collection that is bound to a model of eight dimensions."""
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
    return Settings(database, provider=ProviderOptions(base_url=openai.url, api_key="k"))


@pytest.fixture
def service(settings: Settings) -> Iterator[httpx.Client]:
    with running(settings) as client:
        yield client


@pytest.fixture
def filled(service: httpx.Client) -> httpx.Client:
    assert service.post("/documents", json=DOCUMENTS).json() == {"ids": ["nets", "pasta/1", "nudeln"], "embedded": 3}
    return service


def test_a_text_is_embedded_and_stored(service: httpx.Client, connection: Connection) -> None:
    for text in ("one", "two"):
        answer = service.post("/embed", json={"chunkId": "c", "text": text})
        assert answer.json() == {"chunkId": "c", "dimensions": 8, "model": "openai:stand-in"}
    rows = connection.execute("select id, content, embedding::text from documents").fetchall()
    assert [(id_, content) for id_, content, _ in rows] == [("c", "two")]
    np.testing.assert_allclose(json.loads(rows[0][2]), vector_of("two"), atol=1e-6)


def test_documents_are_read_replaced_and_deleted(filled: httpx.Client) -> None:
    address = "/documents/pasta/1"
    assert filled.get(address).json() == DOCUMENTS[1] | {"chunk_index": None}
    assert filled.put(address, json={"content": "Cooking rice"}).json() == {"ids": ["pasta/1"], "embedded": 1}
    assert filled.get(address).json()["content"] == "Cooking rice"
    assert filled.get(address).json()["metadata"] == DOCUMENTS[1]["metadata"]  # left out, so it stays
    assert ids(filled, query="Cooking rice", top_k=1) == ["pasta/1"]
    assert filled.delete(address).json() == {"deleted": 1}
    assert problem(filled.delete(address)) == (404, "")
    assert problem(filled.get(address)) == (404, "")
    assert filled.delete("/documents", params={"source": "b.md"}).json() == {"deleted": 1}
    assert filled.delete("/documents", params={"source": "b.md"}).json() == {"deleted": 0}
    assert ids(filled, query="anything") == ["nets"]


def test_the_same_request_twice_leaves_the_same_rows(filled: httpx.Client, connection: Connection) -> None:
    before = connection.execute("select id, content, metadata, embedding::text from documents order by id").fetchall()
    assert filled.post("/documents", json=DOCUMENTS).status_code == 200
    after = connection.execute("select id, content, metadata, embedding::text from documents order by id").fetchall()
    assert after == before


def test_an_embedding_of_ones_own_is_stored_as_it_is(service: httpx.Client, openai: OpenAIServer) -> None:
    answer = service.post("/documents", json={"content": "mine", "embedding": [1, 0, 0, 0, 0, 0, 0, 0]})
    assert answer.json()["embedded"] == 0
    assert not openai.requests
    found = search(service, query_embedding=[2, 0, 0, 0, 0, 0, 0, 0])["results"]
    assert [(row["id"], row["score"]) for row in found] == [(answer.json()["ids"][0], 1.0)]


@pytest.mark.parametrize(
    ("broken", "status", "code"),
    [
        ({"content": "poisoned"}, 422, ""),
        ({"content": "short", "embedding": [1, 2]}, 422, "PV002"),
        ({"content": "zero", "embedding": [0] * 8}, 422, "PV005"),
        ({"content": "nul \0"}, 422, "22P05"),
        ({"content": "unknown language", "language": "klingon"}, 422, "PV004"),
        ({"content": "no language", "language": "a.b.c.d"}, 422, "PV004"),
        ({"content": "no language", "language": '"'}, 422, "PV004"),
        ({"content": ""}, 422, ""),
        ({"content": "unknown key", "lang": "en"}, 422, ""),
    ],
)
def test_documents_are_stored_all_or_none(
    service: httpx.Client, openai: OpenAIServer, connection: Connection, broken: dict[str, Any], status: int, code: str
) -> None:
    openai.poison.add("poisoned")
    assert problem(service.post("/documents", json=[*DOCUMENTS, broken])) == (status, code)
    assert connection.execute("select count(*) from documents").fetchone() == (0,)


WRITES = [
    "insert into documents (content, embedding) select 'new', embedding from documents limit 1",
    "update documents set metadata = '{}' where id = 'nudeln'",
    "update documents set embedding = null where id = 'nudeln'",
    "update documents set content = 'more' where id = 'nudeln'",
    "delete from documents where id = 'nudeln'",
    "truncate documents",
    'select upsert_documents(\'[{"id": "x", "content": "y"}]\')',
    "select * from pgvec.refresh_statistics('documents')",
    """update pgvec.collections set settings = '{"ef_search": 50}'""",
]


@pytest.mark.parametrize("write", WRITES)
def test_a_kept_answer_is_good_until_something_changes(
    filled: httpx.Client, connection: Connection, write: str
) -> None:
    question = {"query": "pasta", "mode": "hybrid"}
    first = search(filled, **question)
    assert search(filled, **question) == first | {"cached": True, "took_ms": pytest.approx(0, abs=1000)}
    with psycopg.connect(connection.info.dsn) as other:
        other.execute(write.encode())
        assert search(filled, **question)["cached"], "what is not committed is nobody's to see"
        other.rollback()
        assert search(filled, **question)["cached"]
        other.execute(write.encode())
    second = search(filled, **question)
    assert second["cached"] is False
    assert second["results"] == search(filled, **question | {"top_k": 11})["results"]
    assert search(filled, **question)["cached"]


def test_other_changes_leave_kept_answers_alone(filled: httpx.Client, connection: Connection) -> None:
    search(filled, query="pasta")
    connection.execute("select pgvec.create_collection('other', 8)")
    connection.execute("insert into other (content) values ('x')")
    connection.execute("update documents set metadata = '{}' where id = 'nobody'")
    assert search(filled, query="pasta")["cached"]


def test_what_cannot_be_told_is_not_kept(filled: httpx.Client, connection: Connection) -> None:
    connection.execute("create policy mine on documents using (current_date > '2000-01-01')")
    for _ in range(2):
        assert search(filled, query="pasta")["cached"] is False


def test_answers_are_kept_up_to_a_size_and_for_a_time(settings: Settings) -> None:
    with running(replace(settings, caching=Caching(answer_bytes=2500))) as client:  # for two short ones
        client.post("/documents", json=DOCUMENTS)
        asked = ("pasta", "nets", "nets", "pasta", "rice", "pasta", "nets")
        cached = [search(client, query=query, top_k=1)["cached"] for query in asked]
        assert cached == [False, False, True, True, False, True, False]
    with running(replace(settings, caching=Caching(answer_seconds=0))) as client:
        assert [search(client, query="pasta")["cached"] for _ in range(2)] == [False, False]


def test_a_query_is_embedded_once(filled: httpx.Client, openai: OpenAIServer) -> None:
    before = len(openai.requests)
    for mode in ("vector", "hybrid", "vector"):
        search(filled, query="pasta", mode=mode)
    assert len(openai.requests) == before + 1


def test_a_collection_without_a_model_is_told_to_bind_one(service: httpx.Client, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('bare', 3)")
    answer = service.post("/documents", params={"collection": "bare"}, json={"content": "x"})
    assert problem(answer) == (422, "")
    assert "pgvec-admin embed --model" in answer.json()["detail"]
    assert ids(service, query="x", mode="keyword", collection="bare") == []


def test_an_embedding_model_that_is_gone_is_no_error_of_the_caller(service: httpx.Client, openai: OpenAIServer) -> None:
    openai.__exit__()
    answer = service.post("/search", json={"query": "x"})
    assert problem(answer) == (503, "")
    assert int(answer.headers["retry-after"]) > 0


def test_too_much_is_refused(settings: Settings) -> None:
    limits = Limits(body_bytes=2000, text_characters=50, top_k=5, documents=2)
    with running(replace(settings, limits=limits)) as client:
        assert problem(client.post("/embed", json={"chunkId": "c", "text": "x" * 51})) == (422, "")
        assert problem(client.post("/search", json={"query": "x" * 51})) == (422, "")
        assert problem(client.post("/search", json={"query": "x", "top_k": 6})) == (422, "")
        assert problem(client.post("/documents", json=[{"content": "x"}] * 3)) == (413, "")
        large = json.dumps({"query": "x" * 3000}).encode()
        headers = {"content-type": "application/json"}
        assert problem(client.post("/search", content=large, headers=headers)) == (413, "")
        in_parts = (large[start : start + 500] for start in range(0, len(large), 500))
        assert problem(client.post("/search", content=in_parts, headers=headers)) == (413, "")
        schema = client.get("/openapi.json").json()["components"]["schemas"]
        assert schema["Question"]["properties"]["top_k"]["maximum"] == 5


def test_a_caller_in_a_hurry_is_told_when_to_come_back(settings: Settings) -> None:
    with running(replace(settings, limits=Limits(requests_a_minute=3))) as client:
        answers = [client.post("/search", json={"query": "x"}) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert problem(answers[3]) == (429, "")
        assert 1 <= int(answers[3].headers["retry-after"]) <= 21
        assert client.get("/health").status_code == 200


def test_each_key_has_requests_of_its_own(settings: Settings) -> None:
    access = Access(keys=frozenset({KEY, OTHER_KEY}))
    with running(replace(settings, access=access, limits=Limits(requests_a_minute=1))) as client:
        statuses = [
            client.post("/search", json={"query": "x"}, headers={"x-api-key": key}).status_code
            for key in (KEY, KEY, OTHER_KEY, OTHER_KEY)
        ]
    assert statuses == [200, 429, 200, 429]


def test_more_requests_than_there_is_room_for_are_sent_away(settings: Settings, openai: OpenAIServer) -> None:
    held, asked = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        asked.set()
        held.wait(20)

    openai.before_answer = wait
    with running(replace(settings, limits=Limits(concurrent=1))) as client, ThreadPoolExecutor() as pool:
        first = pool.submit(search, client, query="slow")
        assert asked.wait(20)
        answer = client.post("/search", json={"query": "x"})
        assert problem(answer) == (503, "")
        assert answer.headers["retry-after"] == "1"
        assert client.get("/health").status_code == 200
        held.set()
        assert first.result()["results"] == []
        assert search(client, query="x")["results"] == []


def test_connections_are_waited_for_but_not_for_ever(settings: Settings, connection: Connection) -> None:
    limits = Limits(wait_seconds=0.2, statement_seconds=0.5)
    with running(replace(settings, connections=1, limits=limits)) as client, ThreadPoolExecutor() as pool:
        client.post("/documents", json=DOCUMENTS)
        with psycopg.connect(connection.info.dsn) as other:
            other.execute("lock table documents")
            answers = list(pool.map(lambda _: client.post("/search", json={"query": "x"}), range(2)))
        assert sorted(problem(answer) for answer in answers) == [(503, ""), (504, "57014")]
        assert len(ids(client, query="x")) == 3


@pytest.fixture
def own_server() -> Iterator[embedded.Instance]:
    """A server that the test may stop."""
    with installation.own_server() as instance:
        yield instance


def test_a_server_that_comes_back_is_found_again(own_server: embedded.Instance) -> None:
    where = own_server.start().url()
    migrate.migrate(Target(where, "the tests"), report=lambda _: None)
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 3)")
    with running(Settings(where, limits=Limits(wait_seconds=0.5))) as client:
        question = {"query_embedding": [1, 2, 3]}
        assert search(client, **question)["results"] == []
        own_server.stop()
        answer = client.post("/search", json=question)
        assert problem(answer) == (503, "")
        assert answer.headers["retry-after"]
        health = client.get("/health")
        assert (health.status_code, health.json()["live"], health.json()["ready"]) == (503, True, False)
        own_server.start()
        until = time.monotonic() + 20
        while (answer := client.post("/search", json=question)).status_code == 503:
            assert time.monotonic() < until, "the server is not found again"
        assert answer.json()["results"] == []
        assert client.get("/health").json()["ready"] is True


def test_pages_of_other_origins_call_only_where_they_may(settings: Settings) -> None:
    with running(replace(settings, origins=("https://ours.example",))) as client:
        for origin, allowed in (("https://ours.example", "https://ours.example"), ("https://theirs.example", None)):
            asked = {"origin": origin, "access-control-request-method": "POST"}
            assert client.options("/search", headers=asked).headers.get("access-control-allow-origin") == allowed
            answer = client.post("/search", json={"query": "x"}, headers={"origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_prometheus_hears_what_goes_on(settings: Settings, connection: Connection) -> None:
    with running(settings) as client:
        client.post("/documents", json=DOCUMENTS)
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select 'm' || i, 'x', array_fill(i, '{8}')::real[]::extensions.vector from generate_series(1, 200) as i"
    )
    index.create(Target(settings.conninfo, "the tests"), "documents")
    with running(settings) as client:
        for mode in ("vector", "vector", "keyword", "hybrid"):
            search(client, query="pasta", mode=mode)
        client.post("/search/pgvector", json={"query": "pasta", "distance": "l2"})
        client.post("/documents", json=DOCUMENTS)
        client.post("/search", json={"query": "x", "filter": {"$foo": 1}})
        client.get("/documents/nothing")
        client.get("/who knows")
        families = list(text_string_to_metric_families(client.get("/metrics").text))
    samples = {
        (one.name, *(value for name, value in sorted(one.labels.items()) if name != "le")): one.value
        for family in families
        for one in family.samples
    }

    def requests(method: str, endpoint: str, status: str, mode: str = "", route: str = "") -> float:
        return samples.get(("pgvec_request_seconds_count", endpoint, method, mode, route, status), 0)

    assert requests("POST", "/search", "200", "vector", "index") == 1
    assert requests("POST", "/search", "200", "vector", "cache") == 1
    assert requests("POST", "/search", "200", "keyword", "keyword") == 1
    assert sum(requests("POST", "/search", "200", "hybrid", route) for route in ("index", "exact")) == 1
    assert requests("POST", "/search/pgvector", "200", "vector", "exact") == 1
    assert requests("POST", "/search", "422") == 1
    assert requests("GET", "/documents/{id:path}", "404") == 1
    assert requests("GET", "other", "404") == 1
    assert samples["pgvec_search_results_sum", "keyword"] == 1
    assert samples["pgvec_cache_lookups_total", "answer", "hit"] == 1
    assert samples["pgvec_cache_lookups_total", "embedding", "miss"] == 2
    assert samples["pgvec_embedding_calls_total", "query", "openai:stand-in"] == 2
    assert samples["pgvec_embedding_texts_total", "passage", "openai:stand-in"] == 3
    # the two queries, and the documents
    tokens = 2 + sum(len(str(document["content"]).split()) for document in DOCUMENTS)
    assert samples["pgvec_embedding_tokens_total", "openai:stand-in"] == tokens
    assert samples["pgvec_pool", "pool_size"] >= 1
