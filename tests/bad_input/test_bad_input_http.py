"""Bad input by HTTP: to the service's endpoints, and to the functions through the real PostgREST."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute

import bad_input
from bad_input import Case
from bad_input.shelf import STATE, fill
from conftest import Connection, searchable
from http_service import running
from pgvec_admin.api import Access, Limits, Settings, create_app
from pgvec_admin.server import embedded
from supabase_project import Project

SERVICE, GUARDED, REST = bad_input.read("http"), bad_input.read("http_guarded"), bad_input.read("rest")
LIMITS = Limits(body_bytes=100_000, text_characters=2000, requests_a_minute=0)
VALUES = {
    "{deep}": '{"a":' * 100 + "1" + "}" * 100,
    "{deeper}": '{"a":' * 2000 + "1" + "}" * 2000,
    "{long}": "x" * 3000,
    "{huge}": "x" * 200_000,
    "{random}": random.Random(1).randbytes(10_000).hex(),
    "{many}": json.dumps([1] * 16_001),
    "{documents}": json.dumps([{"content": "x", "embedding": [1, 0, 0]}] * 1001),
}
BODIES = {
    "{latin1}": b'{"query": "caf\xe9", "mode": "keyword"}',
    "{utf16}": '{"query": "x", "mode": "keyword"}'.encode("utf-16"),
}


@pytest.fixture(scope="module")
def shelf(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    with fill(server, with_engine.template_dbname, "shelf_of_http") as connection:
        yield connection


@pytest.fixture(scope="module")
def before(shelf: Connection) -> Any:
    return shelf.execute(STATE).fetchone()


@pytest.fixture(scope="module")
def service(shelf: Connection, server: embedded.Server) -> Iterator[httpx.Client]:
    with running(Settings(server.url("shelf_of_http"), limits=LIMITS)) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(shelf: Connection, server: embedded.Server) -> Iterator[httpx.Client]:
    access = Access(jwt_secret="a secret of at least thirty-two characters", keys=frozenset({"geheimes-kennwort"}))
    with running(Settings(server.url("shelf_of_http"), access=access, limits=LIMITS)) as client:
        yield client


def _ask(client: httpx.Client, case: Case) -> httpx.Response:
    parts = re.fullmatch(r"([A-Z]+) (\S+)(?: <(.*?)>)? ?(.*)", case.call)
    assert parts, case.call
    method, path, header, body = parts.groups()
    for name, value in VALUES.items():
        path, body = path.replace(name, value), body.replace(name, value)
    content = BODIES.get(body, body.encode())
    headers = {"content-type": "application/json"} if content else {}
    return client.request(
        method,
        path,
        content=content,
        headers=headers | dict(one.split(": ") for one in (header or "").split(", ") if one),
    )


def _check(answer: httpx.Response, case: Case) -> None:
    assert str(answer.status_code) == case.code, answer.text[:500]
    code, _, told = " ".join(case.told).partition(" ")
    if answer.status_code < 400:
        assert answer.text.startswith(told)
        return
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.get("code", "-") == code
    for part in (case.told[0].partition(" ")[2], *case.told[1:]):
        assert part in f"{problem['title']}\n{problem.get('detail', '')}"
    assert len(answer.text) < 3000
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("case", SERVICE, ids=str)
def test_the_service_says_what_is_wrong_with_a_request(service: httpx.Client, before: Any, case: Case) -> None:
    _check(_ask(service, case), case)


@pytest.mark.parametrize("case", GUARDED, ids=str)
def test_the_service_lets_nobody_in_by_a_malformed_key(guarded: httpx.Client, before: Any, case: Case) -> None:
    answer = _ask(guarded, case)
    _check(answer, case)
    assert "geheim" not in answer.text


def test_no_request_has_changed_anything(shelf: Connection, before: Any) -> None:
    assert shelf.execute(STATE).fetchone() == before


def test_every_endpoint_is_in_the_corpus() -> None:
    asked = {re.sub(r"^(\w+) (/[^?\s]*).*", r"\1 \2", case.call) for case in SERVICE}
    routes = [route for route in create_app(Settings("")).routes if isinstance(route, APIRoute)]
    ours = {f"{method} {route.path}" for route in routes for method in route.methods or ()}
    lacking = {
        one
        for one in ours
        if not any(re.fullmatch(one.replace("{id:path}", ".+").replace("GET /", "[A-Z]+ /"), by) for by in asked)
    }
    assert lacking == set()


@pytest.fixture(scope="module")
def project(platform: embedded.Server, installed: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with searchable(platform, installed, tmp_path_factory.mktemp("rest")) as made:
        with psycopg.connect(made.database, autocommit=True) as connection:
            connection.execute((bad_input.FOLDER / "shelf.sql").read_bytes())
        made.settle()
        yield made


@pytest.mark.parametrize("case", REST, ids=str)
def test_postgrest_answers_bad_input_with_a_status_of_the_callers(project: Project, case: Case) -> None:
    function, _, body = case.call.partition(" ")
    for name, value in VALUES.items():
        body = body.replace(name, value)
    content = BODIES.get(body, body.encode())
    answer = project.call(
        "POST", f"rpc/{function}", "service_role", content=content, headers={"content-type": "application/json"}
    )
    assert str(answer.status_code) == case.code, answer.text[:500]
    code, _, told = " ".join(case.told).partition(" ")
    if answer.status_code == 200:
        assert answer.text.startswith(told)
        return
    problem = answer.json()
    assert (problem["code"], told in problem["message"]) == (code, True), answer.text[:500]
    assert len(answer.text) < 3000


def test_rest_calls_every_public_function() -> None:
    assert {case.call.partition("(")[0] for case in bad_input.read("rpc")} == {
        case.call.partition(" ")[0] for case in REST
    }
