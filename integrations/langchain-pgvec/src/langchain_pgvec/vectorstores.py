"""PgvecVectorStore: each method is one call of an SQL function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self
from uuid import UUID

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from langchain_pgvec import _database as calls
from langchain_pgvec._database import Database, Row, as_filter, vector_text

Mode = Literal["vector", "hybrid", "keyword"]
Filter = Mapping[str, Any]
_BATCH = 500  # rows of a call


class PgvecVectorStore(VectorStore):
    """The rows of a collection of pgvec-admin.

        store = PgvecVectorStore(embeddings, "postgresql://...", collection="documents")
        store.add_documents([Document("How pools work", metadata={"lang": "en"})])
        store.similarity_search("pools", k=4, filter={"lang": "en"}, mode="hybrid")

    `mode` is that of searches by text that name none. `tenant`: whose rows, for roles that see those of all tenants.
    Scores are similarities (of mode vector, cosine: 1 is the same), the best first. A filter is JSON with the
    operators of the functions ($eq, $in, $gte, $or, ...). Errors are psycopg's, with SQLSTATE and hint.
    """

    def __init__(
        self,
        embedding: Embeddings,
        connection: str | ConnectionPool[Connection[Row]],
        *,
        collection: str = "documents",
        tenant: UUID | str | None = None,
        mode: Mode = "vector",
        async_pool: AsyncConnectionPool[AsyncConnection[Row]] | None = None,
    ) -> None:
        self._embedding = embedding
        self._mode: Mode = mode
        self._database = Database(connection, async_pool, collection, tenant)

    @property
    def embeddings(self) -> Embeddings:
        """What texts are embedded with."""
        return self._embedding

    def create_collection(
        self, dimensions: int, *, distance: str = "cosine", access: str = "open", language: str = "english"
    ) -> None:
        """Make the collection, as the owner of the database, unless it is there."""
        self._database.run(calls.CREATE, dimensions=dimensions, distance=distance, access=access, language=language)

    def close(self) -> None:
        """Close the connections that the store has opened."""
        self._database.close()

    # writing

    def add_documents(self, documents: list[Document], **kwargs: Any) -> list[str]:
        """Embed and store documents, all or none of each 500; returns their ids. `ids` go before the documents' own."""
        vectors = self._embedding.embed_documents([document.page_content for document in documents])
        return [
            row[0]
            for batch in _batches(documents, vectors, kwargs.get("ids"))
            for row in self._database.run(calls.UPSERT, documents=batch)
        ]

    async def aadd_documents(self, documents: list[Document], **kwargs: Any) -> list[str]:
        """As add_documents."""
        vectors = await self._embedding.aembed_documents([document.page_content for document in documents])
        return [
            row[0]
            for batch in _batches(documents, vectors, kwargs.get("ids"))
            for row in await self._database.arun(calls.UPSERT, documents=batch)
        ]

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """As add_texts."""
        given = list(texts)
        if metadatas and len(metadatas) != len(given):
            raise ValueError(f"{len(given)} texts have {len(metadatas)} metadatas")
        documents = [
            Document(page_content=text, metadata=metadata)
            for text, metadata in zip(given, metadatas or [{}] * len(given), strict=True)
        ]
        return await self.aadd_documents(documents, ids=ids, **kwargs)

    def delete(
        self,
        ids: list[str] | None = None,
        *,
        source: str | None = None,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> bool:
        """Delete rows by ids, source and filter; what is given applies together. ValueError for none of these."""
        _something(ids, source, filter)
        self._database.run(calls.DELETE, ids=ids, source=source, filter=as_filter(filter))
        return True

    async def adelete(
        self,
        ids: list[str] | None = None,
        *,
        source: str | None = None,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> bool:
        """As delete."""
        _something(ids, source, filter)
        await self._database.arun(calls.DELETE, ids=ids, source=source, filter=as_filter(filter))
        return True

    # reading

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Documents by their ids, in the order of these; those that are not there are left out."""
        return [_document(row) for row in self._database.run(calls.BY_IDS, ids=list(ids))]

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """As get_by_ids."""
        return [_document(row) for row in await self._database.arun(calls.BY_IDS, ids=list(ids))]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The best documents; `filter`, `score_threshold`, `mode` and the options of hybrid_search by name."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """As similarity_search."""
        return [document for document, _ in await self.asimilarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        """As similarity_search, with the scores."""
        mode = kwargs.get("mode") or self._mode
        vector = None if mode == "keyword" else self._embedding.embed_query(query)
        return _scored(self._database.run(*_search(mode), **_asked(mode, k, vector, query, kwargs)))

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As similarity_search_with_score."""
        mode = kwargs.get("mode") or self._mode
        vector = None if mode == "keyword" else await self._embedding.aembed_query(query)
        return _scored(await self._database.arun(*_search(mode), **_asked(mode, k, vector, query, kwargs)))

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """The documents nearest to a vector."""
        return [document for document, _ in self.similarity_search_with_score_by_vector(embedding, k, **kwargs)]

    async def asimilarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """As similarity_search_by_vector."""
        found = await self.asimilarity_search_with_score_by_vector(embedding, k, **kwargs)
        return [document for document, _ in found]

    def similarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As similarity_search_by_vector, with the similarities."""
        return _scored(self._database.run(calls.VECTOR, **_asked("vector", k, embedding, None, kwargs)))

    async def asimilarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As similarity_search_with_score_by_vector."""
        return _scored(await self._database.arun(calls.VECTOR, **_asked("vector", k, embedding, None, kwargs)))

    def hybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The documents that are best by meaning and by words together."""
        return self.similarity_search(query, k, **kwargs | {"mode": "hybrid"})

    async def ahybrid_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """As hybrid_search."""
        return await self.asimilarity_search(query, k, **kwargs | {"mode": "hybrid"})

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """The documents that are near and unlike each other."""
        vector = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, **kwargs)

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """As max_marginal_relevance_search."""
        vector = await self._embedding.aembed_query(query)
        return await self.amax_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """The documents that are near a vector and unlike each other."""
        asked = _asked("vector", fetch_k, embedding, None, kwargs)
        return _unlike(self._database.run(calls.EMBEDDINGS, **asked), embedding, k, lambda_mult)

    async def amax_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """As max_marginal_relevance_search_by_vector."""
        asked = _asked("vector", fetch_k, embedding, None, kwargs)
        return _unlike(await self._database.arun(calls.EMBEDDINGS, **asked), embedding, k, lambda_mult)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda similarity: min(max(similarity, 0.0), 1.0)

    # making

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A store with these texts; `kwargs` as for the store: connection, collection, tenant, ..."""
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """As from_texts."""
        store = cls(embedding, **kwargs)
        await store.aadd_texts(texts, metadatas, ids=ids)
        return store


def _search(mode: str) -> tuple[str]:
    try:
        return ({"vector": calls.VECTOR, "hybrid": calls.HYBRID, "keyword": calls.KEYWORD}[mode],)
    except KeyError:
        raise ValueError(f"mode {mode!r} is none of vector, hybrid, keyword") from None


def _asked(
    mode: str, k: int, vector: Sequence[float] | None, query: str | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    told = {
        "embedding": None if vector is None else vector_text(vector),
        "query": query,
        "count": k,
        "filter": as_filter(options.get("filter")),
        "threshold": options.get("score_threshold"),
    }
    if mode == "hybrid":
        weights = {name: options.get(name, 1.0) for name in ("full_text_weight", "semantic_weight")}
        told |= weights | {name: options.get(name) for name in ("fusion", "diversity")}
    return told


def _batches(
    documents: Sequence[Document], vectors: Sequence[Sequence[float]], ids: Sequence[str | None] | None
) -> Iterable[Jsonb]:
    if ids is not None and len(ids) != len(documents):
        raise ValueError(f"{len(documents)} documents have {len(ids)} ids")
    rows = [
        _row(document, vector, id_ or document.id)
        for document, vector, id_ in zip(documents, vectors, ids or [None] * len(documents), strict=True)
    ]
    return (Jsonb(rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH))


def _row(document: Document, vector: Sequence[float], id_: str | None) -> dict[str, Any]:
    """A document as upsert_documents takes it; its source, if it has one, becomes that of the row."""
    row = {
        "content": document.page_content,
        "metadata": document.metadata,
        "embedding": [float(number) for number in vector],
    }
    source = document.metadata.get("source")
    return row | ({"id": str(id_)} if id_ else {}) | ({"source": source} if isinstance(source, str) else {})


def _something(ids: list[str] | None, source: str | None, filter_: Filter | None) -> None:
    if ids is None and source is None and not filter_:
        raise ValueError("name ids, a source or a filter: a whole collection is dropped by pgvec.drop_collection")


def _document(row: Row) -> Document:
    return Document(id=row[0], page_content=row[1], metadata=row[2])


def _scored(rows: Iterable[Row]) -> list[tuple[Document, float]]:
    return [(_document(row), row[3]) for row in rows]


def _unlike(rows: Sequence[Row], embedding: Sequence[float], k: int, lambda_mult: float) -> list[Document]:
    if not rows:
        return []
    vectors: list[Any] = [np.array(json.loads(row[4]), dtype=np.float32) for row in rows]
    chosen = maximal_marginal_relevance(np.array(embedding, dtype=np.float32), vectors, lambda_mult, k)
    return [_document(rows[place]) for place in chosen]
