"""The number of rows from which a repository writes faster by COPY than by a JSON argument.

    python benchmarks/repository.py [--dimensions 384]

Prints a Markdown table: microseconds a row, each number of rows new, the best of five.
"""

from __future__ import annotations

import time

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from dataset import arguments, server
from load import corpus
from pgvec_admin import database
from pgvec_admin.engine import collections
from pgvec_admin.orm import NewDocument, SyncEmbeddingRepository, repository


def main() -> None:
    chosen = arguments("Microseconds a row by COPY and by JSON.").parse_args()
    texts, vectors = corpus(1000, chosen.dimensions)
    with server(chosen.postgres) as (where, _):
        with database.connect(where, autocommit=True) as connection:
            collections.create(connection, "written", chosen.dimensions)
        engine = create_engine(where.conninfo.replace("postgresql:", "postgresql+psycopg:", 1))
        print("| rows | by JSON | by COPY | COPY over JSON |")
        print("|---:|---:|---:|---:|")
        for number in (10, 100, 1000):
            rows = [NewDocument(text, vector) for text, vector in zip(texts[:number], vectors, strict=False)]
            by_json, by_copy = (_best(engine, rows, copy_from) for copy_from in (number + 1, 1))
            print(f"| {number:,} | {by_json:.0f} | {by_copy:.0f} | {by_copy / by_json:.2f} |")


def _best(engine: Engine, rows: list[NewDocument], copy_from: int) -> float:
    repository.COPY_FROM = copy_from
    times = []
    for _ in range(5):
        with Session(engine) as session:
            started = time.perf_counter()
            SyncEmbeddingRepository(session, "written").add_embeddings(rows)
            times.append(time.perf_counter() - started)
            session.rollback()
    return min(times) / len(rows) * 1e6


if __name__ == "__main__":
    main()
