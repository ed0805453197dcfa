"""The HTTP service tells who is calling: tokens, keys, tenants and roles."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from psycopg.conninfo import make_conninfo

from conftest import searched
from http_service import problem, running
from pgvec_admin.api import Access, Settings
from pgvec_admin.server import embedded
from supabase_project import SECRET, token

OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
KEY, OTHER_KEY = "a key of a backend", "the key of another"


def _as(role: str = "authenticated", *tenants: str, **more: Any) -> dict[str, str]:
    claims = {"sub": OURS, "app_metadata": {"tenant_ids": list(tenants)}} | more
    return {"authorization": f"Bearer {token(role, **claims)}"}


@pytest.fixture
def shared(project_database: str) -> Settings:
    """Settings of a service over a project's database, with the rows of two tenants in one collection."""
    return _share(project_database)


@pytest.fixture(scope="module")
def kept(platform: embedded.Server, installed: str) -> Iterator[httpx.Client]:
    """A service with these settings, whose rows stay as they are."""
    with running(_share(searched(platform, installed))) as client:
        yield client


def _share(database: str) -> Settings:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 2, access => 'tenant')")
        for tenant in (OURS, THEIRS):
            rows = [{"id": f"{tenant[-1]}{number}", "content": "note", "embedding": [1, number]} for number in range(3)]
            connection.execute("select upsert_documents(%s, 'documents', %s)", (json.dumps(rows), tenant))
    where = make_conninfo(database, user="authenticator")
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
            assert problem(answer) == (403, "PV006")
        assert problem(client.get("/documents/b0", headers=_as("authenticated", OURS))) == (404, "")
        assert problem(client.delete("/documents/b0", headers=_as("authenticated", OURS))) == (404, "")
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


def test_a_role_that_may_not_write_does_not(shared: Settings, project_database: str) -> None:
    with psycopg.connect(project_database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('open', 2)")
    with running(shared) as client:
        document = {"content": "x", "embedding": [1, 1]}
        answer = client.post("/documents", params={"collection": "open"}, json=document, headers=_as("anon"))
        assert problem(answer) == (403, "42501")
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
def test_who_is_not_signed_in_is_turned_away(kept: httpx.Client, headers: dict[str, str]) -> None:
    answer = kept.post("/search", json={"query_embedding": [1, 0]}, headers=headers)
    assert problem(answer) == (401, "")
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


def test_a_key_is_for_a_backend_that_names_the_tenant(shared: Settings, project_database: str) -> None:
    backend = replace(shared, conninfo=project_database, access=Access(keys=frozenset({KEY, OTHER_KEY})))
    question = {"query_embedding": [1, 0]}
    with running(backend) as client:
        for key, tenant, wanted in ((KEY, OURS, "a0"), (OTHER_KEY, THEIRS, "b0")):
            answer = client.post("/search", json=question, headers={"x-api-key": key, "x-tenant": tenant})
            assert answer.json()["results"][0]["id"] == wanted
            assert len(answer.json()["results"]) == 3
        assert problem(client.post("/search", json=question, headers={"x-api-key": KEY})) == (403, "PV006")
        theirs = {"x-api-key": KEY, "x-tenant": THEIRS}
        for _ in range(2):  # the second time from what is kept, which is for nobody else
            assert client.post("/search", json=question | {"tenant": THEIRS}, headers=theirs).status_code == 200
        # a tenant that a backend passes on is not accepted
        for headers in ({"x-api-key": KEY, "x-tenant": OURS}, {"x-api-key": KEY}):
            passed_on = client.post("/search", json=question | {"tenant": THEIRS}, headers=headers)
            assert problem(passed_on) == (403, "PV006")
            assert problem(client.get("/documents/b0", params={"tenant": THEIRS}, headers=headers)) == (403, "PV006")
        headers = {"x-api-key": KEY, "x-tenant": "ours"}
        assert problem(client.post("/search", json=question, headers=headers)) == (422, "")
        for headers in ({"x-api-key": "wrong", "x-tenant": OURS}, {"x-tenant": OURS}, _as("service_role")):
            assert problem(client.post("/search", json=question, headers=headers)) == (401, "")


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
