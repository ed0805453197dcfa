"""Behind PgBouncer in transaction mode: which driver needs which setting, and what one client leaves to the next."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from command import COMMAND, Run, in_process, interrupt
from conftest import Connection
from drivers import Call, burst
from http_service import running
from pgvec_admin.api import Settings
from pgvec_admin.database import Target, connect
from pgvec_admin.errors import TransactionPoolerError
from pgvec_admin.server import embedded
from pooler import VERSIONS, pooled

ROLE = "application"
OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
ROWS = 20
SEARCHES = {
    "match_documents": "select id from match_documents($1::text::extensions.vector, {count}, collection => '{name}')",
    "keyword_search": "select id from keyword_search($1, {count}, collection => '{name}')",
    "hybrid_search": "select id from hybrid_search($2, $1::text::extensions.vector, {count}, collection => '{name}')",
}


def _vector(row: int) -> str:
    return str([1.0 if place == row else 0.01 for place in range(ROWS)])


def _call(function: str, row: int, collection: str, count: int, word: str, tenant: str | None = None) -> Call:
    values = {"match_documents": [_vector(row)], "keyword_search": [word], "hybrid_search": [_vector(row), word]}
    return Call(SEARCHES[function].format(count=count, name=collection), values[function], tenant)


@pytest.fixture
def searchable(connection: Connection, administrator: Connection) -> Iterator[None]:
    """An open collection, and one whose rows belong to two tenants; a login role that may search."""
    connection.execute("select pgvec.create_collection('documents', %s)", (ROWS,))
    connection.execute("select pgvec.create_collection('notes', %s, access => 'tenant')", (ROWS,))
    for collection, tenant, name in (("documents", None, "row"), ("notes", OURS, "ours"), ("notes", THEIRS, "theirs")):
        rows = [
            {"id": f"{name}-{row}", "content": f"common word{row}", "embedding": _vector(row)} for row in range(ROWS)
        ]
        connection.execute("select public.upsert_documents(%s, %s, %s)", (Jsonb(rows), collection, tenant))
    administrator.execute(f"create role {ROLE} login in role pgvec_reader".encode())
    yield
    administrator.execute(f"drop role {ROLE}".encode())


# sixty, of which each returns another row
CALLS = [_call(function, row, "documents", 1, f"word{row}") for row in range(ROWS) for function in SEARCHES]
ANSWERS = [[f"row-{row}"] for row in range(ROWS) for _ in SEARCHES]

# the documented settings: docs/poolers.md
DRIVERS: dict[str, dict[str, Any]] = {
    "postgres.js": {"prepare": False},
    "node-postgres": {},
    "psycopg": {"prepare_threshold": None},
    "asyncpg": {"statement_cache_size": 0},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_sixty_searches_at_once_are_answered(
    searchable: None, server: embedded.Server, database: str, version: str
) -> None:
    with pooled(server, database, [ROLE], version=version) as url:
        for driver, options in DRIVERS.items():
            assert burst(driver, url, CALLS, rounds=2, **options) == 2 * ANSWERS, driver


@pytest.mark.parametrize("version", VERSIONS)
def test_the_tenant_of_a_transaction_reaches_no_other(
    searchable: None, server: embedded.Server, database: str, version: str
) -> None:
    calls, answers = [], []
    for row in range(ROWS):
        for name, tenant, function in zip(("ours", "theirs", None), (OURS, THEIRS, None), SEARCHES, strict=True):
            calls.append(_call(function, row, "notes", 2 * ROWS, "common", tenant))
            answers.append({f"{name}-{other}" for other in range(ROWS)} if name else "PV006")
    with pooled(server, database, [ROLE], version=version) as url:
        for driver, options in DRIVERS.items():
            told = burst(driver, url, calls, rounds=2, **options)
            assert [one[:5] if isinstance(one, str) else set(one or []) for one in told] == 2 * answers, driver


def test_a_command_that_needs_a_session_is_refused_and_leaves_nothing_in_one(
    searchable: None, server: embedded.Server, database: str, run: Run
) -> None:
    # a single session takes no turns
    for sessions, turns in ((1, "0"), (2, "0"), (2, "1"), (3, "0"), (3, "1")):
        settings = [f"server_round_robin = {turns}"]
        with pooled(server, database, ["postgres"], sessions=sessions, settings=settings) as url:
            refused = in_process("search", "common", "--mode", "keyword", "--database-url", url)
            assert (refused.returncode, "a pooler in transaction mode" in refused.stderr) == (4, True)
            with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
                paths = {connection.execute("show search_path").fetchone() for _ in range(2 * sessions)}
            assert paths == {('"$user", public',)}
    with pooled(server, database, ["postgres"], mode="session", sessions=2) as url:
        found = run("search", "common", "--mode", "keyword", "-n", "2", "--json", "--database-url", url)
        assert (found.returncode, found.stderr) == (0, "")


def test_the_service_recognises_it(searchable: None, server: embedded.Server, database: str) -> None:
    with pooled(server, database, ["postgres"]) as url, pytest.raises(TransactionPoolerError):
        connect(Target(url, "the test"))
    with pooled(server, database, ["postgres"]) as url, running(Settings(url, prepare=False)) as client:
        with ThreadPoolExecutor(12) as threads:
            asked = [{"query": f"word{row}", "mode": "keyword", "top_k": 1} for row in range(ROWS)]
            answers = list(threads.map(lambda body: client.post("/search", json=body).json(), 3 * asked))
        assert [one["results"][0]["id"] for one in answers] == 3 * [f"row-{row}" for row in range(ROWS)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("options", [(), ("--pooler",)], ids=["recognised", "told"])
def test_the_command_serves_behind_it(
    searchable: None, server: embedded.Server, database: str, version: str, options: tuple[str, ...]
) -> None:
    """`serve` connects as to a server, is refused, and goes on as behind a pooler; nothing stays in its sessions."""
    with pooled(server, database, ["postgres"], version=version) as url:
        command = [str(COMMAND), "serve", "--port", "0", "--database-url", url, *options]
        environment = os.environ | {"PGVEC_ACCESS_KEYS": KEY}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            try:
                assert process.stderr is not None
                said = process.stderr.readline()
                found = re.match(r"serving documents at (http://127.0.0.1:\d+), ", said)
                assert found, said
                _ask(found[1])
                with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
                    kept = {other.execute(KEPT).fetchone() for _ in range(9)}
                assert kept <= {('"$user", public', tenant, "none") for tenant in (None, "")}
                interrupt(process)
                assert process.returncode == 0
                assert process.stderr.read() == "stopped; what was answered stays\n"
            finally:
                process.kill()


KEY = "a-key-of-a-backend-of-thirty-two-characters"
KEPT = "select current_setting('search_path'), current_setting('app.tenant_id', true), current_setting('role')"


def _ask(address: str) -> None:
    """Searches at once, of an open collection and of two tenants, and a write."""
    with httpx.Client(base_url=address, timeout=30, headers={"X-API-Key": KEY}) as client:
        with ThreadPoolExecutor(12) as threads:
            asked = [{"query": f"word{row}", "mode": "keyword", "top_k": 1} for row in range(ROWS)]
            answers = list(threads.map(lambda body: client.post("/search", json=body), 3 * asked))
        assert [one.status_code for one in answers] == [200] * len(answers)
        assert [one.json()["results"][0]["id"] for one in answers] == 3 * [f"row-{row}" for row in range(ROWS)]
        common = {"query": "common", "mode": "keyword", "top_k": ROWS, "collection": "notes"}
        for tenant, name in ((OURS, "ours"), (THEIRS, "theirs")):
            of_tenant = client.post("/search", json=common, headers={"X-Tenant": tenant})
            assert of_tenant.status_code == 200, of_tenant.text
            assert {one["id"] for one in of_tenant.json()["results"]} == {f"{name}-{row}" for row in range(ROWS)}
        stored = client.post("/documents", json=[{"id": "new", "content": "a new word", "embedding": [1.0] * ROWS}])
        assert stored.status_code == 200, stored.text
        assert client.get("/health").status_code == 200


def test_the_command_that_serves_says_what_is_missing_behind_it_too(
    empty_database: str, server: embedded.Server, run: Run
) -> None:
    """The fallback looks for the engine again, and other errors are told as they are."""
    with pooled(server, empty_database, ["postgres"]) as url:
        refused = run("serve", "--port", "0", "--database-url", url)
    assert refused.returncode == 4
    assert "the engine is missing" in refused.stderr
    gone = run("serve", "--port", "0", "--database-url", url)
    assert gone.returncode == 3
