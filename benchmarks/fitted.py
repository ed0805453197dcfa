"""Search without a model: its quality beside BM25 and the real model, the time of a fit, and the time of a search.

    PGVEC_EVAL_DATA=... python benchmarks/fitted.py [--rows 100000] [--postgres 18]

Quality is NDCG@10 on the judged collections: `share` is the part of the gain of the model's hybrid search over BM25
that search without a model has. Times are of texts joined from real sentences; their vectors are noise around
centres, since only time is measured with them.
"""

from __future__ import annotations

import gzip
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg

from dataset import arguments, clustered, server
from keywords import DATA, asked, texts
from pgvec_admin.database import Connection
from pgvec_admin.engine import collections, index
from pgvec_admin.fitting import run
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record
from pgvec_admin.quality import evaluate

JUDGED = ("scifact", "cranfield", "cisi", "npl")
BARE, MODEL, FITTED = "keyword, bm25", "hybrid, dbsf", "no model"
QUERIES = 200


def _quiet(*_: object) -> None:
    """No progress."""


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--judged", nargs="*", default=JUDGED)
    parser.add_argument("--projected", action="store_true", help="turn the vectors into those of nobody's model")
    given = parser.parse_args()
    if not (DATA / JUDGED[0]).exists():
        parser.error("PGVEC_EVAL_DATA has to name the folder of the judged collections")
    with server(given.postgres) as (where, _):
        with psycopg.connect(where.conninfo, autocommit=True) as connection:
            quality(connection, given.judged, projected=given.projected)
        if given.rows:
            with psycopg.connect(where.conninfo, autocommit=True) as connection:
                fill(connection, given.rows, given.dimensions)
                fit(connection, given.dimensions)
            index.create(where, "documents")
            with psycopg.connect(where.conninfo, autocommit=True) as connection:
                connection.execute("vacuum analyze documents")
                speed(connection)


def quality(connection: Connection, names: list[str], *, projected: bool) -> None:
    """A line for each judged collection."""
    print("| set | bm25 | no model | model | share | fit s |\n|---|---|---|---|---|---|", flush=True)
    shares = []
    for name in names:
        vectors = np.load(DATA / name / "minilm.npz")
        turn = np.random.default_rng(1).normal(size=(384, 384)) / 384**0.5 if projected else np.eye(384)
        rows = dict(zip(map(str, vectors["ids"]), (vectors["E"] @ turn).astype(np.float32), strict=True))
        queries = dict(zip(map(str, vectors["qids"]), (vectors["Q"] @ turn).astype(np.float32), strict=True))
        collections.create(connection, name, 384)
        load.load_records(
            connection,
            name,
            (
                Record(str(one["id"]), f"{one.get('title') or ''}\n{one['text']}", {}, embedding=rows[str(one["id"])])
                for one in map(json.loads, _lines(name))
            ),
        )
        connection.execute("select pgvec.refresh_statistics(%s)", (name,))
        started = time.perf_counter()
        run.fit(connection, name, report=_quiet)
        taken = time.perf_counter() - started
        wanted = [
            evaluate.Query(one.id, one.text, queries[one.id].tolist())
            for one in evaluate.read_queries(_file(name, "queries.jsonl*"))
            if one.id in queries
        ]
        modes = evaluate.MODES
        evaluate.MODES = tuple(mode for mode in modes if mode.name in (BARE, MODEL, evaluate.LEGS[0]))
        result = evaluate.run(
            connection, name, wanted, evaluate.read_qrels(DATA / name / "qrels.tsv"), embed=None, report=_quiet
        )
        evaluate.MODES = modes
        ndcg = {one.mode: one.ndcg10 for one in result.results}
        shares.append((ndcg[FITTED] - ndcg[BARE]) / (ndcg[MODEL] - ndcg[BARE]))
        print(
            f"| {name} | {ndcg[BARE]:.3f} | {ndcg[FITTED]:.3f} | {ndcg[MODEL]:.3f} | {shares[-1]:.3f} | {taken:.0f} |",
            flush=True,
        )
    if shares:
        print(f"\nshare on average {np.mean(shares):.2f}, least {min(shares):.3f}\n", flush=True)


def _lines(name: str) -> Iterator[str]:
    with gzip.open(DATA / name / "corpus.jsonl.gz", "rt") as lines:
        yield from lines


def _file(name: str, pattern: str) -> Path:
    return next((DATA / name).glob(pattern))


def fill(connection: Connection, number: int, dimensions: int) -> None:
    """Texts and vectors."""
    rows, _ = clustered(number, dimensions, 0)
    collections.create(connection, "documents", dimensions)
    load.load_records(
        connection,
        "documents",
        (
            Record(str(place), text, {}, embedding=vector)
            for place, (text, vector) in enumerate(zip(texts(number), rows.vectors, strict=True))
        ),
    )
    connection.execute("select pgvec.refresh_statistics('documents')")


def fit(connection: Connection, dimensions: int) -> None:
    """The time of a fit, and the most memory of this process so far."""
    started = time.perf_counter()
    fitted = run.fit(connection, "documents", report=_quiet)
    print(
        f"fit of {fitted.rows:,} rows of {dimensions} dimensions: {time.perf_counter() - started:.0f} s,"
        f" {fitted.lexemes:,} lexemes, {fitted.bytes / 1e6:.0f} MB;"
        f" at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB of memory",
        flush=True,
    )


def speed(connection: Connection) -> None:
    """Search beside hybrid_search with a given vector, turn about."""
    taken: dict[str, list[float]] = {"search": [], "hybrid_search": []}
    for question in asked()[:QUERIES]:
        row = connection.execute("select pgvec.query_vector(%s)", (question,)).fetchone()
        assert row is not None
        calls = {
            "search": ("select id from search(%s)", (question,)),
            "hybrid_search": ("select id from hybrid_search(%s, %s)", (question, row[0])),
        }
        for _ in range(2):
            for name, (call, values) in calls.items():
                before = time.perf_counter()
                connection.execute(call.encode(), values).fetchall()
                taken[name].append((time.perf_counter() - before) * 1000)
    p50 = {name: float(np.median(values)) for name, values in taken.items()}
    print(
        f"p50 search {p50['search']:.1f} ms, hybrid_search {p50['hybrid_search']:.1f} ms:"
        f" {p50['search'] / p50['hybrid_search']:.2f}"
    )


if __name__ == "__main__":
    main()
