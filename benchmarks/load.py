"""How fast `load` is, beside bare binary COPYs of the same rows into the same table, in one run on one server.

    python benchmarks/load.py [--rows 100000] [--dimensions 384]

Prints a Markdown table: rows a second, and the share of the bare COPY into a collection's table (with its triggers and
its indexes, without a vector index). The other lines of comparison are the same table with fts as a generated column
and no other derived columns, that table without the storage options of a collection, and a table of id, content and
embedding only.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pgvector import Vector
from psycopg.types.json import Jsonb

from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import collections
from pgvec_admin.install import migrate
from pgvec_admin.loading import load, readers, reading
from pgvec_admin.loading.reading import LoadOptions
from pgvec_admin.server import embedded

COLUMNS = "documents (id, source, content, metadata, embedding)"  # load records the file as well
TYPES = ["text", "text", "text", "jsonb", "bytea"]

WORDS = 20_000
WORDS_A_TEXT = 60


def main() -> None:
    parser = argparse.ArgumentParser(description="Rows a second of load and of a bare binary COPY.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is shown")
    arguments = parser.parse_args()

    texts, vectors = corpus(arguments.rows, arguments.dimensions)
    with tempfile.TemporaryDirectory(prefix="pgvec-bench-") as folder:
        Path(folder).chmod(0o755)
        instance = embedded.Instance(directory=Path(folder, "server"))
        try:
            url = instance.start().url()
            migrate.migrate(Target(url, "the benchmark"), report=lambda _: None)
            with psycopg.connect(url, autocommit=True) as connection, psycopg.connect(url, autocommit=True) as second:
                measure(connection, second, Path(folder), texts, vectors, arguments.rounds)
        finally:
            instance.stop()


def corpus(number: int, dimensions: int) -> tuple[list[str], NDArray[np.float32]]:
    """Texts of random words with the frequencies of a language, and vectors of length 1."""
    chosen = random.Random(1)
    words = ["".join(chosen.choices("abcdefghijklmnopqrstuvwxyz", k=chosen.randint(3, 10))) for _ in range(WORDS)]
    weights = [1 / (place + 1) for place in range(WORDS)]
    texts = [" ".join(chosen.choices(words, weights, k=WORDS_A_TEXT)) for _ in range(number)]
    vectors = np.random.default_rng(1).normal(size=(number, dimensions)).astype(np.float32)
    return texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def measure(
    connection: Connection,
    second: Connection,
    folder: Path,
    texts: list[str],
    vectors: NDArray[np.float32],
    rounds: int,
) -> None:
    """Run everything in turn, several times over, and print the best of each."""
    dimensions = vectors.shape[1]
    parquet, jsonl = folder / "rows.parquet", folder / "rows.jsonl"
    write_files(parquet, jsonl, texts, vectors)
    binary = [Vector(vector).to_binary() for vector in vectors]
    documents = [(str(n), str(parquet), text, Jsonb({"n": n}), binary[n]) for n, text in enumerate(texts)]

    def bare() -> None:
        connection.execute("drop table if exists bare")
        connection.execute(
            f"create table bare (id text, content text, embedding extensions.vector({dimensions}))".encode()
        )
        copy_rows(
            connection,
            "bare (id, content, embedding)",
            ["text", "text", "bytea"],
            ((str(n), text, binary[n]) for n, text in enumerate(texts)),
        )

    def into_collection() -> None:
        anew(connection, dimensions)
        copy_rows(connection, COLUMNS, TYPES, documents)

    def in_batches() -> None:
        anew(connection, dimensions)
        for first in range(0, len(texts), reading.BATCH):
            copy_rows(connection, COLUMNS, TYPES, documents[first : first + reading.BATCH])

    def into_generated(*, plain: bool = False) -> None:
        anew(connection, dimensions)
        for (trigger,) in connection.execute(
            "select tgname from pg_trigger where tgrelid = 'documents'::regclass and not tgisinternal"
        ).fetchall():
            connection.execute(f"drop trigger {trigger} on documents".encode())
        connection.execute(
            "alter table documents alter column content_hash drop not null, drop column fts, drop column bm25,"
            " add column fts tsvector generated always as (to_tsvector('english', content)) stored"
        )
        if plain:  # as people create it, without the storage options of a collection
            connection.execute(
                "alter table documents reset (toast_tuple_target), alter column embedding set storage external"
            )
        connection.execute("create index documents_fts_idx on documents using gin (fts)")
        connection.execute("checkpoint")
        copy_rows(connection, COLUMNS, TYPES, documents)

    def from_file(path: Path) -> Callable[[], None]:
        def run() -> None:
            anew(connection, dimensions)
            result = load.load_files(
                connection, "documents", readers.inputs([str(path)], None), LoadOptions(), another=lambda: second
            )
            assert result.inserted == len(texts)

        return run

    def again() -> None:
        result = load.load_files(connection, "documents", readers.inputs([str(parquet)], None), LoadOptions())
        assert result.unchanged == len(texts)

    ways: dict[str, Callable[[], None]] = {
        "bare COPY binary, table of id, content, embedding": bare,
        "bare COPY binary, the collection's table with a generated tsvector alone": into_generated,
        "the same, without the collection's storage options": lambda: into_generated(plain=True),
        "bare COPY binary into the collection": into_collection,
        f"bare COPY binary into the collection, {reading.BATCH:,} rows at a time": in_batches,
        "load, parquet": from_file(parquet),
        "load, jsonl": from_file(jsonl),
        "load, parquet, again (nothing changed)": again,
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        into_collection()
        for name, way in ways.items():
            if way is again:
                from_file(parquet)()
            started = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - started)

    base = best["bare COPY binary into the collection"]
    print(f"{len(texts):,} rows of {dimensions} dimensions, best of {rounds}\n")
    generated = best["bare COPY binary, the collection's table with a generated tsvector alone"]
    print("| way | rows/s | of the COPY into the collection | of the COPY with a generated tsvector |")
    print("|---|---:|---:|---:|")
    for name, seconds in best.items():
        print(f"| {name} | {len(texts) / seconds:,.0f} | {base / seconds:.2f} | {generated / seconds:.2f} |")


def anew(connection: Connection, dimensions: int) -> None:
    """An empty collection."""
    if any(found.name == "documents" for found in collections.status(connection)):
        collections.drop(connection, "documents")
    collections.create(connection, "documents", dimensions)
    connection.execute("checkpoint")


def copy_rows(connection: Connection, table: str, types: list[str], rows: Iterable[Sequence[object]]) -> None:
    """All rows by one binary COPY."""
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin (format binary)".encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def write_files(parquet: Path, jsonl: Path, texts: list[str], vectors: NDArray[np.float32]) -> None:
    """The corpus as files."""
    ids = [str(n) for n in range(len(texts))]
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    numbers = list(range(len(texts)))
    pq.write_table(pa.table({"id": ids, "content": texts, "n": numbers, "embedding": embedding}), parquet)
    with jsonl.open("w") as file:
        for n, text in enumerate(texts):
            row = {"id": ids[n], "content": text, "n": n, "embedding": [round(float(v), 7) for v in vectors[n]]}
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
