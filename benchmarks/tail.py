"""Whether a tail without a graph would pay: new rows left out of HNSW, searched exactly beside it, and folded in later.

    python benchmarks/tail.py [--rows 100000] [--dimensions 384] [--postgres 18]

A collection with a column `fresh` is what such a tail would be at its simplest: HNSW over the rows that are not fresh,
and a list of those that are. Prints Markdown tables: rows inserted per second (of a hundred a statement) with HNSW over
all rows, with the tail, and without any vector index; a search (both halves, the ten best of either) beside one of HNSW
over all, by the length of the tail; and the rows per second that a fold takes.
"""

from __future__ import annotations

import time

import numpy as np
import psycopg

from dataset import Rows, Vectors, arguments, clustered, fill, server
from pgvec_admin.database import Connection
from pgvec_admin.engine.search import vector_literal

A_STATEMENT = 100
TAILS = (500, 1000, 2000, 5000)
LIMIT = 10
INSERT = """
insert into documents (id, content, embedding)
select u.id, 'text ' || u.id, u.embedding::extensions.vector
  from unnest(%s::text[], %s::text[]) as u (id, embedding)
"""
DISTANCE = "d.embedding operator(extensions.<=>) %(query)s::extensions.vector"
WHOLE = f"select d.id from documents as d order by {DISTANCE} limit {LIMIT}"
HALVES = f"""
select h.id
  from ((select d.id, {DISTANCE} as distance from documents as d where not d.fresh order by {DISTANCE} limit {LIMIT})
        union all
        (select d.id, {DISTANCE} from documents as d where d.fresh order by ({DISTANCE}) + 0 limit {LIMIT})) as h
 order by h.distance
 limit {LIMIT}
"""
GRAPH = "create index {name} on documents using hnsw (embedding extensions.vector_cosine_ops) {where}"


def main() -> None:
    parser = arguments("New rows beside a graph.")
    parser.add_argument("--queries", type=int, default=200)
    chosen = parser.parse_args()
    # besides: a thousand for each way of inserting, then the tails
    rows, queries = clustered(chosen.rows + 3000 + sum(TAILS), chosen.dimensions, chosen.queries)
    old = Rows(rows.vectors[: chosen.rows], rows.metadata[: chosen.rows])
    new = np.array_split(rows.vectors[chosen.rows :], (3000 + sum(TAILS)) // A_STATEMENT)
    print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions\n")
    with server(chosen.postgres) as (where, folder):
        fill(where, folder, old, indexed=False)
        with psycopg.connect(where.conninfo, autocommit=True) as connection:
            connection.execute("set maintenance_work_mem = '1GB'")
            measure(connection, new, queries)


def measure(connection: Connection, batches: list[Vectors], queries: Rows) -> None:
    """Print the tables; the batches are rows to insert."""
    none = inserted(connection, batches[:10], "none")
    connection.execute(GRAPH.format(name="whole", where="").encode())
    graph = inserted(connection, batches[10:20], "graph")
    connection.execute("alter table documents add column fresh boolean not null default false")
    connection.execute("alter table documents alter column fresh set default true")
    connection.execute("create index documents_fresh on documents (id) where fresh")
    connection.execute(GRAPH.format(name="folded", where="where not fresh").encode())
    whole = searched(connection, WHOLE, queries, without="folded")
    connection.execute("drop index whole")
    tail = inserted(connection, batches[20:30], "tail")
    print("| inserts | rows/s | over HNSW | over none |\n|---|---:|---:|---:|")
    for name, rate in (("no vector index", none), ("HNSW over all rows", graph), ("a tail", tail)):
        print(f"| {name} | {rate:,.0f} | {rate / graph:.1f} | {rate / none:.2f} |")

    print("\n| rows in the tail | p50, ms | p95, ms | p95 over HNSW alone | fold, rows/s |\n|---:|---:|---:|---:|---:|")
    print(f"| HNSW over all rows | {whole[0]:.2f} | {whole[1]:.2f} | 1.00 | |")
    folded(connection)
    at = 30
    for length in TAILS:
        count = length // A_STATEMENT
        inserted(connection, batches[at : at + count], f"tail{length}")
        at += count
        connection.execute("analyze documents")
        p50, p95 = searched(connection, HALVES, queries)
        print(f"| {length:,} | {p50:.2f} | {p95:.2f} | {p95 / whole[1]:.2f} | {folded(connection):,.0f} |", flush=True)


def inserted(connection: Connection, batches: list[Vectors], name: str) -> float:
    """Rows a second."""
    began = time.perf_counter()
    for number, vectors in enumerate(batches):
        ids = [f"{name} {number} {place}" for place in range(len(vectors))]
        connection.execute(INSERT, (ids, [vector_literal(vector) for vector in vectors]))
    return sum(map(len, batches)) / (time.perf_counter() - began)


def searched(connection: Connection, query: str, queries: Rows, without: str | None = None) -> tuple[float, float]:
    """Milliseconds, p50 and p95, in a second round; an index may be hidden from it."""
    if without:
        connection.execute("update pg_index set indisvalid = false where indexrelid = %s::regclass", (without,))
    took = []
    for turn in range(3):
        for vector in queries.vectors:
            began = time.perf_counter()
            found = connection.execute(query, {"query": vector_literal(vector)}).fetchall()
            took += [1000 * (time.perf_counter() - began)] if turn else []
            assert len(found) == LIMIT
    if without:
        connection.execute("update pg_index set indisvalid = true where indexrelid = %s::regclass", (without,))
    return float(np.percentile(took, 50)), float(np.percentile(took, 95))


def folded(connection: Connection) -> float:
    """Rows a second that get into the graph, a hundred a statement."""
    began, count = time.perf_counter(), 0
    while done := connection.execute(
        "update documents set fresh = false where id in (select id from documents where fresh limit %s)", (A_STATEMENT,)
    ).rowcount:
        count += done
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
