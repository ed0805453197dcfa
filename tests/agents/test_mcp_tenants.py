"""The server for agents keeps tenants apart: its callers are those of the HTTP service, by token or by key."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters, stdio_client
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from command import COMMAND
from conftest import searched
from http_service import running
from openai_server import OpenAIServer
from pgvec_admin.agents import create_app
from pgvec_admin.api import Access, Caching, Limits, Settings
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.server import embedded
from properties import examples
from supabase_project import SECRET, token

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
NOBODYS = "00000000-0000-4000-8000-00000000000c"
KEY = "a key of a backend"

# the same rows of ours in both; theirs only in the first
SHARED, ALONE = "common", "single"
_numbers = itertools.count()


@dataclass(frozen=True)
class Server:
    """A running server, the headers of our tenant, and a connection of the other tenant's."""

    http: httpx.Client
    headers: dict[str, str]
    theirs: psycopg.Connection[Any] | None = None
    alone: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, collection: str, **params: Any) -> Any:
        """The answer to a request as it came, with the two collections' names looking the same."""
        sent = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        answer = self.http.post("/mcp", content=sent.replace("COLLECTION", collection), headers=headers | self.headers)
        told = answer.text.replace(SHARED, "COLLECTION").replace(ALONE, "COLLECTION")
        return answer.status_code, json.loads(told) if answer.status_code == 200 else told


def _rows(whose: str, extra: int = 0) -> list[dict[str, Any]]:
    """Some ids are both tenants', and so are some words."""
    rows = [
        {
            "id": str(n) if n % 2 else f"{whose}-{n}",
            "content": f"{whose} red fish number {n} {whose}words {'fish ' * (n % 4)}",
            "source": f"{'shared' if n % 3 else whose}.md",
            "chunk_index": n,
            "metadata": {"lang": "en" if whose == "our" else "fr", "n": n, "tags": [whose, "all"]},
            "embedding": [1, n / 4],
        }
        for n in range(10)
    ]
    more = [{"id": f"{whose}-x{n}", "content": f"rare{n} salmon", "embedding": [n, 1]} for n in range(extra)]
    return rows + more


@pytest.fixture(scope="module")
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer(2) as made:
        yield made


@pytest.fixture(scope="module")
def settings(platform: embedded.Server, installed: str, openai: OpenAIServer) -> Settings:
    database = searched(platform, installed)
    with psycopg.connect(database, autocommit=True) as connection:
        for name in (SHARED, ALONE):
            connection.execute(
                "select pgvec.create_collection(%s, 2, access => 'tenant', model => 'openai:stand-in')", (name,)
            )
            connection.execute("select upsert_documents(%s, %s, %s)", (Jsonb(_rows("our")), name, OURS))
        connection.execute("select upsert_documents(%s, %s, %s)", (Jsonb(_rows("their", 20)), SHARED, THEIRS))
    return Settings(
        database,
        SHARED,
        read_only=True,
        provider=ProviderOptions(base_url=openai.url, api_key="k"),
        limits=Limits(requests_a_minute=0),
        caching=Caching(answer_bytes=0),
    )


@pytest.fixture(scope="module", params=["token", "key"])
def server(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Server]:
    """By a token the database decides whose rows there are; by a key a trusted backend names the tenant."""
    if request.param == "token":
        where, access = make_conninfo(settings.conninfo, user="authenticator"), Access(jwt_secret=SECRET)
        bearer = token("authenticated", sub=OURS, app_metadata={"tenant_ids": [OURS]})
        headers = {"authorization": f"Bearer {bearer}"}
    else:
        where, access = settings.conninfo, Access(keys=frozenset({KEY}))
        headers = {"x-api-key": KEY, "x-tenant": OURS}
    chosen = replace(settings, conninfo=where, access=access)
    with (
        running(chosen, create_app(chosen)) as http,
        psycopg.connect(settings.conninfo, autocommit=True) as theirs,
    ):
        yield Server(http, headers, theirs)


IDS = st.sampled_from(["1", "3", "our-2", "their-2", "their-x1", "none"])
TENANTS = st.sampled_from([None, None, None, OURS, THEIRS, NOBODYS, "no uuid"])
WORDS = st.lists(
    st.sampled_from(["red", "fish", "-fish", '"red fish"', "ourwords", "theirwords", "rare1", "salmn", "number", "7"]),
    min_size=1,
    max_size=4,
).map(" ".join)
FILTERS = st.sampled_from(
    [
        {},
        {"lang": "fr"},
        {"n": {"$gte": 5}},
        {"$not": {"lang": "en"}},
        {"$or": [{"n": 1}, {"tags": {"$contains": "their"}}]},
        {"$text": "fish"},
        {"tenant_id": THEIRS},
        {"tags": ["all"]},
    ]
)
TOKENS = st.sampled_from([None, 200, 600])


