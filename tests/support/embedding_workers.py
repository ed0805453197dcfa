"""Workers that embed, as processes of their own, and what the queue and the rows have to be once they are done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg

from openai_server import OpenAIServer, vector_of

MODEL = "openai:test"
PATIENCE = 60.0
# the command, with a clock and a lease of its own, and a provider that is asked again soon
_PROGRAM = """
import sys, time
skew, clock = float(sys.argv.pop(1)), time.time
time.time = lambda: clock() + skew
from openai import _base_client as library
from pgvec_admin import cli
from pgvec_admin.embedding import run, worker
library.INITIAL_RETRY_DELAY, library.MAX_RETRY_DELAY = 0.05, 0.2
run.LEASE, worker.POLL = float(sys.argv.pop(1)), float(sys.argv.pop(1))
worker.LONGEST_PAUSE = 0.2
cli.main()
"""

Connection = psycopg.Connection[tuple[Any, ...]]
Process = subprocess.Popen[str]


def start(
    url: str, provider: OpenAIServer, *options: str, lease: float = 60.0, poll: float = 5.0, skew: float = 0.0
) -> Process:
    """`pgvec-admin embed --watch` on collection `documents`, which prints a line of JSON for each thing it does.

    Its clock is so many seconds (skew) ahead.
    """
    return subprocess.Popen(
        [
            *(sys.executable, "-c", _PROGRAM, str(skew), str(lease), str(poll), "embed", "--watch", "--json"),
            *("--base-url", provider.url, "--api-key", "none", *options),
        ],
        env=os.environ | {"PGVEC_DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def watching(
    url: str, provider: OpenAIServer, *options: str, lease: float = 60.0, poll: float = 5.0, skew: float = 0.0
) -> Iterator[Process]:
    """A worker for the duration of the block."""
    process = start(url, provider, *options, lease=lease, poll=poll, skew=skew)
    try:
        yield process
    finally:
        end(process)


def end(process: Process) -> list[dict[str, Any]]:
    """End a worker as Ctrl-C does, if it runs; what it has printed."""
    if process.poll() is None:
        process.terminate()
    try:
        printed, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    except ValueError:  # it has been read before
        printed = ""
    return [json.loads(line) for line in printed.splitlines()]


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails where it does not come."""
    over = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < over, f"waited in vain: {what}"
        time.sleep(0.05)


def count(connection: Connection, statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def jobs(connection: Connection) -> int:
    return count(connection, "select count(*) from pgvec.embedding_jobs")


def waiting(connection: Connection, workers: int = 1) -> bool:
    """Whether so many workers wait for notifications."""
    key = "(l.classid::bigint << 32 | l.objid::bigint) = pgvec.embedders_lock()"
    return (
        count(
            connection,
            f"select count(*) from pg_locks as l join pg_database as d on d.oid = l.database"
            f" where l.locktype = 'advisory' and l.mode = 'ShareLock' and d.datname = current_database() and {key}",
        )
        >= workers
    )


def done(connection: Connection) -> bool:
    """Whether nothing is left to embed."""
    return jobs(connection) == 0 and count(connection, "select pgvec.count_stale('documents')") == 0


def check_rows(connection: Connection, collection: str = "documents") -> int:
    """Every row with text has exactly the vector of its present text, and the queue is empty; how many rows."""
    row = connection.execute(
        "select coalesce(c.source, c.relation::text) from pgvec.collections as c where c.name = %s", (collection,)
    ).fetchone()
    assert row is not None
    rows = connection.execute(
        f"select d.id, d.content, d.embedding::text, d.embedded_hash, d.content_hash from {row[0]} as d".encode()
    ).fetchall()
    for id_, content, embedding, embedded_hash, content_hash in rows:
        if not (content or "").strip():
            continue
        assert embedding is not None, f"{id_!r} has no vector"
        assert embedded_hash == content_hash, f"{id_!r} is stale"
        assert np.allclose(json.loads(embedding), vector_of(content), atol=2e-3), f"{id_!r} has another text's vector"
    assert connection.execute("select * from pgvec.embedding_jobs").fetchall() == []
    return len(rows)


def check_locks(connection: Connection) -> None:
    """No advisory lock is left, once the sessions of the workers have ended."""
    left = (
        "select count(*) from pg_locks as l join pg_database as d on d.oid = l.database"
        " where l.locktype = 'advisory' and d.datname = current_database() and l.pid <> pg_backend_pid()"
    )
    until(lambda: count(connection, left) == 0, "no advisory lock")


def sent(provider: OpenAIServer) -> Counter[str]:
    """How often each text was sent to the provider."""
    return Counter(text for request in list(provider.requests) for text in request.inputs if text != "probe")
