"""What the queue of rows to embed costs an application, and how fast it is.

    python benchmarks/embedding.py [--jobs 1000000] [--drain 20000] [--only inserts claims drain latency]

The provider is the tests' HTTP server, which answers at once, on the same machine. Prints Markdown tables.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psycopg

from dataset import arguments, server
from pgvec_admin.database import Connection, Target

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from openai_server import OpenAIServer

MODEL = "openai:test"
TEXT = " ".join(f"word{number % 97}" for number in range(60))
ROUNDS = 7


def main() -> None:
    parser = arguments("What the queue of embedding costs, and how fast it is.")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--drain", type=int, default=20_000)
    parser.add_argument("--only", nargs="*", default=["inserts", "claims", "drain", "latency"])
    chosen = parser.parse_args()
    print(f"PostgreSQL {chosen.postgres}")
    with server(chosen.postgres) as (where, _), psycopg.connect(where.conninfo, autocommit=True) as connection:
        if "inserts" in chosen.only:
            inserts(connection)
        if "claims" in chosen.only:
            claims(connection, chosen.jobs)
        if "drain" in chosen.only:
            drain(connection, where, chosen.drain)
        if "latency" in chosen.only:
            latency(connection, where)


def inserts(connection: Connection) -> None:
    """Rows into a collection with a model and into one without, in turn."""
    for name, model in (("bound", MODEL), ("free", None)):
        connection.execute("select pgvec.create_collection(%s, 8, model => %s)", (name, model))
    ways: dict[str, tuple[int, Callable[[str, int], None]]] = {
        "1 a statement": (300, lambda name, round_: _one_by_one(connection, name, round_)),
        "100 a statement": (5000, lambda name, round_: _by_hundreds(connection, name, round_)),
        "COPY of 10,000": (10_000, lambda name, round_: _copy(connection, name, round_)),
    }
    print("\n| rows | without a model, rows/s | with one, rows/s | more time |\n|---|---:|---:|---:|")
    for way, (rows, write) in ways.items():
        taken: dict[str, list[float]] = {"bound": [], "free": []}
        for round_ in range(ROUNDS):
            for name in ("bound", "free") if round_ % 2 else ("free", "bound"):
                began = time.perf_counter()
                write(name, round_)
                taken[name].append(time.perf_counter() - began)
                connection.execute(f"truncate {name}".encode())
        bound, free = (float(np.median(taken[name])) for name in ("bound", "free"))
        print(f"| {way} | {rows / free:,.0f} | {rows / bound:,.0f} | {100 * (bound / free - 1):.0f} % |")


def _one_by_one(connection: Connection, name: str, round_: int) -> None:
    statement = f"insert into {name} (id, content) values (%s, %s)".encode()
    for number in range(300):
        connection.execute(statement, (f"{round_}-{number}", f"{TEXT} {number}"))


def _by_hundreds(connection: Connection, name: str, round_: int) -> None:
    statement = f"insert into {name} (id, content) select i, %s || i from unnest(%s::text[]) as i".encode()
    for part in range(50):
        connection.execute(statement, (TEXT, [f"{round_}-{part}-{number}" for number in range(100)]))


def _copy(connection: Connection, name: str, round_: int) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {name} (id, content) from stdin".encode()) as copy:
        for number in range(10_000):
            copy.write_row((f"{round_}-{number}", f"{TEXT} {number}"))


def claims(connection: Connection, jobs: int) -> None:
    """Claims of 100 entries out of many, at first and behind those of 100,000 that were embedded."""
    connection.execute("select pgvec.create_collection('claimed', 8, model => %s)", (MODEL,))
    connection.execute("alter table pgvec.embedding_jobs set (autovacuum_enabled = off)")
    connection.execute(
        "insert into pgvec.embedding_jobs (collection, id, tenant, content_hash)"
        " select 'claimed', md5(i::text), pgvec.no_tenant(), md5(i::text) from generate_series(1, %s::int) as i",
        (jobs,),
    )
    connection.execute("vacuum analyze pgvec.embedding_jobs")
    print(f"\n| claims of 100 out of {jobs:,} | p50, ms | p95, ms |\n|---|---:|---:|")
    _claim(connection, "at first", 200)
    for _ in range(min(100_000, jobs // 2) // 100):
        rows = connection.execute("select id from pgvec.lease_jobs('claimed', 100, '1 hour')").fetchall()
        connection.execute(
            "delete from pgvec.embedding_jobs as j where j.collection = 'claimed' and j.id = any (%s)",
            ([row[0] for row in rows],),
        )
    _claim(connection, "after 100,000 were claimed and deleted, not vacuumed", 200)
    connection.execute("alter table pgvec.embedding_jobs reset (autovacuum_enabled)")
    connection.execute("truncate pgvec.embedding_jobs")


def _claim(connection: Connection, when: str, times: int) -> None:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        rows = connection.execute("select * from pgvec.lease_jobs('claimed', 100, '1 hour')").fetchall()
        taken.append(1000 * (time.perf_counter() - began))
        assert len(rows) == 100
    print(f"| {when} | {np.percentile(taken, 50):.1f} | {np.percentile(taken, 95):.1f} |")


@contextmanager
def watching(where: Target, provider: OpenAIServer, collection: str) -> Iterator[None]:
    """A worker, as a process of its own."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from pgvec_admin import cli; cli.main()", "embed", "--watch", "-c", collection),
            *("--base-url", provider.url, "--api-key", "none"),
        ],
        env=os.environ | {"PGVEC_DATABASE_URL": where.conninfo},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def drain(connection: Connection, where: Target, rows: int) -> None:
    """How long one worker and two take for a queue."""
    print(f"\n| workers | {rows:,} rows, s | rows/s |\n|---:|---:|---:|")
    for workers in (1, 2, 1, 2):
        connection.execute("select pgvec.create_collection('drained', 8, model => %s)", (MODEL,))
        connection.execute(
            "insert into drained (id, content) select i::text, %s || i from generate_series(1, %s::int) as i",
            (TEXT, rows),
        )
        with OpenAIServer() as provider, ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(watching(where, provider, "drained"))
            while not any(request.inputs != ["probe"] for request in list(provider.requests)):
                time.sleep(0.002)
            began = time.perf_counter()
            while _left(connection, "drained"):
                time.sleep(0.02)
            taken = time.perf_counter() - began
        print(f"| {workers} | {taken:.1f} | {rows / taken:,.0f} |")
        connection.execute("select pgvec.drop_collection('drained')")


def latency(connection: Connection, where: Target) -> None:
    """How long after its insertion a row has a vector."""
    connection.execute("select pgvec.create_collection('watched', 8, model => %s)", (MODEL,))
    taken = []
    with OpenAIServer() as provider, watching(where, provider, "watched"):
        for number in range(210):
            began = time.perf_counter()
            connection.execute("insert into watched (id, content) values (%s, %s)", (str(number), f"{TEXT} {number}"))
            while _left(connection, "watched"):
                time.sleep(0.001)
            taken.append(1000 * (time.perf_counter() - began))
            time.sleep(0.01 * (number % 7))
    p50, p95 = np.percentile(taken[10:], [50, 95])
    print("\n| insert to searchable | p50, ms | p95, ms |\n|---|---:|---:|")
    print(f"| 200 rows, one at a time | {p50:.0f} | {p95:.0f} |")


def _left(connection: Connection, name: str) -> bool:
    row = connection.execute(f"select exists (select from {name} where embedding is null)".encode()).fetchone()
    return bool(row and row[0])


if __name__ == "__main__":
    main()
