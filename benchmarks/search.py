"""What `match_documents` costs over the bare query, and that it finds the same: one server, one run, in turn.

    python benchmarks/search.py [--rows 100000] [--dimensions 384] [--postgres 18]

Prints a Markdown table: the median latency of the bare `order by embedding <=> $1 limit 10` at the same ef_search, of
the function, their ratio, and the recall@10 of each against an exact scan.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pgvec_admin import collections, embedded, index, load, migrate, readers
from pgvec_admin.database import Connection, Target
from pgvec_admin.load import LoadOptions
from pgvec_admin.search import vector_literal

CLUSTERS = 1000
LIMIT = 10
EF_SEARCH = 100

BARE = f"""
select id, content, metadata, embedding <=> %(query)s as distance from documents
 order by embedding <=> %(query)s limit {LIMIT}
"""
FUNCTION = f"select id, content, metadata, similarity from match_documents(%(query)s, {LIMIT})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Latency and recall of match_documents beside the bare query.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--queries", type=int, default=301)
    parser.add_argument("--postgres", type=int, default=embedded.DEFAULT_VERSION)
    arguments = parser.parse_args()

    vectors = clustered(arguments.rows + arguments.queries, arguments.dimensions)
    with tempfile.TemporaryDirectory(prefix="pgvec-bench-") as folder:
        Path(folder).chmod(0o755)
        instance = embedded.Instance(arguments.postgres, Path(folder, "server"))
        try:
            where = Target(instance.start().url(), "the benchmark")
            fill(where, Path(folder, "rows.parquet"), vectors[: arguments.rows])
            with psycopg.connect(where.conninfo, autocommit=True) as connection:
                print(f"PostgreSQL {arguments.postgres}, {arguments.rows:,} rows of {arguments.dimensions} dimensions")
                measure(connection, vectors[: arguments.rows], vectors[arguments.rows :])
        finally:
            instance.stop()


def clustered(number: int, dimensions: int) -> NDArray[np.float32]:
    """Vectors of length 1 around centres, as texts lie around topics; uniform noise has no neighbours to find."""
    random = np.random.default_rng(1)
    centres = random.normal(size=(CLUSTERS, dimensions))
    vectors = centres[random.integers(CLUSTERS, size=number)] + 0.7 * random.normal(size=(number, dimensions))
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def fill(where: Target, file: Path, vectors: NDArray[np.float32]) -> None:
    """A collection with these vectors and an HNSW index."""
    migrate.migrate(where, report=lambda _: None)
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    ids = [str(number) for number in range(len(vectors))]
    pq.write_table(pa.table({"id": ids, "content": [f"text {id_}" for id_ in ids], "embedding": embedding}), file)
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        collections.create(connection, "documents", vectors.shape[1])
        load.load_files(connection, "documents", readers.inputs([str(file)]), LoadOptions())
    index.create(where, "documents", maintenance_work_mem="1GB")
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute("vacuum analyze documents")
        connection.execute("checkpoint")


def measure(connection: Connection, vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> None:
    """Both ways for every query, in turn, and print."""
    connection.execute(f"set search_path = public, extensions; set hnsw.ef_search = {EF_SEARCH}".encode())
    exact = [set(map(str, np.argsort(-(vectors @ query))[:LIMIT])) for query in queries]
    ways = {"bare query": BARE, "match_documents": FUNCTION}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = dict.fromkeys(ways, 0)
    turns = cycle([False, True])
    for round_ in range(5):
        for query, expected in zip(queries, exact, strict=True):
            literal = vector_literal(query)
            # whoever comes second finds the graph in the processor's cache: take turns
            for name, statement in sorted(ways.items(), reverse=next(turns)):
                started = time.perf_counter()
                rows = connection.execute(statement.encode(), {"query": literal}).fetchall()
                if round_:  # the first warms the cache
                    seconds[name].append(time.perf_counter() - started)
                    found[name] += len({row[0] for row in rows} & expected)
    base = statistics.median(seconds["bare query"])
    print(f"\n| way | p50 ms | of the bare query | recall@{LIMIT} |\n|---|---:|---:|---:|")
    for name, times in seconds.items():
        middle = statistics.median(times)
        print(f"| {name} | {middle * 1000:.2f} | {middle / base:.2f} | {found[name] / len(times) / LIMIT:.3f} |")


if __name__ == "__main__":
    main()
