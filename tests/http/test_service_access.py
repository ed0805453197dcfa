"""Who may call the HTTP service, forged tokens included, and what one caller can learn about another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from fastapi import Request
from typer.testing import CliRunner

from conftest import Connection
from http_service import running
from openai_server import OpenAIServer
from pgvec_admin.api import Access, Limits, Settings
from pgvec_admin.api.access import Gate
from pgvec_admin.cli import app
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.errors import PgvecError

SECRET = "a secret of at least thirty-two characters"
KEY, OTHER_KEY, METRICS_KEY = "a key of a backend", "the key of another", "a key for Prometheus"
OURS, THEIRS = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
WORDS = {"query": "pasta", "mode": "keyword"}


@pytest.fixture
def openai() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


@pytest.fixture
def settings(connection: Connection, database: str, openai: OpenAIServer) -> Settings:
    """Settings of a service that asks for no token."""
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
    return Settings(database, provider=ProviderOptions(base_url=openai.url, api_key="k"))


@pytest.fixture
def guarded(settings: Settings) -> Settings:
    """Settings of a service for bearers of tokens, and two backends."""
    return replace(settings, access=Access(SECRET, keys=frozenset({KEY, OTHER_KEY}), metrics_key=METRICS_KEY))


def _token(**claims: Any) -> dict[str, str]:
    told = {"role": "pgvec_reader", "exp": 4_000_000_000} | claims
    return {"authorization": f"Bearer {jwt.encode(told, SECRET, algorithm='HS256')}"}


# untrusted headers


def test_an_address_that_a_caller_claims_is_believed_of_a_proxy_alone(settings: Settings) -> None:
    limited = replace(settings, limits=Limits(requests_a_minute=2))
    for proxies, statuses in (
        ((), [200, 200, 429, 429]),
        (("127.0.0.1",), [200] * 4),
        (("10.0.0.0/8",), [200, 200, 429, 429]),
    ):
        with running(replace(limited, proxies=proxies)) as client:
            asked = [
                client.post("/search", json=WORDS, headers={"x-forwarded-for": f"203.0.113.{number}"}).status_code
                for number in range(4)
            ]
        assert asked == statuses


def _name(settings: Settings, address: str, **headers: str) -> str:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "client": (address, 1), "headers": fields})
    return asyncio.run(Gate(settings).caller(request)).name


def test_a_caller_is_remembered_by_little(guarded: Settings) -> None:
    everybody = replace(guarded, access=Access())
    assert _name(everybody, "2001:db8:1:2:3:4:5:6") == _name(everybody, "2001:db8:1:2::1")
    assert _name(everybody, "2001:db8:1:2::1") != _name(everybody, "2001:db8:1:3::1")
    assert _name(everybody, "::ffff:192.0.2.1") == _name(everybody, "192.0.2.1")
    names = [
        _name(everybody, "x" * 60_000),
        _name(guarded, "192.0.2.1", **_token(sub="x" * 20_000)),
        _name(guarded, "192.0.2.1", x_api_key=KEY, x_tenant=OURS),
    ]
    assert [len(name) for name in names] == [32] * 3


def test_who_has_no_name_is_one_caller_for_each_address(guarded: Settings) -> None:
    """Every browser has the anonymous token: one caller uses up the limit of its address, not that of all."""
    anonymous, named = _token(), _token(sub=OURS)
    assert _name(guarded, "192.0.2.1", **anonymous) != _name(guarded, "192.0.2.2", **anonymous)
    assert _name(guarded, "192.0.2.1", **named) == _name(guarded, "192.0.2.2", **named)
    assert _name(guarded, "192.0.2.1", x_api_key=KEY) == _name(guarded, "192.0.2.2", x_api_key=KEY)


# pages of others


SITES: list[tuple[dict[str, str], int]] = [
    ({"host": "localhost"}, 200),
    ({"host": "LOCALHOST:8000"}, 200),
    ({"host": "127.0.0.1:1"}, 200),
    ({"host": "[::1]:8000"}, 200),
    ({"host": "192.0.2.1"}, 200),
    ({"host": "search.internal:8000"}, 200),
    ({"host": "evil.example"}, 421),
    ({"host": "evil.example:8000"}, 421),
    ({"host": "localhost.evil.example"}, 421),
    ({"host": "127.0.0.1.evil.example"}, 421),
    ({"host": ""}, 421),
    ({"host": "["}, 421),
    ({"host": "localhost", "origin": "http://localhost"}, 200),
    ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
    ({"host": "search.internal", "origin": "https://ours.example"}, 200),
    ({"host": "localhost", "origin": "http://evil.example"}, 403),
    ({"host": "localhost:8000", "origin": "http://localhost:3000"}, 403),
    ({"host": "localhost", "origin": "null"}, 403),
    ({"host": "localhost", "origin": "http://["}, 403),
    ({"host": "localhost", "origin": ""}, 403),
]


def test_a_service_without_tokens_answers_its_own_pages_alone(settings: Settings) -> None:
    told = replace(settings, hosts=("search.internal",), origins=("https://ours.example",))
    json_type = {"content-type": "application/json"}
    with running(told) as client:
        for headers, status in SITES:
            answers = [
                client.post("/search", json=WORDS, headers=headers),
                client.post("/documents", content=b"[]", headers=headers | json_type),
                *(client.get(path, headers=headers) for path in ("/", "/openapi.json", "/health", "/metrics")),
            ]
            assert [answer.status_code for answer in answers] == [status] * len(answers), headers


def test_a_token_is_what_counts_where_there_are_some(guarded: Settings) -> None:
    with running(guarded) as client:
        asked = {"host": "search.example", "origin": "https://any.example"}
        assert client.post("/search", json=WORDS, headers=asked | {"x-api-key": KEY}).status_code == 200
        assert client.post("/search", json=WORDS, headers=asked).status_code == 401


def test_pages_that_may_call_read_why_they_are_refused(guarded: Settings) -> None:
    with running(replace(guarded, origins=("https://ours.example",))) as client:
        refused = client.post("/search", json=WORDS, headers={"origin": "https://ours.example"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://ours.example")


# what one caller can learn about another


def _tenant(*tenants: str, **claims: Any) -> dict[str, str]:
    return _token(app_metadata={"tenant_ids": list(tenants)}, **claims)


CALLERS = {
    "a backend": {"x-api-key": KEY},
    "a backend for a tenant": {"x-api-key": KEY, "x-tenant": OURS},
    "a backend for another tenant": {"x-api-key": KEY, "x-tenant": THEIRS},
    "another backend": {"x-api-key": OTHER_KEY},
    "another backend for a tenant": {"x-api-key": OTHER_KEY, "x-tenant": OURS},
    "a user of a tenant": _tenant(OURS, sub="a"),
    "another user of a tenant": _tenant(OURS, sub="b"),
    "the same user in another tenant": _tenant(THEIRS, sub="a"),
    "a user of both": _tenant(OURS, THEIRS, sub="a"),
    "a user with the same name elsewhere": _tenant(OURS, sub="a", iss="elsewhere"),
    "a service of a tenant": _tenant(OURS),
    "a service of another tenant": _tenant(THEIRS),
    "anybody": _token(),
}


@pytest.mark.parametrize("mode", ["vector", "hybrid", "distance"])
def test_what_a_caller_asked_no_other_can_tell(guarded: Settings, openai: OpenAIServer, mode: str) -> None:
    """Neither from calls of the model, which take time, nor from `cached`."""
    with running(guarded) as client:
        for name, headers in CALLERS.items():
            before = len(openai.requests)
            if mode == "distance":
                answer = client.post("/search/pgvector", json={"query": "the merger"}, headers=headers)
            else:
                answer = client.post("/search", json={"query": "the merger", "mode": mode}, headers=headers)
                assert answer.json()["cached"] is False, name
            assert (answer.status_code, len(openai.requests) - before) == (200, 1), name
        for name, headers in CALLERS.items():  # a caller may learn about itself
            before = len(openai.requests)
            answer = client.post("/search", json={"query": "the merger", "mode": "vector"}, headers=headers)
            assert (answer.status_code, len(openai.requests)) == (200, before), name
            assert mode != "vector" or answer.json()["cached"] is True, name


def test_a_token_that_is_renewed_is_of_the_same_caller(guarded: Settings, openai: OpenAIServer) -> None:
    with running(guarded) as client:
        cached = [
            client.post(
                "/search",
                json={"query": "pasta"},
                headers=_tenant(OURS, sub="a", exp=4_000_000_000 + number, iat=number, jti=str(number)),
            ).json()["cached"]
            for number in range(3)
        ]
    assert cached == [False, True, True]
    assert len(openai.requests) == 1


def test_metrics_are_for_who_has_their_key(settings: Settings, guarded: Settings) -> None:
    bearer = {"authorization": f"Bearer {METRICS_KEY}"}
    for told, right in (
        (settings, [{}]),
        (replace(settings, access=Access(metrics_key=METRICS_KEY)), [bearer]),
        (guarded, [bearer]),
        (replace(guarded, access=replace(guarded.access, metrics_key=None)), []),
    ):
        with running(told) as client:
            for headers in ({}, bearer, _token(), {"x-api-key": KEY}, {"authorization": "Bearer"}):
                answer = client.get("/metrics", headers=headers)
                if headers in right or right == [{}]:
                    assert answer.status_code == 200
                    assert "pgvec_request_seconds" in answer.text
                else:
                    assert (answer.status_code, answer.json()["title"]) == (401, "not signed in")
                    assert "PGVEC_METRICS_KEY" in answer.json()["detail"]
            searched = client.post("/search", json=WORDS, headers=bearer)
            assert searched.status_code == (200 if told.access.everybody else 401)


def test_health_tells_strangers_no_version(settings: Settings, guarded: Settings) -> None:
    with running(settings) as client:
        assert client.get("/health").json()["version"]
    with running(guarded) as client:
        assert client.get("/health").json() == {"live": True, "ready": True, "writable": True, "version": None}


# options that the command refuses


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PgvecError]:
    """The command's messages, with these options and variables and no others."""

    def refused(*options: str, **variables: str) -> PgvecError:
        for name in EMPTIED:
            monkeypatch.delenv(name, raising=False)
        command = ["serve", "--database-url", "host=127.0.0.1 port=1", *options]
        error = CliRunner().invoke(app, command, env=variables).exception
        assert isinstance(error, PgvecError)
        return error

    return refused


