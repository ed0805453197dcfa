"""No token that was made up is let into the HTTP service, whoever made it and whatever it claims."""

from __future__ import annotations

import base64
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from conftest import Connection
from http_service import running
from openai_server import OpenAIServer
from pgvec_admin.api import Access, Limits, Settings
from pgvec_admin.embedding.embed import ProviderOptions

SECRET = "a secret of at least thirty-two characters"
KEY, OTHER_KEY, METRICS_KEY = "a key of a backend", "the key of another", "a key for Prometheus"
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


KEYS: dict[str, Any] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}
GOOD = {"rsa": "RS256", "p256": "ES256", "ed25519": "EdDSA"}
ALGORITHMS = [
    "none",
    "HS256",
    "HS512",
    "RS256",
    "RS512",
    "PS256",
    "ES256",
    "ES256K",
    "ES512",
    "EdDSA",
    "",
    "x",
    5,
    None,
    [],
    {},
]
CLAIMS: dict[str, Any] = {"role": "pgvec_reader", "exp": 4_000_000_000}
DEEP = b"[" * 9000 + b"]" * 9000


def _published() -> bytes:
    """The keys that an issuer publishes, including a secret that should not be there."""
    known: list[dict[str, Any]] = [
        json.loads(
            (RSAAlgorithm if kid == "rsa" else OKPAlgorithm if kid == "ed25519" else ECAlgorithm).to_jwk(
                key.public_key()
            )
        )
        | {"kid": kid, "use": "sig"}
        for kid, key in KEYS.items()
    ]
    secret = {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode(), "alg": "HS256"}
    return json.dumps({"keys": [*known, secret, {"kty": "unheard of", "kid": "odd"}, {"kid": "empty"}]}).encode()


@contextmanager
def _issuer(body: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """An address that answers this, and the requests that it got."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json", asked
        server.shutdown()


def _part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


HEADERS = [b"", b"\xff", b"{", b"5", b"[]", b"null", b'"x"', DEEP, b'{"alg":' + DEEP + b"}", b'{"alg": "RS256"}']
EXTRAS: list[dict[str, Any]] = [
    {"crit": 5}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"typ": []}, {"crit": [[]]}, {"zip": "DEF"},
]  # fmt: skip


def _made_up() -> Iterator[str]:
    kids: list[Any] = [*KEYS, "oct", "odd", "empty", "nobody's", "", None, 5, [], {}]
    for kid, algorithm, signature in itertools.product(kids, ALGORITHMS, (b"", b"x", b"x" * 64, b"x" * 256)):
        yield f"{_part({'alg': algorithm, 'kid': kid})}.{_part(CLAIMS)}.{_part(signature)}"
    for header in HEADERS:
        yield f"{_part(header)}.{_part(CLAIMS)}.{_part(b'x' * 256)}"
    for more in EXTRAS:
        for kid, algorithm in GOOD.items():
            yield f"{_part({'alg': algorithm, 'kid': kid} | more)}.{_part(CLAIMS)}.{_part(b'x' * 64)}"
    yield from ("", ".", "..", "...", "a.b", "a.b.c.d", "=.=.=", "\u00ff.\u00ff.\u00ff", "x" * 20_000, "." * 20_000)


# requests that are refused even with the right secret
WRONG: dict[str, list[Any]] = {
    "exp": [None, "", "x", [], {}, -1, 1.5, float("inf"), float("nan")],
    "nbf": ["x", [], float("inf"), 9e99],
    "iat": ["x", [], float("inf"), 9e99],
    "sub": [5, [], {}],
    "role": [None, 5, [], "", "none"],
}
CLAIMED: list[Any] = [
    *(b"", b"5", b"[]", b"null", DEEP, b"\xff", {}, {"exp": 4_000_000_000}, {"role": "pgvec_reader"}),
    *(CLAIMS | {name: wrong} for name, several in WRONG.items() for wrong in several),
]


def _sign(claims: Any) -> str:
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jwt.api_jws.encode(payload, SECRET, algorithm="HS256")


def test_no_token_that_was_made_up_is_let_in_or_is_an_error(
    guarded: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with _issuer(_published()) as (address, asked):
        access = replace(guarded.access, jwks_url=address)
        with running(replace(guarded, access=access, limits=Limits(requests_a_minute=0))) as client:

            def status(token: str) -> int:
                bearer = f"Bearer {token}".strip().encode("latin-1")
                return client.post("/search", json=WORDS, headers=[(b"authorization", bearer)]).status_code

            for kid, algorithm in GOOD.items():
                good = jwt.encode(CLAIMS, KEYS[kid], algorithm=algorithm, headers={"kid": kid})
                assert status(good) == 200, kid
                for other in (*KEYS, "oct", "nobody's"):
                    if other != kid:
                        wrong = jwt.encode(CLAIMS, KEYS[kid], algorithm=algorithm, headers={"kid": other})
                        assert status(wrong) == 401, (kid, other)
            assert status(jwt.encode(CLAIMS, SECRET, algorithm="HS256", headers={"kid": "rsa"})) == 200
            let_in = [token for token in _made_up() if status(token) != 401]
            assert let_in == []
            assert [claims for claims in CLAIMED if status(_sign(claims)) != 401] == []
    assert len(asked) <= 2
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 200), (b"{", 200), (b"[]", 200), (b'{"keys": []}', 200), (b'{"keys": 5}', 200), (DEEP, 200), (b"no", 500)],
)
def test_an_issuer_that_is_out_of_order_is_not_asked_again_at_once(guarded: Settings, body: bytes, status: int) -> None:
    token = jwt.encode(CLAIMS, KEYS["rsa"], algorithm="RS256", headers={"kid": "rsa"})
    with (
        _issuer(body, status) as (address, asked),
        running(replace(guarded, access=replace(guarded.access, jwks_url=address))) as client,
    ):
        for _ in range(5):
            answer = client.post("/search", json=WORDS, headers={"authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.post("/search", json=WORDS, headers=_token()).status_code == 200
    assert len(asked) == 1
