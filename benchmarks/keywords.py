"""Cost and quality of keyword and hybrid search: BM25 beside ts_rank_cd over many chunks, hybrid beside its halves.

    PGVEC_EVAL_DATA=... python benchmarks/keywords.py [--rows 250000] [--postgres 18]

Texts are real: sentences of the judged collections and of the plots of films, joined at random into chunks of about 80
words. Questions are long: the judged queries of three collections. The vectors are noise around centres, since only
time is measured with them; `pgvec-admin evaluate` measures the quality of results.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import psycopg

from dataset import Vectors, arguments, clustered, server
from pgvec_admin.database import Connection
from pgvec_admin.engine import collections, index
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record

DATA = Path(os.environ.get("PGVEC_EVAL_DATA", "."))
CORPORA = ("scifact", "cranfield", "cisi", "npl", "movies_wikipedia")
ASKED = ("scifact", "cranfield", "cisi")
DIMENSIONS = 64
SENTENCE = re.compile(r"(?<=[.!?])\s+")
Found = TypeVar("Found")

SLOW = 40  # questions for ts_rank_cd
FAST = 200


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.set_defaults(rows=250_000)
    given = parser.parse_args()
    if not (DATA / ASKED[0]).exists():
        parser.error("PGVEC_EVAL_DATA has to name the folder of the judged collections")
    chunks, questions = texts(given.rows), asked()
    rows, queries = clustered(given.rows, DIMENSIONS, FAST)
    with server(given.postgres) as (where, _):
        with psycopg.connect(where.conninfo, autocommit=True) as connection:
            started = time.perf_counter()
            fill(connection, chunks, rows.vectors)
            print(f"{given.rows:,} chunks, loaded in {time.perf_counter() - started:.0f} s\n", flush=True)
        index.create(where, "documents")
        with psycopg.connect(where.conninfo, autocommit=True) as connection:
            connection.execute("vacuum analyze documents")
            keywords(connection, questions)
            hybrid(connection, questions, queries.vectors)


def _texts(name: str, file: str) -> Iterator[str]:
    found = next((DATA / name).glob(file))
    with gzip.open(found, "rt") if found.suffix == ".gz" else found.open() as lines:
        for line in lines:
            yield json.loads(line)["text"]


def texts(number: int) -> list[str]:
    """Chunks of about 80 words, of whole sentences."""
    sentences = [
        sentence
        for name in CORPORA
        for text in _texts(name, "corpus.jsonl*")
        for sentence in SENTENCE.split(text)
        if len(sentence) > 20
    ]
    drawn = random.Random(1)
    chunks = []
    for _ in range(number):
        chunk: list[str] = []
        while sum(len(sentence.split()) for sentence in chunk) < 70:
            chunk.append(drawn.choice(sentences))
        chunks.append(" ".join(chunk))
    return chunks


def asked() -> list[str]:
    """Judged queries of at least eight words, without quotes and minus signs, which would be conditions."""
    found = [text for name in ASKED for text in _texts(name, "queries.jsonl*") if len(text.split()) >= 8]
    random.Random(2).shuffle(found)
    return [re.sub(r'"|(?<=\s)-', " ", text) for text in found[:FAST]]


def fill(connection: Connection, chunks: list[str], vectors: Vectors) -> None:
    collections.create(connection, "documents", DIMENSIONS)
    load.load_records(
        connection,
        "documents",
        (Record(id=str(n), content=chunk, metadata={}, embedding=vectors[n]) for n, chunk in enumerate(chunks)),
    )
    assert not collections.keyword_statistics(connection, "documents").due


def timed(ask: Callable[..., Found], *values: Any) -> tuple[float, Found]:
    """Milliseconds, and what was found."""
    started = time.perf_counter()
    found = ask(*values)
    return (time.perf_counter() - started) * 1000, found


def search(connection: Connection, question: str) -> list[str]:
    """The ids of the ten best."""
    rows = connection.execute("select id from keyword_search(%s, 10)", (question,)).fetchall()
    return [row[0] for row in rows]


def budget(connection: Connection, rows: int) -> None:
    connection.execute(
        "update pgvec.collections set settings = jsonb_build_object('candidate_budget', %s::int)", (rows,)
    )


def bare_rank(connection: Connection, question: str) -> list[str]:
    """The query of a tutorial, with OR."""
    rows = connection.execute(
        "select d.id from documents as d, pgvec.any_lexeme('english', %s) as q"
        " where d.fts @@ q order by ts_rank_cd(d.fts, q) desc limit 10",
        (question,),
    ).fetchall()
    return [row[0] for row in rows]


def keywords(connection: Connection, questions: list[str]) -> None:
    """BM25 within the budget and without, and ts_rank_cd, in turn."""
    for question in questions[:10]:
        search(connection, question)
    times: dict[str, list[float]] = {"BM25": [], "BM25, all words select": [], "ts_rank_cd, plain SQL": []}
    overlap = []
    for number, question in enumerate(questions):
        budget(connection, 20_000)
        took, pruned = timed(search, connection, question)
        times["BM25"].append(took)
        budget(connection, 10**9)
        took, whole = timed(search, connection, question)
        times["BM25, all words select"].append(took)
        overlap.append(len(set(pruned) & set(whole)) / max(1, len(whole)))
        if number < SLOW:
            took, _ = timed(bare_rank, connection, question)
            times["ts_rank_cd, plain SQL"].append(took)
    budget(connection, 20_000)
    slow = times["ts_rank_cd, plain SQL"]
    words = np.mean([len(question.split()) for question in questions])
    print(f"{len(questions)} questions of {words:.0f} words on average, ts_rank_cd {len(slow)} of them\n")
    print("| ranking | p50 ms | p95 ms | p95 of ts_rank_cd | overlap@10 |")
    print("|---|---:|---:|---:|---:|")
    for name, measured in times.items():
        p50, p95 = np.percentile(measured, [50, 95])
        shared = f"{np.mean(overlap):.3f}" if name == "BM25" else "1.000" if name.startswith("BM25") else ""
        print(f"| {name} | {p50:.1f} | {p95:.1f} | {p95 / np.percentile(slow, 95):.3f} | {shared} |")
    print(flush=True)


def rows_of(connection: Connection, call: str, values: tuple[str, ...]) -> list[Any]:
    """All rows of a query."""
    return connection.execute(call.encode(), values).fetchall()


def hybrid(connection: Connection, questions: list[str], vectors: Vectors) -> None:
    """hybrid_search beside its two halves one after the other, each of as many rows as it asks them for."""
    by_both = "select * from hybrid_search(%s, %s, 10)"
    by_keyword = "select * from keyword_search(%s, 100)"
    by_vector = "select * from match_documents(%s, 100)"
    times: dict[str, list[float]] = {"keyword_search": [], "match_documents": [], "hybrid_search": []}
    for question, vector in zip(questions, vectors, strict=False):
        literal = vector_literal(vector)
        for name, call, values in (
            ("keyword_search", by_keyword, (question,)),
            ("match_documents", by_vector, (literal,)),
            ("hybrid_search", by_both, (question, literal)),
        ):
            took, _ = timed(rows_of, connection, call, values)
            times[name].append(took)
    both = np.add(times["keyword_search"], times["match_documents"])
    print("| search | p50 ms | p95 ms |")
    print("|---|---:|---:|")
    for name, measured in times.items():
        print(f"| {name} | {np.percentile(measured, 50):.1f} | {np.percentile(measured, 95):.1f} |")
    print(f"\nhybrid over both halves, p50: {np.percentile(times['hybrid_search'], 50) / np.percentile(both, 50):.2f}")


if __name__ == "__main__":
    main()
