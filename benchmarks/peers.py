"""vecs and langchain-postgres beside this project: the same rows, the same server, one run, each by its documentation.

    make bench-peers

Prints a Markdown table: rows a second of loading (no index), then, with an HNSW index (m 16, ef_construction 64), p50
latency, recall@10 and rows returned, without a filter and with one that a tenth of the rows pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from dataset import Rows, Vectors, arguments, clustered, server
from pgvec_admin.database import Target
from pgvec_admin.engine import collections, index
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record

LIMIT = 10
TENTH = 3


class Toolkit(Protocol):
    """The interface of each: a name, loading, an index, searches."""

    name: str

    def load(self, rows: Rows) -> None:
        """Store them all."""

    def build(self) -> None:
        """Build the index."""

    def search(self, query: list[float], *, filtered: bool) -> list[str]:
        """Ids, best first."""


class Ours:
    """pgvec-admin: load, index create, match_documents."""

    def __init__(self, where: Target) -> None:
        self.name = f"pgvec-admin {version('pgvec-admin')}"
        self._where = where
        self._connection = psycopg.connect(where.conninfo, autocommit=True)

    def load(self, rows: Rows) -> None:
        collections.create(self._connection, "documents", rows.vectors.shape[1])
        records = (
            Record(id=id_, content=f"text {id_}", metadata=metadata, embedding=vector)
            for id_, metadata, vector in zip(rows.ids, rows.metadata, rows.vectors, strict=True)
        )
        load.load_records(self._connection, "documents", records)

    def build(self) -> None:
        index.create(self._where, "documents", method="hnsw", storage="vector")
        self._connection.execute("vacuum analyze documents")

    def search(self, query: list[float], *, filtered: bool) -> list[str]:
        wanted = Jsonb({"tenth": TENTH} if filtered else {})
        found = self._connection.execute(
            "select id, content, metadata, similarity from match_documents(%s, %s, %s)",
            (vector_literal(query), LIMIT, wanted),
        ).fetchall()
        return [row[0] for row in found]


class Vecs:
    """vecs: upsert, create_index, query."""

    def __init__(self, where: Target) -> None:
        import vecs

        self.name = f"vecs {version('vecs')}"
        self._vecs = vecs
        self._where = where
        # written for psycopg2, which is no longer SQLAlchemy's default
        self._client = vecs.create_client(where.conninfo.replace("postgresql://", "postgresql+psycopg2://"))
        self._docs: Any = None

    def load(self, rows: Rows) -> None:
        self._docs = self._client.get_or_create_collection(name="docs", dimension=rows.vectors.shape[1])
        self._docs.upsert(
            records=[
                (id_, vector, metadata | {"content": f"text {id_}"})
                for id_, vector, metadata in zip(rows.ids, rows.vectors, rows.metadata, strict=True)
            ]
        )

    def build(self) -> None:
        self._docs.create_index(method=self._vecs.IndexMethod.hnsw, measure=self._vecs.IndexMeasure.cosine_distance)
        with psycopg.connect(self._where.conninfo, autocommit=True) as connection:
            connection.execute("vacuum analyze vecs.docs")

    def search(self, query: list[float], *, filtered: bool) -> list[str]:
        found = self._docs.query(
            data=query,
            limit=LIMIT,
            filters={"tenth": {"$eq": TENTH}} if filtered else None,
            measure="cosine_distance",
            include_value=True,
            include_metadata=True,
        )
        return [row[0] for row in found]


class LangChain:
    """langchain-postgres: PGVectorStore with the filtered key as a metadata column, as its documentation advises."""

    def __init__(self, where: Target) -> None:
        from langchain_core.embeddings import DeterministicFakeEmbedding
        from langchain_postgres import Column, PGEngine, PGVectorStore

        self.name = f"langchain-postgres {version('langchain-postgres')}"
        self._where = where
        self._store_class, self._column = PGVectorStore, Column
        self._engine = PGEngine.from_connection_string(
            url=where.conninfo.replace("postgresql://", "postgresql+psycopg://")
        )
        self._embedding = DeterministicFakeEmbedding  # never called: the vectors are given
        self._store: Any = None

    def load(self, rows: Rows) -> None:
        dimensions = rows.vectors.shape[1]
        self._engine.init_vectorstore_table(
            table_name="langchain",
            vector_size=dimensions,
            metadata_columns=[self._column("tenth", "INTEGER")],
            id_column=self._column("langchain_id", "TEXT", nullable=False),
        )
        self._store = self._store_class.create_sync(
            engine=self._engine,
            table_name="langchain",
            embedding_service=self._embedding(size=dimensions),
            metadata_columns=["tenth"],
        )
        self._store.add_embeddings(
            texts=[f"text {id_}" for id_ in rows.ids],
            embeddings=[vector.tolist() for vector in rows.vectors],
            metadatas=rows.metadata,
            ids=rows.ids,
        )

    def build(self) -> None:
        from langchain_postgres.v2.indexes import HNSWIndex

        self._store.apply_vector_index(HNSWIndex(m=16, ef_construction=64))
        with psycopg.connect(self._where.conninfo, autocommit=True) as connection:
            connection.execute("vacuum analyze langchain")

    def search(self, query: list[float], *, filtered: bool) -> list[str]:
        wanted = {"tenth": TENTH} if filtered else None
        found = self._store.similarity_search_with_score_by_vector(query, k=LIMIT, filter=wanted)
        return [document.id for document, _ in found]


@dataclass
class Figures:
    """Seconds and answers of one toolkit at one filter."""

    seconds: list[float]
    recall: float
    rows: float


def main() -> None:
    parser = arguments("Loading and searching beside vecs and langchain-postgres.")
    parser.add_argument("--queries", type=int, default=100)
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, chosen.queries)
    with server(chosen.postgres) as (where, _):
        with psycopg.connect(where.conninfo, autocommit=True) as connection:
            # as on Supabase; both write plain VECTOR
            connection.execute("alter database postgres set search_path = public, extensions")
        makers: list[Callable[[Target], Toolkit]] = [Ours, Vecs, LangChain]
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions\n")
        print("| toolkit | load rows/s | no filter: p50 ms | recall@10 | rows | 10 %: p50 ms | recall@10 | rows |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        for make in makers:
            toolkit = make(where)
            started = time.perf_counter()
            toolkit.load(rows)
            loaded = chosen.rows / (time.perf_counter() - started)
            toolkit.build()
            shown = [f"{toolkit.name} | {loaded:,.0f}"]
            for filtered in (False, True):
                figures = measure(toolkit, rows, queries.vectors, filtered=filtered)
                p50 = float(np.median(figures.seconds)) * 1000
                shown.append(f"{p50:.2f} | {figures.recall:.3f} | {figures.rows:.1f}")
            print(f"| {' | '.join(shown)} |", flush=True)


def measure(toolkit: Toolkit, rows: Rows, queries: Vectors, *, filtered: bool) -> Figures:
    """Three rounds of all queries, of which the first warms the caches."""
    passing = np.array([not filtered or one["tenth"] == TENTH for one in rows.metadata])
    seconds: list[float] = []
    found = returned = 0
    for round_ in range(3):
        for query in queries:
            asked = query.tolist()
            started = time.perf_counter()
            ids = toolkit.search(asked, filtered=filtered)
            taken = time.perf_counter() - started
            if round_ == 0:
                nearest = np.argsort(-np.where(passing, rows.vectors @ query, -np.inf))[:LIMIT]
                found += len(set(ids) & {str(place) for place in nearest})
                returned += len(ids)
            else:
                seconds.append(taken)
    return Figures(seconds, found / len(queries) / LIMIT, returned / len(queries))


if __name__ == "__main__":
    main()
