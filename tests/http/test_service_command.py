"""The command that serves: it begins, ends when it is interrupted, and says why it does not begin."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from conftest import Connection


@pytest.fixture
def served(connection: Connection, database: str) -> str:
    connection.execute("select pgvec.create_collection('documents', 8)")
    return database


@contextmanager
def _serve(database: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "pgvec_admin", "serve", "--port", "0", "--database-url", database, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_serves_until_it_is_interrupted(served: str) -> None:
    with _serve(served) as process:
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


def test_the_command_does_not_open_a_database_to_the_world_unasked(served: str) -> None:
    with _serve(served, "--host", "0.0.0.0") as refused:
        _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert said == (
        "error: everybody who reaches 0.0.0.0 could read and write\n"
        "hint: set PGVEC_JWT_SECRET, PGVEC_JWKS_URL or PGVEC_ACCESS_KEYS; or say --everybody\n"
    )


def test_the_command_says_when_its_port_is_taken(served: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _serve(served, "--port", str(port)) as refused:
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