def _tool(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    drawn = st.fixed_dictionaries({"collection": st.just("COLLECTION"), "tenant": TENANTS} | arguments)
    return drawn.map(lambda told: ("tools/call", {"name": name, "arguments": told}))


ASKED = st.one_of(
    _tool(
        "search",
        query=WORDS,
        filter=FILTERS,
        mode=st.sampled_from([None, "hybrid", "vector", "keyword"]),
        limit=st.sampled_from([1, 5, 50]),
        min_score=st.sampled_from([None, 0.5]),
        max_tokens=TOKENS,
    ),
    _tool("get_context", id=IDS, before=st.sampled_from([0, 3, 1000]), after=st.just(1000), max_tokens=TOKENS),
    _tool("list_collections"),
    _tool("explain", query=WORDS, filter=FILTERS, limit=st.sampled_from([1, 50])),
    _tool("store_documents", documents=st.just([{"content": "planted"}])),
    _tool("delete_documents", id=IDS),
    st.just(("resources/read", {"uri": "pgvec://collections/COLLECTION"})),
    st.just(("resources/list", {})),
    st.just(("tools/list", {})),
)
# what the other tenant does meanwhile
WRITES = st.one_of(
    st.tuples(st.just("delete"), IDS),
    st.tuples(st.just("write"), st.tuples(IDS, WORDS)),
)


def _they(connection: psycopg.Connection[Any], done: tuple[str, Any]) -> None:
    what, given_ = done
    if what == "delete":
        connection.execute("select delete_documents(array[%s], null, null, %s, %s)", (given_, SHARED, THEIRS))
    else:
        rows = [{"id": given_[0], "content": given_[1], "embedding": [1, next(_numbers) % 7], "source": "shared.md"}]
        connection.execute("select upsert_documents(%s, %s, %s)", (Jsonb(rows), SHARED, THEIRS))


# the threads of psycopg_pool draw from the module as well, by chance while an example is drawn
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@examples(500, for_a_change=250)  # for each of two ways to be known: 500
@given(asked=ASKED, done=st.one_of(st.none(), st.none(), WRITES))
def test_what_an_agent_is_told_does_not_depend_on_other_tenants(
    server: Server, asked: tuple[str, dict[str, Any]], done: tuple[str, Any] | None
) -> None:
    if done is not None:
        assert server.theirs is not None
        _they(server.theirs, done)
    method, params = asked
    seen = server.ask(method, SHARED, **params)
    # nobody writes into the other collection: its answer to a question is always the same
    question = json.dumps(asked)
    if question not in server.alone:
        server.alone[question] = server.ask(method, ALONE, **params)
    assert seen == server.alone[question]
    assert "their red" not in json.dumps(seen)
    assert "salmon" not in json.dumps(seen)


def test_an_agent_may_have_several_tenants_and_chooses_one(settings: Settings) -> None:
    chosen = replace(
        settings, conninfo=make_conninfo(settings.conninfo, user="authenticator"), access=Access(jwt_secret=SECRET)
    )

    def found(http: httpx.Client, tenants: list[str], tenant: str | None) -> Any:
        bearer = token("authenticated", sub=OURS, app_metadata={"tenant_ids": tenants})
        asking = Server(http, {"authorization": f"Bearer {bearer}"})
        arguments = {"query": "red fish", "mode": "keyword", "limit": 50, "tenant": tenant}
        _, told = asking.ask("tools/call", SHARED, name="search", arguments=arguments)
        if told["result"]["isError"]:
            return told["result"]["content"][0]["text"]
        return {row["content"].partition(" ")[0] for row in told["result"]["structuredContent"]["results"]}

    with running(chosen, create_app(chosen)) as http:
        assert found(http, [OURS], None) == {"our"}
        assert found(http, [OURS, THEIRS], None) >= {"our", "their"}
        assert found(http, [OURS, THEIRS], OURS) == {"our"}
        assert "PV006" in found(http, [OURS], THEIRS)
        assert "PV006" in found(http, [], None)


@pytest.mark.parametrize("how", ["token", "tenant"])
def test_a_program_acts_for_the_tenant_that_it_was_started_for(settings: Settings, how: str) -> None:
    bearer = token("authenticated", sub=OURS, app_metadata={"tenant_id": OURS})
    arguments = ["--tenant", OURS] if how == "tenant" else []
    secrets = {"PGVEC_TOKEN": bearer, "PGVEC_JWT_SECRET": SECRET} if how == "token" else {}
    started = StdioServerParameters(
        command=str(COMMAND),
        args=["mcp", "--database-url", settings.conninfo, "--collection", SHARED, *arguments],
        env=os.environ | secrets,
    )

    async def act() -> list[Any]:
        async with Client(stdio_client(started), mode="legacy") as client:
            words = {"query": "red fish", "mode": "keyword", "limit": 50, "max_tokens": 20_000}
            return [
                await client.call_tool("search", words),
                await client.call_tool("search", words | {"tenant": THEIRS}),
                await client.call_tool("get_context", {"id": "their-2"}),
            ]

    ours, refused, unseen = asyncio.run(act())
    assert {row["content"].partition(" ")[0] for row in ours.structured_content["results"]} == {"our"}
    assert "PV006" in refused.content[0].text
    assert "there is no row 'their-2'" in unseen.content[0].text


def test_a_token_that_has_ended_ends_what_its_bearer_may(settings: Settings) -> None:
    bearer = token("authenticated", sub=OURS, app_metadata={"tenant_id": OURS}, exp=1_000_000_000)
    started = StdioServerParameters(
        command=str(COMMAND),
        args=["mcp", "--database-url", settings.conninfo, "--collection", SHARED],
        env=os.environ | {"PGVEC_TOKEN": bearer, "PGVEC_JWT_SECRET": SECRET},
    )

    async def act() -> Any:
        async with Client(stdio_client(started), mode="legacy") as client:
            return await client.call_tool("search", {"query": "fish", "mode": "keyword"})

    assert "not signed in" in asyncio.run(act()).content[0].text