EMPTIED = ("PGVEC_JWT_SECRET", "PGVEC_JWKS_URL", "PGVEC_JWT_AUDIENCE", "PGVEC_ACCESS_KEYS", "PGVEC_METRICS_KEY")
SHORT_SECRET, SHORT_KEY = "x" * 31, "x" * 15


@pytest.mark.parametrize(
    ("options", "variables", "told"),
    [
        *(
            ([], {name: empty}, f"{name if not empty else '--' + name[6:].lower().replace('_', '-')} is empty")
            for name in EMPTIED
            for empty in ("", " ")
        ),
        ([], {"PGVEC_ACCESS_KEYS": " , ,"}, "--access-keys is empty"),
        (["--everybody"], {"PGVEC_ACCESS_KEYS": ""}, "PGVEC_ACCESS_KEYS is empty"),
        (["--jwt-secret", SHORT_SECRET], {}, "the secret of tokens has 31 bytes, which can be guessed"),
        ([], {"PGVEC_JWT_SECRET": SHORT_SECRET}, "the secret of tokens has 31 bytes, which can be guessed"),
        (["--access-keys", f"{KEY},{SHORT_KEY}"], {}, "an access key has 15 characters, which can be guessed"),
        (["--metrics-key", SHORT_KEY], {}, "the metrics key has 15 characters, which can be guessed"),
        (["--proxy", "*"], {}, "--proxy * is no address or network"),
        (["--proxy", "proxy.example"], {}, "--proxy proxy.example is no address or network"),
    ],
)  # fmt: skip
def test_what_protects_nothing_is_refused(
    refused: Callable[..., PgvecError], options: list[str], variables: dict[str, str], told: str
) -> None:
    error = refused(*options, **variables)
    assert (error.message, error.exit_code) == (told, 2)
    assert error.hint


def test_what_protects_is_taken(refused: Callable[..., PgvecError]) -> None:
    error = refused("--jwt-secret", "x" * 32, "--access-keys", "y" * 16, "--proxy", "10.0.0.0/8")
    assert (error.message.partition(":")[0], error.exit_code) == ("connection failed", 3)
