"""The HTTP service answers searches, and says what is wrong with a request; the rows stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

import installation
from conftest import Connection
from http_service import DOCUMENTS, ids, problem, running, search
from openai_server import OpenAIServer, vector_of
from pgvec_admin.api import Settings
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.server import embedded


@pytest.fixture(scope="module")
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture(scope="module")
def connection(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    with (
        installation.created(server, "searched_by_the_service", with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def filled(server: embedded.Server, connection: Connection, openai: OpenAIServer) -> Iterator[httpx.Client]:
    """A service over a collection that is bound to a model of eight dimensions, with three documents."""
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
    database = installation.as_installer(server.url(connection.info.dbname))
    with running(Settings(database, provider=ProviderOptions(base_url=openai.url, api_key="k"))) as client:
        stored = client.post("/documents", json=DOCUMENTS).json()
        assert stored == {"ids": ["nets", "pasta/1", "nudeln"], "embedded": 3}
        yield client


def test_a_search_by_a_text_finds_what_is_nearest_to_its_vector(filled: httpx.Client, openai: OpenAIServer) -> None:
    openai.vectors["explain neural networks"] = vector_of("How neural networks learn").tolist()
    found = search(filled, query="explain neural networks", top_k=2, filter={"lang": "en"})
    assert [row["id"] for row in found["results"]] == ["nets", "pasta/1"]
    assert found["results"][0] == {
        "id": "nets",
        "content": "How neural networks learn",
        "metadata": {"lang": "en", "year": 2021},
        "score": pytest.approx(1.0),
    }
    assert found["cached"] is False
    assert ids(filled, query="explain neural networks", min_score=0.99) == ["nets"]
    assert ids(filled, query_embedding=vector_of("Nudeln kochen").tolist(), top_k=1) == ["nudeln"]


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
    rows = search(filled, query="pasta networks", mode=mode, top_k=3)["results"]
    assert [(row["id"], pytest.approx(row["score"])) for row in rows] == wanted
    assert len(rows) == (2 if mode == "keyword" else 3)
    least = rows[0]["score"]
    above = [row["id"] for row in rows if row["score"] >= least]
    assert ids(filled, query="pasta networks", mode=mode, top_k=3, min_score=least) == above


@pytest.mark.parametrize("fusion", ["rrf", "dbsf", "minmax", "weighted"])
def test_fusion_is_passed_on(filled: httpx.Client, connection: Connection, fusion: str) -> None:
    vector = json.dumps(vector_of("pasta").tolist())
    call = "select id, score from hybrid_search('pasta', %s, fusion => %s)"
    wanted = connection.execute(call.encode(), (vector, fusion)).fetchall()
    rows = search(filled, query="pasta", mode="hybrid", fusion=fusion)["results"]
    assert [(row["id"], pytest.approx(row["score"])) for row in rows] == wanted


@pytest.mark.parametrize("mode", ["vector", "keyword", "hybrid"])
def test_headlines_mark_the_words(filled: httpx.Client, mode: str) -> None:
    headlines = {
        row["id"]: row["headline"] for row in search(filled, query="pasta", mode=mode, highlight=True)["results"]
    }
    assert headlines["pasta/1"] == "Cooking <mark>pasta</mark> at home"
    assert "headline" not in search(filled, query="pasta", mode=mode)["results"][0]


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
    assert problem(answer) == (status, code)
    assert answer.json()["title"]


def test_json_by_another_name_is_told_its_own(filled: httpx.Client) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}  # as curl -d has it
    answer = filled.post("/search", content=b'{"query": "x"}', headers=form)
    assert problem(answer) == (422, "")
    assert answer.json()["detail"] == f"send Content-Type: application/json, not {form['content-type']}"


def test_what_is_not_there_is_a_problem_too(filled: httpx.Client) -> None:
    assert problem(filled.get("/nothing")) == (404, "")
    answer = filled.get("/search")
    assert problem(answer) == (405, "")
    assert answer.headers["allow"] == "POST"


def test_many_clients_at_once_get_their_own_answers(filled: httpx.Client) -> None:
    questions = [(document["id"], {"query": document["content"], "top_k": 1}) for document in DOCUMENTS] * 40

    def ask(question: tuple[Any, dict[str, Any]]) -> bool:
        return ids(filled, **question[1]) == [question[0]]

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, questions))
