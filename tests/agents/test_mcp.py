"""The server for agents, asked by the SDK's own client: over standard input and output, and over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import psycopg
import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from command import COMMAND, Run
from conftest import Connection
from http_service import problem, running
from openai_server import OpenAIServer, vector_of
from pgvec_admin import __version__
from pgvec_admin.agents import create_app
from pgvec_admin.agents.budget import tokens
from pgvec_admin.api import Access, Settings
from pgvec_admin.api.settings import Caller
from pgvec_admin.api.store import Store
from pgvec_admin.embedding.embed import ProviderOptions

ROWS = [
    {
        "id": f"{source}#{place}",
        "source": f"{source}.md",
        "chunk_index": place,
        "content": f"{source} part {place}: {text}",
        "metadata": {"about": source, "part": place},
    }
    for source, text in (("pools", "pools hold connections"), ("locks", "locks make writers wait"))
    for place in range(4)
]


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def settings(database: str, connection: Connection, openai: OpenAIServer) -> Settings:
    """Of a server over a collection with a model and one without."""
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
    connection.execute("select pgvec.create_collection('bare', 3)")
    rows = json.dumps([row | {"embedding": openai_vector(str(row["content"]))} for row in ROWS])
    connection.execute("select public.upsert_documents(%s)", (rows,))
    connection.execute("select public.upsert_documents(%s, 'bare')", (json.dumps(ROWS[:1]),))
    return Settings(database, read_only=True, provider=ProviderOptions(base_url=openai.url, api_key="k"))


def openai_vector(text: str) -> list[float]:
    return [float(number) for number in vector_of(text)]


@asynccontextmanager
async def over_stdio(settings: Settings, *arguments: str, **environment: str) -> AsyncIterator[Client]:
    """The command as an agent's host starts it."""
    base_url = str(settings.provider.base_url)
    started = StdioServerParameters(
        command=str(COMMAND),
        args=["mcp", "--database-url", settings.conninfo, "--base-url", base_url, "--api-key", "k", *arguments],
        env=os.environ | environment,
    )
    async with Client(stdio_client(started), mode="legacy") as client:
        yield client


@asynccontextmanager
async def over_http(address: str, mode: str = "auto", **headers: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=headers, verify=False) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def _session(client: Client) -> dict[str, Any]:
    """What an agent does: it looks at the tools and resources, searches, reads on, asks why, and errs."""
    told: dict[str, Any] = {"tools": (await client.list_tools()).tools}
    told["resources"] = (await client.list_resources()).resources
    told["resource"] = await client.read_resource("pgvec://collections/documents")
    for name, tool, arguments in (
        ("found", "search", {"query": ROWS[0]["content"], "limit": 2, "filter": {"about": "pools"}}),
        ("words", "search", {"query": "writers -pools", "mode": "keyword"}),
        ("bare", "search", {"query": "connections", "collection": "bare"}),
        ("context", "get_context", {"id": "pools#1"}),
        ("all", "get_context", {"id": "pools#1", "before": 1000, "after": 1000}),
        ("collections", "list_collections", {}),
        ("why", "explain", {"query": "pools"}),
        ("unknown", "search", {"query": "x", "collection": "nothing"}),
        ("no row", "get_context", {"id": "nothing"}),
        ("bad filter", "search", {"query": "x", "filter": {"a": {"$near": 1}}}),
        ("bad argument", "search", {"query": "x", "limit": 0}),
    ):
        told[name] = await client.call_tool(tool, arguments)
    return told


