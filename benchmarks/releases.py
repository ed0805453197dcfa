"""What this release's search costs beside the one before it: one server, the same rows, the same queries in turn.

    python benchmarks/releases.py [--rows 100000] [--dimensions 384] [--postgres 18]

Prints a Markdown table: p50 of match_documents of both releases and of the bare query, at several hnsw.ef_search.
"""

from __future__ import annotations

import gzip
import random
import time
from pathlib import Path

import numpy as np
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from dataset import Rows, arguments, clustered, server
from pgvec_admin import migrate
from pgvec_admin.database import Connection, Target
from pgvec_admin.search import vector_literal

BEFORE = "0.2.0"
FROZEN = Path(__file__).parent.parent / "tests" / "releases" / f"{BEFORE}.sql.gz"
BREADTHS = (20, 30, 40, 60, 100)
QUERIES, BLOCK, ROUNDS = 200, 20, 4
FUNCTION = "select id, content, metadata, similarity from match_documents(%s, 10)"
BARE = "select id, content, metadata, embedding <=> %s as distance from documents order by distance limit 10"


def main() -> None:
    chosen = arguments("Latency of this release beside the one before.").parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, QUERIES)
    vectors = [vector_literal(vector) for vector in queries.vectors]
    with server(chosen.postgres) as (where, _):
        before = _open(where, "before", rows, released=True)
        now = _open(where, "now", rows, released=False)
        print(f"| ef_search | bare query p50 ms | {BEFORE} p50 ms | now p50 ms | now over {BEFORE} | now over bare |")
        print("|---|---:|---:|---:|---:|---:|")
        for breadth in BREADTHS:
            for connection in (before, now):
                connection.execute("update pgvec.collections set settings = %s", (Jsonb({"ef_search": breadth}),))
                connection.execute(f"set hnsw.ef_search = {breadth}".encode())
            bare, old, new = compare([(now, BARE), (before, FUNCTION), (now, FUNCTION)], vectors)
            print(f"| {breadth} | {bare:.2f} | {old:.2f} | {new:.2f} | {new / old:.2f} | {new / bare:.2f} |")


def compare(ways: list[tuple[Connection, str]], vectors: list[str]) -> list[float]:
    """Milliseconds, the median of each way; blocks of queries in random order, the first round uncounted."""
    took: list[list[float]] = [[] for _ in ways]
    for turn in range(ROUNDS):
        for start in range(0, len(vectors), BLOCK):
            for number in random.sample(range(len(ways)), len(ways)):
                connection, query = ways[number]
                for vector in vectors[start : start + BLOCK]:
                    began = time.perf_counter()
                    connection.execute(query.encode(), (vector,)).fetchall()
                    if turn:
                        took[number].append((time.perf_counter() - began) * 1000)
    return [float(np.median(one)) for one in took]


def _open(where: Target, name: str, rows: Rows, *, released: bool) -> Connection:
    """A connection to a database of its own, with the engine of one release and the rows, indexed."""
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    there = make_conninfo(where.conninfo, dbname=name)
    if released:
        with psycopg.connect(there, autocommit=True) as connection:
            connection.execute(gzip.decompress(FROZEN.read_bytes()))
    else:
        migrate.migrate(Target(there, "the benchmark"), report=lambda _: None)
    connection = psycopg.connect(there, autocommit=True)
    connection.execute("select pgvec.create_collection('documents', %s)", (rows.vectors.shape[1],))
    copied = "copy documents (id, content, metadata, embedding) from stdin"
    with connection.cursor() as cursor, cursor.copy(copied.encode()) as copy:
        for number, vector in enumerate(rows.vectors):
            copy.write_row((str(number), f"text {number}", Jsonb(rows.metadata[number]), vector_literal(vector)))
    connection.execute("set maintenance_work_mem = '1GB'")
    for (statement,) in connection.execute("select statement from pgvec.index_definition('documents')").fetchall():
        connection.execute(statement.encode())
    connection.execute("select pgvec.note_index('documents')")
    connection.execute("vacuum analyze documents")
    connection.execute("set search_path = public, extensions")
    return connection


if __name__ == "__main__":
    main()
