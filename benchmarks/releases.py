"""The cost of this release's searches beside the one before: one server, the same rows and queries, in turn.

    python benchmarks/releases.py [--rows 100000] [--dimensions 384] [--postgres 18] [--only vectors texts tenants]

Prints Markdown tables of p50: match_documents of both releases and the bare query, at several hnsw.ef_search; with
filters; texts without vectors, written by COPY and searched by their words; and every kind of search as a member, of
one tenant with all rows, and of a thousand.
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

from dataset import Rows, arguments, build, clustered, server
from load import corpus
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.install import migrate
from tenants import MANY, SEARCHES, alike, connect, fill, questions, timed

BEFORE = "0.2.0"
FROZEN = Path(__file__).parent.parent / "tests" / "releases" / f"{BEFORE}.sql.gz"
BREADTHS = (20, 30, 40, 60, 100)
FILTERS = {"half": "50 %", "tenth": "10 %", "hundredth": "1 %", "thousandth": "0.1 %", "ten_thousandth": "0.01 %"}
BLOCK, ROUNDS = 20, 4
COPIED = 2000  # rows of a COPY that is timed
FUNCTION = "select id, content, metadata, similarity from match_documents(%(vector)s, 10, %(filter)s)"
NEAREST = "order by embedding <=> %(vector)s limit 10"
BARE = f"select id, content, metadata, embedding <=> %(vector)s as distance from documents {NEAREST}"
BARE_OF_TENANTS = {
    1: BARE.replace("documents", "notes"),  # all rows belong to that tenant
    MANY: BARE.replace("documents", "notes where tenant_id = %(tenant)s"),
}

Asked = list[dict[str, str]]
Way = tuple[Connection, str]


def main() -> None:
    parser = arguments("Latency of this release beside the one before.")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=["vectors", "texts", "tenants"])
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, chosen.queries)
    texts, _ = corpus(chosen.rows, 1)
    with server(chosen.postgres) as (where, _):
        before = _database(where, "before", released=True)
        now = _database(where, "now", released=False)
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions\n")
        if "vectors" in chosen.only:
            without_tenants(before, now, rows, queries)
        if "texts" in chosen.only:
            of_texts(before, now, texts, questions(texts, queries, 1))
        for tenants in (1, MANY) if "tenants" in chosen.only else ():
            for target in (before, now):
                fill(target, rows, texts, alike(tenants))
            print(f"Tenants: {tenants:,}\n")
            with_tenants(before, now, questions(texts, queries, tenants), BARE_OF_TENANTS[tenants])


def without_tenants(before: Target, now: Target, rows: Rows, queries: Rows) -> None:
    """match_documents of an open collection, at several ef_search, and with filters."""
    asked = [
        {"vector": vector_literal(vector), "filter": "{}"} | {key: _filter(key, number) for key in FILTERS}
        for number, vector in enumerate(queries.vectors)
    ]
    with (
        psycopg.connect(before.conninfo, autocommit=True) as old,
        psycopg.connect(now.conninfo, autocommit=True) as new,
    ):
        for connection in (old, new):
            _store(connection, rows)
        _head("ef_search")
        for breadth in BREADTHS:
            for connection in (old, new):
                connection.execute("update pgvec.collections set settings = %s", (Jsonb({"ef_search": breadth}),))
                connection.execute(f"set hnsw.ef_search = {breadth}".encode())
            _row(str(breadth), compare([(new, BARE), (old, FUNCTION), (new, FUNCTION)], asked))
        for connection in (old, new):
            connection.execute("update pgvec.collections set settings = '{}'")
        print()
        _head("rows that pass")
        for key, share in FILTERS.items():
            filtered = [one | {"filter": one[key]} for one in asked]
            _row(share, [None, *compare([(old, FUNCTION), (new, FUNCTION)], filtered)])
        print()


def of_texts(before: Target, now: Target, texts: list[str], asked: Asked) -> None:
    """Texts without vectors in an open collection: seconds of COPY, blocks in random order, and keyword searches."""
    search = "select id from keyword_search(%(text)s, 10, collection => 'texts')"
    with (
        psycopg.connect(before.conninfo, autocommit=True) as old,
        psycopg.connect(now.conninfo, autocommit=True) as new,
    ):
        took: dict[Connection, list[float]] = {old: [], new: []}
        for connection in took:
            connection.execute("select pgvec.create_collection('texts', 8)")
        for start in range(0, len(texts), COPIED):
            for connection in random.sample([old, new], 2):
                began = time.perf_counter()
                with connection.cursor() as cursor, cursor.copy(b"copy texts (id, content) from stdin") as copy:
                    for number, text in enumerate(texts[start : start + COPIED], start):
                        copy.write_row((str(number), text))
                took[connection].append(time.perf_counter() - began)
        for connection in took:
            connection.execute("select pgvec.refresh_statistics('texts')")
            connection.execute("vacuum analyze texts")
        _head("texts")
        _row(f"COPY of {COPIED:,}", [None, *(1000 * float(np.median(one[1:])) for one in took.values())])
        _row("keyword", [None, *compare([(old, search), (new, search)], asked)])
        for connection in took:
            connection.execute("select pgvec.drop_collection('texts')")
    print()


def with_tenants(before: Target, now: Target, asked: Asked, bare: str) -> None:
    """Every kind of search as a member; the bare query runs as the owner, under no policies."""
    with connect(before, member=True) as old, connect(now, member=True) as new, connect(now, member=False) as owner:
        owner.execute("set search_path = public, extensions")
        _head("search")
        for name, statement in SEARCHES.items():
            search = statement.format(tenant="")
            if name == "vector":
                _row(name, compare([(owner, bare), (old, search), (new, search)], asked))
            else:
                _row(name, [None, *compare([(old, search), (new, search)], asked)])
        print()


def compare(ways: list[Way], asked: Asked) -> list[float | None]:
    """Milliseconds, the median of each way; blocks of queries in random order, the first round uncounted."""
    took: list[list[float]] = [[] for _ in ways]
    for turn in range(ROUNDS):
        for start in range(0, len(asked), BLOCK):
            for number in random.sample(range(len(ways)), len(ways)):
                connection, query = ways[number]
                for parameters in asked[start : start + BLOCK]:
                    if "tenant" in parameters:
                        connection.execute("select set_config('app.tenant_id', %s, false)", (parameters["tenant"],))
                    spent = timed(connection, query, parameters)
                    if turn:
                        took[number].append(spent)
    return [float(np.median(one)) for one in took]


def _filter(key: str, number: int) -> str:
    return f'{{"{key}": {number % 10 if key != "half" else number % 2}}}'


def _head(first: str) -> None:
    print(f"| {first} | bare query p50 ms | {BEFORE} p50 ms | now p50 ms | now over {BEFORE} | now over bare |")
    print("|---|---:|---:|---:|---:|---:|")


def _row(name: str, medians: list[float | None]) -> None:
    bare, old, new = medians
    assert old is not None
    assert new is not None
    of_bare = ("", "") if bare is None else (f"{bare:.2f}", f"{new / bare:.2f}")
    print(f"| {name} | {of_bare[0]} | {old:.2f} | {new:.2f} | {new / old:.2f} | {of_bare[1]} |", flush=True)


def _database(where: Target, name: str, *, released: bool) -> Target:
    """A separate database with the engine of one release."""
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    made = Target(make_conninfo(where.conninfo, dbname=name), "the benchmark")
    if released:
        with psycopg.connect(made.conninfo, autocommit=True) as connection:
            connection.execute(gzip.decompress(FROZEN.read_bytes()))
    else:
        migrate.migrate(made, report=lambda _: None)
    return made


def _store(connection: Connection, rows: Rows) -> None:
    connection.execute("select pgvec.create_collection('documents', %s)", (rows.vectors.shape[1],))
    copied = "copy documents (id, content, metadata, embedding) from stdin"
    with connection.cursor() as cursor, cursor.copy(copied.encode()) as copy:
        for number, vector in enumerate(rows.vectors):
            copy.write_row((str(number), f"text {number}", Jsonb(rows.metadata[number]), vector_literal(vector)))
    build(connection, "documents")
    connection.execute("set search_path = public, extensions")


if __name__ == "__main__":
    main()