def _check(told: dict[str, Any]) -> None:
    tools = {tool.name: tool for tool in told["tools"]}
    assert set(tools) == {"search", "get_context", "list_collections", "explain"}
    for tool in tools.values():
        assert tool.annotations.read_only_hint is True
        assert tool.description
        assert tool.output_schema
        for name, argument in tool.input_schema["properties"].items():
            assert argument.get("examples"), (tool.name, name)
    assert [resource.uri for resource in told["resources"]] == [
        "pgvec://collections/bare",
        "pgvec://collections/documents",
    ]
    assert json.loads(told["resource"].contents[0].text)["model"] == "openai:stand-in"

    def answer(name: str) -> Any:
        assert not told[name].is_error, told[name]
        assert json.loads(told[name].content[0].text) == told[name].structured_content
        return told[name].structured_content

    found = answer("found")
    assert found["mode"] == "hybrid"
    assert found["results"][0]["id"] == "pools#0"
    assert {row["metadata"]["about"] for row in found["results"]} == {"pools"}
    assert (found["more_ids"], found["omitted"]) == ([], 0)
    assert {row["id"].partition("#")[0] for row in answer("words")["results"]} == {"locks"}
    assert (answer("bare")["mode"], [row["id"] for row in answer("bare")["results"]]) == ("keyword", ["pools#0"])
    assert [chunk["id"] for chunk in answer("context")["chunks"]] == ["pools#0", "pools#1", "pools#2"]
    assert [chunk["is_hit"] for chunk in answer("context")["chunks"]] == [False, True, False]
    assert [chunk["chunk_index"] for chunk in answer("all")["chunks"]] == [0, 1, 2, 3]
    assert [one["name"] for one in answer("collections")["collections"]] == ["bare", "documents"]
    assert answer("collections")["default"] == "documents"
    assert answer("why")["route"] == "exact"
    refusals = {
        "unknown": ["PV001", "nothing", "documents"],
        "no row": ["there is no row 'nothing'"],
        "bad filter": ["PV003", "$near"],
        "bad argument": ["limit"],
    }
    for name, parts in refusals.items():
        assert told[name].is_error
        text = told[name].content[0].text
        assert all(part in text for part in parts), text
        assert "Traceback" not in text
        assert "select " not in text


async def _writes(client: Client) -> list[Any]:
    """The tools for writing that there are, and answers to a row that is stored, searched, and another deleted."""
    tools = {tool.name for tool in (await client.list_tools()).tools}
    document = {"id": "new", "content": "a new row"}
    return [
        tools & {"store_documents", "delete_documents"},
        await client.call_tool("store_documents", {"documents": [document]}),
        await client.call_tool("search", {"query": "a new row", "limit": 1}),
        await client.call_tool("delete_documents", {"id": "pools#3"}),
    ]


def test_a_session_over_standard_input_and_output_only_reads_and_goes_on_after_errors(
    settings: Settings, connection: Connection
) -> None:
    async def act() -> None:
        async with over_stdio(settings) as client:
            assert (client.server_info.name, client.server_info.version) == ("pgvec", __version__)  # type: ignore[union-attr]
            assert "search" in str(client.instructions)
            _check(await _session(client))
            tools, stored, _, deleted = await _writes(client)
            assert tools == set()
            assert (stored.is_error, deleted.is_error) == (True, True)
            assert connection.execute("select count(*) from documents").fetchone() == (len(ROWS),)
            # an unknown resource or tool
            with pytest.raises(MCPError):
                await client.read_resource("pgvec://collections/nothing")
            assert (await client.call_tool("search", {"query": "pools"})).is_error is False
            refused = await client.call_tool("nothing", {})
            assert refused.is_error is True

    asyncio.run(act())


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_session_over_http(settings: Settings, mode: str) -> None:
    async def act(address: str) -> None:
        async with over_http(address, mode) as client:
            _check(await _session(client))

    with running(settings, create_app(settings)) as http:
        assert http.get("/health").json()["ready"] is True
        asyncio.run(act(str(http.base_url).rstrip("/")))


def test_it_writes_where_it_is_told_to(settings: Settings, connection: Connection) -> None:
    async def act() -> list[Any]:
        async with over_stdio(settings, "--writes") as client:
            return await _writes(client)

    tools, stored, found, deleted = asyncio.run(act())
    assert tools == {"store_documents", "delete_documents"}
    assert (stored.structured_content, deleted.structured_content) == ({"result": ["new"]}, {"result": 1})
    assert found.structured_content["results"][0]["id"] == "new"
    assert connection.execute("select count(embedding) from documents").fetchone() == (len(ROWS),)


