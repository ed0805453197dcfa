"""The cost of tenants: searches under row level security beside the same by the owner, to whom it does not apply.

    python benchmarks/tenants.py [--rows 100000] [--dimensions 384] [--postgres 18]

One tenant with all the rows, then a thousand with a thousandth each, in one table and in partitions. Prints Markdown
tables: p50 and p95 of each kind of search as a role under row level security, and as the owner. The bare query beside a
member's search is in releases.py.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from dataset import Rows, arguments, build, clustered, server
from load import corpus
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine.search import vector_literal

MANY = 1000
PARTITIONS = 16
NAME = "notes"
SEARCHES = {
    "vector": "select id, content, metadata, similarity from match_documents"
    "(%(vector)s, 10, collection => %(collection)s{tenant})",
    "vector, a filter that 10 % pass": "select id from match_documents"
    "(%(vector)s, 10, %(tenth)s, collection => %(collection)s{tenant})",
    "vector, a filter that 0.1 % pass": "select id from match_documents"
    "(%(vector)s, 10, %(thousandth)s, collection => %(collection)s{tenant})",
    "keyword": "select id from keyword_search(%(text)s, 10, collection => %(collection)s{tenant})",
    "hybrid": "select id from hybrid_search(%(text)s, %(vector)s, 10, collection => %(collection)s{tenant})",
}


def main() -> None:
    parser = arguments("Latency of searches with tenants.")
    parser.add_argument("--queries", type=int, default=200)
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, chosen.queries)
    texts, _ = corpus(chosen.rows, 1)
    with server(chosen.postgres) as (where, _):
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions\n")
        for partition in (None, PARTITIONS):
            for tenants in (1, MANY):
                print(f"Tenants: {tenants:,}; tables: {partition or 1}\n")
                fill(where, rows, texts, alike(tenants), partition)
                compare(where, texts, queries, tenants)


def tenant(number: int, tenants: int) -> UUID:
    """The tenant of the row or query of that number, of so many tenants that have equally many."""
    return UUID(int=1 + number % tenants)


def alike(tenants: int) -> Callable[[int], UUID]:
    """The tenant of a row by its number."""
    return lambda number: tenant(number, tenants)


def fill(
    where: Target, rows: Rows, texts: list[str], whose: Callable[[int], UUID], partition: int | None = None
) -> None:
    """Create collection `notes` again with these rows, each of the tenant for its number, and an HNSW index.

    By the functions of the engine only, since an earlier release may be installed.
    """
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        if connection.execute("select true from pgvec.collections as c where c.name = %s", (NAME,)).fetchone():
            connection.execute("select pgvec.drop_collection(%s)", (NAME,))
        connection.execute(
            "select pgvec.create_collection(%s, %s, access => 'tenant', partition => %s)",
            (NAME, rows.vectors.shape[1], partition),
        )
        columns = f"copy {NAME} (tenant_id, id, content, metadata, embedding) from stdin"
        with connection.cursor() as cursor, cursor.copy(columns.encode()) as copy:
            for number, (text, vector) in enumerate(zip(texts, rows.vectors, strict=True)):
                copy.write_row((whose(number), str(number), text, Jsonb(rows.metadata[number]), vector_literal(vector)))
        connection.execute("select pgvec.refresh_statistics(%s)", (NAME,))
        build(connection, NAME)


@contextmanager
def connect(where: Target, *, member: bool) -> Iterator[Connection]:
    """A connection as the owner, or as a role under row level security."""
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute("select '[1]'::extensions.vector")
        if member:
            connection.execute("set role pgvec_reader")
        yield connection


def questions(texts: list[str], queries: Rows, tenants: int) -> list[dict[str, str]]:
    """The parameters of SEARCHES, one set a query."""
    chosen = random.Random(1)
    return [
        {
            "collection": NAME,
            "vector": vector_literal(vector),
            "tenth": json.dumps({"tenth": number % 10}),
            "thousandth": json.dumps({"thousandth": number}),
            # five words of an existing text
            "text": " ".join(chosen.sample(texts[number * len(texts) // len(queries.vectors)].split(), 5)),
            "tenant": str(tenant(number, tenants)),
        }
        for number, vector in enumerate(queries.vectors)
    ]


def compare(where: Target, texts: list[str], queries: Rows, tenants: int) -> None:
    """Every kind of search, as a member and as the owner, in turn."""
    asked = questions(texts, queries, tenants)
    print("| search | member p50 ms | p95 ms | owner p50 ms | p95 ms | member over owner, p50 |")
    print("|---|---:|---:|---:|---:|---:|")
    with connect(where, member=True) as member, connect(where, member=False) as owner:
        for name, statement in SEARCHES.items():
            as_member, as_owner = [], []
            for round_ in range(4):
                for parameters in asked:
                    member.execute("select set_config('app.tenant_id', %s, false)", (parameters["tenant"],))
                    took = timed(member, statement.format(tenant=""), parameters)
                    owned = timed(owner, statement.format(tenant=", for_tenant => %(tenant)s"), parameters)
                    if round_:
                        as_member.append(took)
                        as_owner.append(owned)
            ratio = np.percentile(as_member, 50) / np.percentile(as_owner, 50)
            cells = [f"{np.percentile(of, share):.2f}" for of in (as_member, as_owner) for share in (50, 95)]
            print(f"| {name} | {' | '.join(cells)} | {ratio:.2f} |")
    print()


def timed(connection: Connection, statement: str, parameters: dict[str, str]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    connection.execute(statement.encode(), parameters).fetchall()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
