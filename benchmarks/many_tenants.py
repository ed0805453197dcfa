"""Tenants at scale: many alike, a few, and one beside many; in one table, in partitions, in tables of their own.

    python benchmarks/many_tenants.py [--rows 100000] [--dimensions 64] [--postgres 18]

Prints a Markdown table: p50 and p95 of searches as a member of the largest tenant and of a small one, rows inserted per
second (of a hundred a statement, beside the vector index), and the seconds in which the largest tenant is isolated and
purged. Tables of their own have the largest tenants (of a thousand alike, one), and the others share one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import numpy as np
import psycopg

from dataset import Rows, arguments, clustered, server
from load import corpus
from pgvec_admin.database import Target
from pgvec_admin.engine import tenants
from pgvec_admin.engine.search import vector_literal
from tenants import NAME, PARTITIONS, SEARCHES, alike, connect, fill, timed

OWN = 0  # one table for all, and others for single tenants
LAYOUTS = {"one table": None, f"{PARTITIONS} partitions": PARTITIONS, "tables of their own": OWN}
SHAPES: dict[str, Callable[[int], UUID]] = {
    "1,000 alike": alike(1000),
    "10 alike": alike(10),
    # half of the rows are the first one's
    "one with half, 1,000 others": lambda number: UUID(int=1 if number % 2 else 2 + number // 2 % 1000),
}
LARGE = {"1,000 alike": 1, "10 alike": 10, "one with half, 1,000 others": 1}  # tenants with tables of their own
LARGEST, ANOTHER = UUID(int=1), UUID(int=2)
ASKED = {"vector": SEARCHES["vector"].format(tenant=""), "keyword": SEARCHES["keyword"].format(tenant="")}
INSERTED, A_STATEMENT = 2000, 100
INSERT = """
insert into notes (tenant_id, id, content, embedding)
select %(tenant)s, %(first)s + u.number, u.text, u.vector::extensions.vector
  from unnest(%(texts)s::text[], %(vectors)s::text[]) with ordinality as u (text, vector, number)
"""


def main() -> None:
    parser = arguments("Searches, inserts and purges with many tenants.")
    parser.add_argument("--queries", type=int, default=100)
    parser.set_defaults(dimensions=64)
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, chosen.queries)
    texts, _ = corpus(chosen.rows, 1)
    print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions\n")
    print(
        "| tenants | tables | largest: vector p50 / p95 ms | keyword | a small one: vector | keyword"
        " | inserts, rows/s | isolate, s | purge, s |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    with server(chosen.postgres) as (where, _):
        for shape, whose in SHAPES.items():
            for layout, partition in LAYOUTS.items():
                fill(where, rows, texts, whose, partition)
                isolated = f"{isolate(where, shape):.1f}" if partition == OWN else ""
                found = [search(where, one, name, texts, queries) for one in (LARGEST, ANOTHER) for name in ASKED]
                rate = insert(where, texts, queries)
                cells = [shape, layout, *found, f"{rate:,.0f}", isolated, f"{purge(where):.2f}"]
                print(f"| {' | '.join(cells)} |", flush=True)


def isolate(where: Target, shape: str) -> float:
    """Give a table of its own to the largest tenants, and return the seconds that it took for the first."""
    seconds = []
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        for tenant in range(1, 1 + LARGE[shape]):
            began = time.perf_counter()
            tenants.isolate(connection, NAME, UUID(int=tenant))
            seconds.append(time.perf_counter() - began)
    return seconds[0]


def search(where: Target, tenant: UUID, name: str, texts: list[str], queries: Rows) -> str:
    """Milliseconds, p50 and p95, of one kind of search as a member; the first round is not counted."""
    took = []
    with connect(where, member=True) as member:
        member.execute("select set_config('app.tenant_id', %s, false)", (str(tenant),))
        for turn in range(3):
            for number, vector in enumerate(queries.vectors):
                words = texts[number * len(texts) // len(queries.vectors)].split()[:5]
                asked = {"collection": NAME, "vector": vector_literal(vector), "text": " ".join(words)}
                spent = timed(member, ASKED[name], asked)
                took += [spent] if turn else []
    return f"{np.percentile(took, 50):.2f} / {np.percentile(took, 95):.2f}"


def insert(where: Target, texts: list[str], queries: Rows) -> float:
    """Rows a second of the largest tenant, as the owner."""
    vectors = [vector_literal(vector) for vector in queries.vectors]
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        began = time.perf_counter()
        for first in range(0, INSERTED, A_STATEMENT):
            connection.execute(
                INSERT,
                {
                    "tenant": LARGEST,
                    "first": 10_000_000 + first,
                    "texts": [texts[number % len(texts)] for number in range(first, first + A_STATEMENT)],
                    "vectors": (vectors * A_STATEMENT)[:A_STATEMENT],
                },
            )
        return INSERTED / (time.perf_counter() - began)


def purge(where: Target) -> float:
    """Seconds in which the largest tenant's rows are gone, and the room they took with them."""
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        began = time.perf_counter()
        tenants.purge(connection, LARGEST)
        connection.execute(f"vacuum {NAME}".encode())
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