def test_even_a_function_that_writes_cannot(settings: Settings, database: str) -> None:
    """The transactions are read-only, whatever is called in them."""

    async def act() -> None:
        store = Store(settings)
        async with store.opened():
            await store.upsert(Caller("x", "x"), [{"id": "1", "content": "x"}], "documents", None)

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asyncio.run(act())


def test_an_answer_keeps_to_its_tokens_and_names_what_is_left(settings: Settings, connection: Connection) -> None:
    long = [
        {"id": f"long#{n}", "source": "long.md", "chunk_index": n, "content": f"word{n} " + "pools and locks " * 200}
        for n in range(6)
    ]
    connection.execute("select public.upsert_documents(%s, 'bare')", (json.dumps(long),))

    async def act() -> list[Any]:
        async with over_stdio(settings, "--collection", "bare", "--max-tokens", "900") as client:
            few = await client.call_tool("search", {"query": "pools"})
            told = few.structured_content
            whole = await client.call_tool("get_context", {"id": told["more_ids"][0], "before": 0, "after": 0})
            most = {"id": "long#3", "before": 1000, "after": 1000}
            return [
                few,
                whole,
                await client.call_tool("get_context", most | {"max_tokens": 2000}),
                await client.call_tool("get_context", most | {"max_tokens": 20_000}),
            ]

    few, whole, part, everything = asyncio.run(act())
    for answer, most in ((few, 900), (whole, 900), (part, 2000), (everything, 20_000)):
        assert tokens(answer.content[0].text) <= most
    found = few.structured_content
    assert [row["cut"] for row in found["results"]].count(True) == 1
    assert len(found["results"]) + len(found["more_ids"]) + found["omitted"] == 5
    assert whole.structured_content["chunks"][0]["cut"] is False
    # the row that was asked for comes first, then its neighbours
    ids = [chunk["id"] for chunk in part.structured_content["chunks"]]
    assert "long#3" in ids
    assert len(ids) < 6
    assert [chunk["id"] for chunk in everything.structured_content["chunks"]] == [row["id"] for row in long]


def test_strangers_are_turned_away_before_anything_is_read(settings: Settings) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accepts = {"accept": "application/json, text/event-stream"}
    closed = replace(settings, access=Access(keys=frozenset({"a key of a backend"})))
    with running(closed, create_app(closed)) as http:
        assert problem(http.post("/mcp", json=asked, headers=accepts)) == (401, "")
        told = http.post("/mcp", json=asked, headers=accepts | {"x-api-key": "a key of a backend"})
        assert len(told.json()["result"]["tools"]) == 4
        # no stream stays open for messages that never come
        assert http.get("/mcp", headers=accepts | {"x-api-key": "a key of a backend"}).status_code == 405
    with running(settings, create_app(settings)) as http:
        for headers in ({"host": "page.example"}, {"origin": "https://page.example"}):
            assert problem(http.post("/mcp", json=asked, headers=accepts | headers))[0] in (403, 421)
        assert http.post("/mcp", content=b"{", headers=accepts).status_code in (400, 415, 422)
    allowed = replace(settings, origins=("https://page.example",))
    with running(allowed, create_app(allowed)) as http:
        page = {"origin": "https://page.example", "access-control-request-method": "POST"}
        assert http.options("/mcp", headers=page).headers["access-control-allow-origin"] == page["origin"]
        assert http.post("/mcp", json=asked, headers=accepts | {"origin": page["origin"]}).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--http", "--host", "0.0.0.0"], "everybody who reaches 0.0.0.0 could read and write"),
        (["--http", "--tenant", "00000000-0000-4000-8000-00000000000a"], "--tenant and --token are for one program"),
        (["--token", "x"], "a token cannot be checked"),
        (["--max-tokens", "1"], "--max-tokens"),
        (["--collection", "documents"], "the engine is missing"),
    ],
)
def test_a_wrong_call_is_told(run: Run, empty_database: str, arguments: list[str], told: str) -> None:
    done = run("mcp", *arguments, "--database-url", empty_database)
    assert done.returncode in (2, 4)
    assert told in done.stderr
    assert "hint: " in done.stderr
