"""Shared by the benchmarks: clustered vectors with metadata to filter by, in a collection on a separate server."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import collections, index
from pgvec_admin.install import migrate
from pgvec_admin.loading import load, readers
from pgvec_admin.loading.reading import LoadOptions
from pgvec_admin.server import embedded

CLUSTERS = 1000
TOPICS = 10

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """`vectors` (n, dimensions) of length 1, and the metadata of each."""

    vectors: Vectors
    metadata: list[dict[str, object]]

    @property
    def ids(self) -> list[str]:
        """Ids as in the collection."""
        return [str(number) for number in range(len(self.vectors))]


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the options of every benchmark."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--postgres", type=int, default=embedded.DEFAULT_VERSION)
    return parser


def clustered(number: int, dimensions: int, queries: int) -> tuple[Rows, Rows]:
    """Rows and queries around the same centres, as texts lie around topics; uniform noise has no neighbours to find.

    Metadata: `half`, `tenth`, `hundredth`, `thousandth`, `ten_thousandth` each hold one of so many values at random,
    `year` is 2000 to 2024, and `topic` is the same for a tenth of the clusters: the rows of a topic are near each
    other, and far from a query of another.
    """
    random = np.random.default_rng(1)
    centres = random.normal(size=(CLUSTERS, dimensions))
    total = number + queries
    cluster = random.integers(CLUSTERS, size=total)
    vectors = centres[cluster] + 0.7 * random.normal(size=(total, dimensions))
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    drawn = {
        name: random.integers(values, size=total)
        for name, values in {
            "half": 2,
            "tenth": 10,
            "hundredth": 100,
            "thousandth": 1000,
            "ten_thousandth": 10_000,
        }.items()
    } | {"year": random.integers(2000, 2025, size=total), "topic": cluster % TOPICS}
    metadata: list[dict[str, object]] = [
        {name: int(values[place]) for name, values in drawn.items()} for place in range(total)
    ]
    return Rows(unit[:number], metadata[:number]), Rows(unit[number:], metadata[number:])


@contextmanager
def server(version: int) -> Iterator[tuple[Target, Path]]:
    """An embedded server with the engine, and a folder for files, both gone at the end."""
    with tempfile.TemporaryDirectory(prefix="pgvec-bench-") as folder:
        Path(folder).chmod(0o755)
        instance = embedded.Instance(version, Path(folder, "server"))
        try:
            where = Target(instance.start().url(), "the benchmark")
            migrate.migrate(where, report=lambda _: None)
            yield where, Path(folder)
        finally:
            instance.stop()


def write(rows: Rows, file: Path) -> None:
    """A Parquet file that `load` reads."""
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(rows.vectors.reshape(-1)), rows.vectors.shape[1])
    texts = [f"text {id_}" for id_ in rows.ids]
    metadata = [json.dumps(one) for one in rows.metadata]
    pq.write_table(pa.table({"id": rows.ids, "content": texts, "metadata": metadata, "embedding": embedding}), file)


def fill(where: Target, folder: Path, rows: Rows, *, indexed: bool = True) -> None:
    """Collection `documents` with these rows, and an HNSW index unless told otherwise."""
    file = folder / "rows.parquet"
    write(rows, file)
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        collections.create(connection, "documents", rows.vectors.shape[1])
        load.load_files(connection, "documents", readers.inputs([str(file)]), LoadOptions())
    if indexed:
        index.create(where, "documents", maintenance_work_mem="1GB")
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        connection.execute("vacuum analyze documents")
        connection.execute("checkpoint")


def build(connection: Connection, collection: str) -> None:
    """The HNSW index of a collection, built by the engine's functions only."""
    connection.execute("set maintenance_work_mem = '1GB'")
    for (statement,) in connection.execute(
        "select d.statement from pgvec.index_definition(%s) as d", (collection,)
    ).fetchall():
        connection.execute(statement.encode())
    connection.execute("select pgvec.note_index(%s)", (collection,))
    connection.execute(f"vacuum analyze {collection}".encode())
    connection.execute("checkpoint")
