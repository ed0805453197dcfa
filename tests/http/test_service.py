"""The HTTP service: real requests, a real database; only OpenAI's API is a stand-in."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import numpy as np
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import make_conninfo

import installation
from conftest import Connection
from http_service import running
from openai_server import OpenAIServer, vector_of
from pgvec_admin.api import Access, Caching, Limits, Settings
from pgvec_admin.database import Target
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.engine import index
from pgvec_admin.install import migrate
from pgvec_admin.server import embedded
from supabase_project import SECRET, Project, token

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
KEY, OTHER_KEY = "a key of a backend", "the key of another"
DOCUMENTS = [
    {"id": "nets", "content": "How neural networks learn", "metadata": {"lang": "en", "year": 2021}, "source": "a.md"},
    {"id": "pasta/1", "content": "Cooking pasta at home", "metadata": {"lang": "en", "year": 2019}, "source": "b.md"},
    {"id": "nudeln", "content": "Nudeln kochen", "metadata": {"lang": "de"}, "source": "b.md"},
]


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


def _search(client: httpx.Client, **question: Any) -> dict[str, Any]:
    answer = client.post("/search", json=question)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _ids(client: httpx.Client, **question: Any) -> list[str]:
    return [row["id"] for row in _search(client, **question)["results"]]


def _problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert not re.search(r"select |Traceback|psycopg", answer.text)
    return answer.status_code, told.get("code", "")


def test_a_search_by_a_text_finds_what_is_nearest_to_its_vector(filled: httpx.Client, openai: OpenAIServer) -> None:
    openai.vectors["explain neural networks"] = vector_of("How neural networks learn").tolist()
    found = _search(filled, query="explain neural networks", top_k=2, filter={"lang": "en"})
    assert [row["id"] for row in found["results"]] == ["nets", "pasta/1"]
    assert found["results"][0] == {
        "id": "nets",
        "content": "How neural networks learn",
        "metadata": {"lang": "en", "year": 2021},
        "score": pytest.approx(1.0),
    }
    assert found["cached"] is False
    assert _ids(filled, query="explain neural networks", min_score=0.99) == ["nets"]
    assert _ids(filled, query_embedding=vector_of("Nudeln kochen").tolist(), top_k=1) == ["nudeln"]


@pytest.mark.parametrize("mode", ["vector", "keyword", "hybrid"])
def test_each_mode_is_a_function_of_the_database(
    filled: httpx.Client, connection: Connection, openai: OpenAIServer, mode: str
) -> None:
    openai.vectors["pasta networks"] = vector_of("anything").tolist()
    vector = json.dumps(openai.vectors["pasta networks"])
    call, arguments = {
        "vector": ("select id, similarity from match_documents(%s, 3)", (vector,)),
        "keyword": ("select id, score from keyword_search('pasta networks', 3)", ()),
        "hybrid": ("select id, score from hybrid_search('pasta networks', %s, 3)", (vector,)),
    }[mode]
    wanted = connection.execute(call.encode(), arguments).fetchall()
    rows = _search(filled, query="pasta networks", mode=mode, top_k=3)["results"]
    assert [(row["id"], pytest.approx(row["score"])) for row in rows] == wanted
    assert len(rows) == (2 if mode == "keyword" else 3)
    least = rows[0]["score"]
    above = [row["id"] for row in rows if row["score"] >= least]
    assert _ids(filled, query="pasta networks", mode=mode, top_k=3, min_score=least) == above


@pytest.mark.parametrize("fusion", ["rrf", "dbsf", "minmax", "weighted"])
def test_fusion_is_passed_on(filled: httpx.Client, connection: Connection, fusion: str) -> None:
    vector = json.dumps(vector_of("pasta").tolist())
    call = "select id, score from hybrid_search('pasta', %s, fusion => %s)"
    wanted = connection.execute(call.encode(), (vector, fusion)).fetchall()
    rows = _search(filled, query="pasta", mode="hybrid", fusion=fusion)["results"]
    assert [(row["id"], pytest.approx(row["score"])) for row in rows] == wanted


@pytest.mark.parametrize("mode", ["vector", "keyword", "hybrid"])
def test_headlines_mark_the_words(filled: httpx.Client, mode: str) -> None:
    headlines = {
        row["id"]: row["headline"] for row in _search(filled, query="pasta", mode=mode, highlight=True)["results"]
    }
    assert headlines["pasta/1"] == "Cooking <mark>pasta</mark> at home"
    assert "headline" not in _search(filled, query="pasta", mode=mode)["results"][0]


@pytest.mark.parametrize(("distance", "operator"), [("cosine", "<=>"), ("l2", "<->"), ("inner_product", "<#>")])
def test_distances_are_those_of_pgvector(
    filled: httpx.Client, connection: Connection, distance: str, operator: str
) -> None:
    vector = json.dumps(vector_of("pasta").tolist())
    nearest = (
        f"select id, embedding operator(extensions.{operator}) %s::extensions.vector as d from documents order by d"
    )
    wanted = connection.execute(f"{nearest} limit 2".encode(), (vector,)).fetchall()
    answer = filled.post("/search/pgvector", json={"query": "pasta", "limit": 2, "distance": distance})
    found = [(row["chunkId"], row["score"]) for row in answer.json()["results"]]
    assert found == [(id_, pytest.approx(score, abs=1e-6)) for id_, score in wanted]


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
    assert _ids(filled, query="Cooking rice", top_k=1) == ["pasta/1"]
    assert filled.delete(address).json() == {"deleted": 1}
    assert _problem(filled.delete(address)) == (404, "")
    assert _problem(filled.get(address)) == (404, "")
    assert filled.delete("/documents", params={"source": "b.md"}).json() == {"deleted": 1}
    assert filled.delete("/documents", params={"source": "b.md"}).json() == {"deleted": 0}
    assert _ids(filled, query="anything") == ["nets"]


def test_the_same_request_twice_leaves_the_same_rows(filled: httpx.Client, connection: Connection) -> None:
    before = connection.execute("select id, content, metadata, embedding::text from documents order by id").fetchall()
    assert filled.post("/documents", json=DOCUMENTS).status_code == 200
    after = connection.execute("select id, content, metadata, embedding::text from documents order by id").fetchall()
    assert after == before


def test_an_embedding_of_ones_own_is_stored_as_it_is(service: httpx.Client, openai: OpenAIServer) -> None:
    answer = service.post("/documents", json={"content": "mine", "embedding": [1, 0, 0, 0, 0, 0, 0, 0]})
    assert answer.json()["embedded"] == 0
    assert not openai.requests
    found = _search(service, query_embedding=[2, 0, 0, 0, 0, 0, 0, 0])["results"]
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
    assert _problem(service.post("/documents", json=[*DOCUMENTS, broken])) == (status, code)
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
    first = _search(filled, **question)
    assert _search(filled, **question) == first | {"cached": True, "took_ms": pytest.approx(0, abs=1000)}
    with psycopg.connect(connection.info.dsn) as other:
        other.execute(write.encode())
        assert _search(filled, **question)["cached"], "what is not committed is nobody's to see"
        other.rollback()
        assert _search(filled, **question)["cached"]
        other.execute(write.encode())
    second = _search(filled, **question)
    assert second["cached"] is False
    assert second["results"] == _search(filled, **question | {"top_k": 11})["results"]
    assert _search(filled, **question)["cached"]


def test_other_changes_leave_kept_answers_alone(filled: httpx.Client, connection: Connection) -> None:
    _search(filled, query="pasta")
    connection.execute("select pgvec.create_collection('other', 8)")
    connection.execute("insert into other (content) values ('x')")
    connection.execute("update documents set metadata = '{}' where id = 'nobody'")
    assert _search(filled, query="pasta")["cached"]


def test_what_cannot_be_told_is_not_kept(filled: httpx.Client, connection: Connection) -> None:
    connection.execute("create policy mine on documents using (current_date > '2000-01-01')")
    for _ in range(2):
        assert _search(filled, query="pasta")["cached"] is False


def test_answers_are_kept_up_to_a_size_and_for_a_time(settings: Settings) -> None:
    with running(replace(settings, caching=Caching(answer_bytes=2500))) as client:  # for two short ones
        client.post("/documents", json=DOCUMENTS)
        asked = ("pasta", "nets", "nets", "pasta", "rice", "pasta", "nets")
        cached = [_search(client, query=query, top_k=1)["cached"] for query in asked]
        assert cached == [False, False, True, True, False, True, False]
    with running(replace(settings, caching=Caching(answer_seconds=0))) as client:
        assert [_search(client, query="pasta")["cached"] for _ in range(2)] == [False, False]


def test_a_query_is_embedded_once(filled: httpx.Client, openai: OpenAIServer) -> None:
    before = len(openai.requests)
    for mode in ("vector", "hybrid", "vector"):
        _search(filled, query="pasta", mode=mode)
    assert len(openai.requests) == before + 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, ""),
        (b"{}", 422, ""),
        (b"[]", 422, ""),
        (b"\xff\xfe", 422, ""),
        (b'{"query_embedding": [1, NaN]}', 422, ""),
        (b'{"query_embedding": [1, 1e999]}', 422, ""),
        (b'{"query_embedding": []}', 422, ""),
        (b'{"query_embedding": [1, 2]}', 422, "PV002"),
        (b'{"query_embedding": [0,0,0,0,0,0,0,0]}', 422, "PV005"),
        (b'{"query_embedding": [1e39,0,0,0,0,0,0,0]}', 422, "22003"),
        (b'{"query": "x", "filter": {"a": {"$foo": 1}}}', 422, "PV003"),
        (b'{"query": "x", "filter": {"a": "\\u0000"}}', 422, "22P05"),
        (b'{"query": "\\ud800"}', 422, ""),
        (b'{"query": "\\u0000", "mode": "keyword"}', 422, ""),
        (b'{"query": "  "}', 422, ""),
        (b'{"query": "x", "top_k": 0}', 422, ""),
        (b'{"query": "x", "top_k": 1e9}', 422, ""),
        (b'{"query": "x", "mode": "psychic"}', 422, ""),
        (b'{"query": "x", "fusion": "rrf"}', 422, ""),
        (b'{"query_embedding": [1,2,3,4,5,6,7,8], "mode": "hybrid"}', 422, ""),
        (b'{"query": "x", "collection": "nothing"}', 404, "PV001"),
        (b'{"query": "x", "tenant": "00000000-0000-4000-8000-00000000000a"}', 403, "PV006"),
        (b'{"query": "x", "unheard of": 1}', 422, ""),
        (b'{"query": "x", "filter": ' + b'{"a":' * 2000 + b"1" + b"}" * 2001, 422, ""),
        (b'{"query": "x", "filter": ' + b'{"a":' * 100 + b"1" + b"}" * 101, 422, "PV003"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(filled: httpx.Client, body: bytes, status: int, code: str) -> None:
    answer = filled.post("/search", content=body, headers={"content-type": "application/json"})
    assert _problem(answer) == (status, code)
    assert answer.json()["title"]


def test_json_by_another_name_is_told_its_own(service: httpx.Client) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}  # as curl -d has it
    answer = service.post("/search", content=b'{"query": "x"}', headers=form)
    assert _problem(answer) == (422, "")
    assert answer.json()["detail"] == f"send Content-Type: application/json, not {form['content-type']}"


def test_what_is_not_there_is_a_problem_too(service: httpx.Client) -> None:
    assert _problem(service.get("/nothing")) == (404, "")
    answer = service.get("/search")
    assert _problem(answer) == (405, "")
    assert answer.headers["allow"] == "POST"


def test_a_collection_without_a_model_is_told_to_bind_one(service: httpx.Client, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('bare', 3)")
    answer = service.post("/documents", params={"collection": "bare"}, json={"content": "x"})
    assert _problem(answer) == (422, "")
    assert "pgvec-admin embed --model" in answer.json()["detail"]
    assert _ids(service, query="x", mode="keyword", collection="bare") == []


def test_an_embedding_model_that_is_gone_is_no_error_of_the_caller(service: httpx.Client, openai: OpenAIServer) -> None:
    openai.__exit__()
    answer = service.post("/search", json={"query": "x"})
    assert _problem(answer) == (503, "")
    assert int(answer.headers["retry-after"]) > 0


def test_too_much_is_refused(settings: Settings) -> None:
    limits = Limits(body_bytes=2000, text_characters=50, top_k=5, documents=2)
    with running(replace(settings, limits=limits)) as client:
        assert _problem(client.post("/embed", json={"chunkId": "c", "text": "x" * 51})) == (422, "")
        assert _problem(client.post("/search", json={"query": "x" * 51})) == (422, "")
        assert _problem(client.post("/search", json={"query": "x", "top_k": 6})) == (422, "")
        assert _problem(client.post("/documents", json=[{"content": "x"}] * 3)) == (413, "")
        large = json.dumps({"query": "x" * 3000}).encode()
        headers = {"content-type": "application/json"}
        assert _problem(client.post("/search", content=large, headers=headers)) == (413, "")
        in_parts = (large[start : start + 500] for start in range(0, len(large), 500))
        assert _problem(client.post("/search", content=in_parts, headers=headers)) == (413, "")
        schema = client.get("/openapi.json").json()["components"]["schemas"]
        assert schema["Question"]["properties"]["top_k"]["maximum"] == 5


def test_a_caller_in_a_hurry_is_told_when_to_come_back(settings: Settings) -> None:
    with running(replace(settings, limits=Limits(requests_a_minute=3))) as client:
        answers = [client.post("/search", json={"query": "x"}) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert _problem(answers[3]) == (429, "")
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
        first = pool.submit(_search, client, query="slow")
        assert asked.wait(20)
        answer = client.post("/search", json={"query": "x"})
        assert _problem(answer) == (503, "")
        assert answer.headers["retry-after"] == "1"
        assert client.get("/health").status_code == 200
        held.set()
        assert first.result()["results"] == []
        assert _search(client, query="x")["results"] == []


def test_connections_are_waited_for_but_not_for_ever(settings: Settings, connection: Connection) -> None:
    limits = Limits(wait_seconds=0.2, statement_seconds=0.5)
    with running(replace(settings, connections=1, limits=limits)) as client, ThreadPoolExecutor() as pool:
        client.post("/documents", json=DOCUMENTS)
        with psycopg.connect(connection.info.dsn) as other:
            other.execute("lock table documents")
            answers = list(pool.map(lambda _: client.post("/search", json={"query": "x"}), range(2)))
        assert sorted(_problem(answer) for answer in answers) == [(503, ""), (504, "57014")]
        assert len(_ids(client, query="x")) == 3


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
        assert _search(client, **question)["results"] == []
        own_server.stop()
        answer = client.post("/search", json=question)
        assert _problem(answer) == (503, "")
        assert answer.headers["retry-after"]
        health = client.get("/health")
        assert (health.status_code, health.json()["live"], health.json()["ready"]) == (503, True, False)
        own_server.start()
        until = time.monotonic() + 20
        while (answer := client.post("/search", json=question)).status_code == 503:
            assert time.monotonic() < until, "the server is not found again"
        assert answer.json()["results"] == []
        assert client.get("/health").json()["ready"] is True


def _as(role: str = "authenticated", *tenants: str, **more: Any) -> dict[str, str]:
    claims = {"sub": OURS, "app_metadata": {"tenant_ids": list(tenants)}} | more
    return {"authorization": f"Bearer {token(role, **claims)}"}


@pytest.fixture
def shared(with_search: Project) -> Settings:
    """Settings of a service over a project's database, with the rows of two tenants in one collection."""
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 2, access => 'tenant')")
        for tenant in (OURS, THEIRS):
            rows = [{"id": f"{tenant[-1]}{number}", "content": "note", "embedding": [1, number]} for number in range(3)]
            connection.execute("select upsert_documents(%s, 'documents', %s)", (json.dumps(rows), tenant))
    where = make_conninfo(with_search.database, user="authenticator")
    return Settings(where, access=Access(jwt_secret=SECRET))


def test_a_role_that_may_only_become_others_is_ready(shared: Settings) -> None:
    with running(shared) as client:
        health = client.get("/health")
    assert (health.status_code, health.json()["ready"], health.json()["version"]) == (200, True, None)


def test_a_token_tells_whose_rows_are_found(shared: Settings) -> None:
    question = {"query_embedding": [1, 0], "top_k": 10}
    ours, theirs = ["a0", "a1", "a2"], ["b0", "b1", "b2"]
    with running(shared) as client:
        for _ in range(2):  # the second time from what is kept
            for tenant, wanted in ((OURS, ours), (THEIRS, theirs)):
                headers = _as("authenticated", tenant) | {"x-tenant": THEIRS, "x-api-key": "k"}
                answer = client.post("/search", json=question, headers=headers)
                assert [row["id"] for row in answer.json()["results"]] == wanted
        both = client.post("/search", json=question, headers=_as("authenticated", OURS, THEIRS)).json()
        assert sorted(row["id"] for row in both["results"]) == ours + theirs
        one = client.post("/search", json=question | {"tenant": THEIRS}, headers=_as("authenticated", OURS, THEIRS))
        assert [row["id"] for row in one.json()["results"]] == theirs
        for answer in (
            client.post("/search", json=question | {"tenant": THEIRS}, headers=_as("authenticated", OURS)),
            client.post("/search", json=question, headers=_as("authenticated")),
            client.get("/documents/b0", headers=_as("authenticated"), params={"tenant": THEIRS}),
        ):
            assert _problem(answer) == (403, "PV006")
        assert _problem(client.get("/documents/b0", headers=_as("authenticated", OURS))) == (404, "")
        assert _problem(client.delete("/documents/b0", headers=_as("authenticated", OURS))) == (404, "")
        written = client.put(
            "/documents/b0", json={"content": "x", "embedding": [1, 9]}, headers=_as("authenticated", OURS)
        )
        assert written.status_code == 200
        assert client.get("/documents/b0", headers=_as("authenticated", THEIRS)).json()["content"] == "note"


def test_a_write_of_one_tenant_leaves_the_answers_of_another(shared: Settings) -> None:
    question = {"query_embedding": [1, 0], "top_k": 10}
    with running(shared) as client:
        for tenant in (OURS, THEIRS):
            client.post("/search", json=question, headers=_as("authenticated", tenant))
        client.post("/documents", json={"content": "new", "embedding": [1, 0]}, headers=_as("authenticated", OURS))
        ours, theirs = (
            client.post("/search", json=question, headers=_as("authenticated", tenant)).json()
            for tenant in (OURS, THEIRS)
        )
    assert (ours["cached"], len(ours["results"])) == (False, 4)
    assert (theirs["cached"], len(theirs["results"])) == (True, 3)


def test_a_role_that_may_not_write_does_not(shared: Settings, with_search: Project) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('open', 2)")
    with running(shared) as client:
        document = {"content": "x", "embedding": [1, 1]}
        answer = client.post("/documents", params={"collection": "open"}, json=document, headers=_as("anon"))
        assert _problem(answer) == (403, "42501")
        answer = client.post("/documents", params={"collection": "open"}, json=document, headers=_as("service_role"))
        assert answer.status_code == 200


def _signed(key: Any, algorithm: str, **claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer no.real.token"},
        {"authorization": "Basic dTpw"},
        {"x-api-key": "k"},
        {"x-tenant": OURS},
        _signed("some other secret, long enough for it", "HS256", role="service_role", exp=4_000_000_000),
        _signed(None, "none", role="service_role", exp=4_000_000_000),
        _signed(SECRET, "HS256", role="service_role", exp=1_000_000_000),
        _signed(SECRET, "HS256", role="service_role"),
        _signed(SECRET, "HS256", exp=4_000_000_000),
        _signed(SECRET, "HS256", role="none", exp=4_000_000_000),
    ],
)
def test_who_is_not_signed_in_is_turned_away(shared: Settings, headers: dict[str, str]) -> None:
    with running(shared) as client:
        answer = client.post("/search", json={"query_embedding": [1, 0]}, headers=headers)
        assert _problem(answer) == (401, "")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_ends_when_it_says(shared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(shared) as client:
        headers = _as("authenticated", OURS)
        assert client.post("/search", json={"query_embedding": [1, 0]}, headers=headers).status_code == 200
        monkeypatch.setattr("pgvec_admin.api.access.time.time", lambda: 4_000_000_001.0)
        monkeypatch.setattr("jwt.api_jwt.datetime", _Late)
        assert client.post("/search", json={"query_embedding": [1, 0]}, headers=headers).status_code == 401


class _Late:
    @staticmethod
    def now(tz: Any = None) -> Any:
        from datetime import datetime

        return datetime.fromtimestamp(4_000_000_001, tz)


def test_a_key_is_for_a_backend_that_names_the_tenant(shared: Settings, with_search: Project) -> None:
    backend = replace(shared, conninfo=with_search.database, access=Access(keys=frozenset({KEY, OTHER_KEY})))
    question = {"query_embedding": [1, 0]}
    with running(backend) as client:
        for key, tenant, wanted in ((KEY, OURS, "a0"), (OTHER_KEY, THEIRS, "b0")):
            answer = client.post("/search", json=question, headers={"x-api-key": key, "x-tenant": tenant})
            assert answer.json()["results"][0]["id"] == wanted
            assert len(answer.json()["results"]) == 3
        assert _problem(client.post("/search", json=question, headers={"x-api-key": KEY})) == (403, "PV006")
        theirs = {"x-api-key": KEY, "x-tenant": THEIRS}
        for _ in range(2):  # the second time from what is kept, which is for nobody else
            assert client.post("/search", json=question | {"tenant": THEIRS}, headers=theirs).status_code == 200
        # a tenant that a backend passes on is not accepted
        for headers in ({"x-api-key": KEY, "x-tenant": OURS}, {"x-api-key": KEY}):
            passed_on = client.post("/search", json=question | {"tenant": THEIRS}, headers=headers)
            assert _problem(passed_on) == (403, "PV006")
            assert _problem(client.get("/documents/b0", params={"tenant": THEIRS}, headers=headers)) == (403, "PV006")
        headers = {"x-api-key": KEY, "x-tenant": "ours"}
        assert _problem(client.post("/search", json=question, headers=headers)) == (422, "")
        for headers in ({"x-api-key": "wrong", "x-tenant": OURS}, {"x-tenant": OURS}, _as("service_role")):
            assert _problem(client.post("/search", json=question, headers=headers)) == (401, "")


def test_pages_of_other_origins_call_only_where_they_may(settings: Settings) -> None:
    with running(replace(settings, origins=("https://ours.example",))) as client:
        for origin, allowed in (("https://ours.example", "https://ours.example"), ("https://theirs.example", None)):
            asked = {"origin": origin, "access-control-request-method": "POST"}
            assert client.options("/search", headers=asked).headers.get("access-control-allow-origin") == allowed
            answer = client.post("/search", json={"query": "x"}, headers={"origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


def test_keys_of_tokens_are_fetched_where_they_are_published(shared: Settings) -> None:
    first, second = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    published = [("one", first)]
    fetched = []

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(self.path)
            keys = [
                json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
                | {"kid": kid, "alg": "RS256", "use": "sig"}
                for kid, key in published
            ]
            body = json.dumps({"keys": keys}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    def signed(kid: str, key: Any) -> dict[str, str]:
        claims = {"role": "authenticated", "exp": 4_000_000_000, "app_metadata": {"tenant_id": OURS}}
        return {"authorization": f"Bearer {jwt.encode(claims, key, algorithm='RS256', headers={'kid': kid})}"}

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as keys:
        threading.Thread(target=keys.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        access = Access(jwks_url=f"http://127.0.0.1:{keys.server_address[1]}/jwks.json")
        with running(replace(shared, access=access)) as client:

            def status(headers: dict[str, str]) -> int:
                return client.post("/search", json={"query_embedding": [1, 0]}, headers=headers).status_code

            assert status(signed("one", first)) == 200
            assert status(signed("one", second)) == 401
            published.append(("two", second))
            assert status(signed("two", second)) == 200  # the keys are fetched again
            assert [status(signed("three", second)) for _ in range(3)] == [401] * 3
            assert len(fetched) <= 3
            # a public key must not be accepted as a secret for signing
            assert status(_as("authenticated", OURS)) == 401
        keys.shutdown()


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
            _search(client, query="pasta", mode=mode)
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


def test_many_clients_at_once_get_their_own_answers(filled: httpx.Client) -> None:
    questions = [(document["id"], {"query": document["content"], "top_k": 1}) for document in DOCUMENTS] * 40

    def ask(question: tuple[Any, dict[str, Any]]) -> bool:
        return _ids(filled, **question[1]) == [question[0]]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, questions))


@contextmanager
def _serve(database: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "pgvec_admin", "serve", "--port", "0", "--database-url", database, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_serves_until_it_is_interrupted(settings: Settings) -> None:
    with _serve(settings.conninfo) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = re.fullmatch(r"serving documents at (http://127\.0\.0\.1:\d+), its interface at \1/docs\n", line)
        assert address, line
        answer = httpx.post(f"{address[1]}/search", json={"query": "x", "mode": "keyword"}, timeout=30)
        assert answer.json()["results"] == []
        assert httpx.get(f"{address[1]}/docs").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == "stopped; what was answered stays\n"


def test_the_command_does_not_open_a_database_to_the_world_unasked(settings: Settings) -> None:
    with _serve(settings.conninfo, "--host", "0.0.0.0") as refused:
        _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert said == (
        "error: everybody who reaches 0.0.0.0 could read and write\n"
        "hint: set PGVEC_JWT_SECRET, PGVEC_JWKS_URL or PGVEC_ACCESS_KEYS; or say --everybody\n"
    )


def test_the_command_says_when_its_port_is_taken(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _serve(settings.conninfo, "--port", str(port)) as refused:
            _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert said == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use\nhint: choose another --port or --host\n"
    )


def test_the_command_says_what_is_missing(empty_database: str) -> None:
    for database, code, line in (
        (empty_database, 4, "hint: run: pgvec-admin migrate"),
        ("host=127.0.0.1 port=1", 3, "error: connection failed"),
    ):
        with _serve(database) as refused:
            _, said = refused.communicate(timeout=20)
        assert refused.returncode == code
        assert line in said
