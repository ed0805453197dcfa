"""PgvecVectorStore: each method is one call of an SQL function."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.indices.query.embedding_utils import get_top_k_mmr_embeddings
from llama_index.core.schema import BaseNode, MetadataMode, TextNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict
from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from llama_index_pgvec import _database as calls
from llama_index_pgvec._database import Database, Row, vector_text
from llama_index_pgvec.filters import Filter, compiled

_BATCH = 500  # rows of a call
_MOST = 1000  # rows that a search returns
_ID = "_node_id"
_TEXT = (VectorStoreQueryMode.TEXT_SEARCH, VectorStoreQueryMode.SPARSE)
_EVERY: Filter = {"_no_node_has_this": {"$exists": False}}


class PgvecVectorStore(BasePydanticVectorStore):
    """The rows of a collection of pgvec-admin.

        store = PgvecVectorStore("postgresql://...", collection="documents")
        index = VectorStoreIndex.from_vector_store(store)
        index.as_retriever(vector_store_query_mode="hybrid", alpha=0.7).retrieve("pools")

    Modes: default, hybrid (`alpha` is the weight of the vector side), text_search and sparse (by keyword), mmr.
    `tenant`: whose rows, for roles that see those of all tenants. Errors are psycopg's, with SQLSTATE and hint.
    """

    stores_text: bool = True
    flat_metadata: bool = False
    collection: str = "documents"
    tenant: str | None = None
    _database: Database = PrivateAttr()

    def __init__(
        self,
        connection: str | ConnectionPool[Connection[Row]],
        *,
        collection: str = "documents",
        tenant: UUID | str | None = None,
        async_pool: AsyncConnectionPool[AsyncConnection[Row]] | None = None,
    ) -> None:
        super().__init__(collection=collection, tenant=None if tenant is None else str(tenant))  # type: ignore[call-arg]
        self._database = Database(connection, async_pool, collection, tenant)

    @classmethod
    def class_name(cls) -> str:
        """The name in serialized indexes."""
        return "PgvecVectorStore"

    @property
    def client(self) -> Any:
        """What calls the functions."""
        return self._database

    def create_collection(
        self, dimensions: int, *, distance: str = "cosine", access: str = "open", language: str = "english"
    ) -> None:
        """Make the collection, as the owner of the database, unless it is there."""
        self._database.run(calls.CREATE, dimensions=dimensions, distance=distance, access=access, language=language)

    def close(self) -> None:
        """Close the connections that the store has opened."""
        self._database.close()

    # writing

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Store nodes with their embeddings, all or none of each 500; returns their ids."""
        return [row[0] for batch in _batches(nodes) for row in self._database.run(calls.UPSERT, documents=batch)]

    async def async_add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """As add."""
        return [row[0] for batch in _batches(nodes) for row in await self._database.arun(calls.UPSERT, documents=batch)]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a document."""
        self._database.run(calls.DELETE, ids=None, source=None, filter=Jsonb({"ref_doc_id": ref_doc_id}))

    async def adelete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """As delete."""
        await self._database.arun(calls.DELETE, ids=None, source=None, filter=Jsonb({"ref_doc_id": ref_doc_id}))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete nodes by ids and filters; what is given applies together, and nothing deletes nothing."""
        if node_ids is not None or filters is not None:
            self._database.run(calls.DELETE, ids=node_ids, source=None, filter=Jsonb(compiled(filters)))

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """As delete_nodes."""
        if node_ids is not None or filters is not None:
            await self._database.arun(calls.DELETE, ids=node_ids, source=None, filter=Jsonb(compiled(filters)))

    def clear(self) -> None:
        """Delete all rows that the caller may delete, of the tenant where there is one."""
        self._database.run(calls.DELETE, ids=None, source=None, filter=Jsonb(_EVERY))

    async def aclear(self) -> None:
        """As clear."""
        await self._database.arun(calls.DELETE, ids=None, source=None, filter=Jsonb(_EVERY))

    # reading

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes by ids, or at most 1,000 embedded ones by filters, or those that are both."""
        if node_ids is not None and filters is None:
            return [_node(row) for row in self._database.run(calls.BY_IDS, ids=node_ids)]
        dimensions = self._database.run(_DIMENSIONS)[0][0]
        return [_node(row) for row in self._database.run(calls.VECTOR, **_all(dimensions, node_ids, filters))]

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """As get_nodes."""
        if node_ids is not None and filters is None:
            return [_node(row) for row in await self._database.arun(calls.BY_IDS, ids=node_ids)]
        dimensions = (await self._database.arun(_DIMENSIONS))[0][0]
        return [_node(row) for row in await self._database.arun(calls.VECTOR, **_all(dimensions, node_ids, filters))]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The best nodes, best first, with their similarities or scores."""
        statement, asked = _asked(query, kwargs)
        return _result(query, self._database.run(statement, **asked), kwargs)

    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """As query."""
        statement, asked = _asked(query, kwargs)
        return _result(query, await self._database.arun(statement, **asked), kwargs)


_DIMENSIONS = "select c.dimensions from pgvec.collection(%(collection)s) as c"


def _batches(nodes: Sequence[BaseNode]) -> Iterable[Jsonb]:
    rows = [_row(node) for node in nodes]
    return (Jsonb(rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH))


def _row(node: BaseNode) -> dict[str, Any]:
    """A node as upsert_documents takes it; the document that it comes from becomes the source of the row."""
    metadata = node_to_metadata_dict(node, remove_text=True, flat_metadata=False)
    return {
        "id": node.node_id,
        "content": node.get_content(metadata_mode=MetadataMode.NONE),
        "metadata": metadata | {_ID: node.node_id},
        "embedding": [float(number) for number in node.get_embedding()],
        "source": node.ref_doc_id,
    }


def _node(row: Row) -> BaseNode:
    """The node of a row; a row that something else has written is a plain text node."""
    id_, content, metadata = row[0], row[1], row[2]
    if "_node_content" in metadata:
        return metadata_dict_to_node(metadata, text=content)
    return TextNode(id_=id_, text=content, metadata=metadata)


def _narrowed(filters: MetadataFilters | None, **ids: list[str] | None) -> Jsonb:
    parts = [compiled(filters), *({key: {"$in": list(of)}} for key, of in ids.items() if of is not None)]
    return Jsonb({"$and": [part for part in parts if part]} if any(parts) else {})


def _all(dimensions: int, node_ids: list[str] | None, filters: MetadataFilters | None) -> dict[str, Any]:
    return {
        "embedding": vector_text([1.0] * dimensions),
        "count": _MOST,
        "filter": _narrowed(filters, **{_ID: node_ids}),
        "threshold": None,
    }


def _asked(query: VectorStoreQuery, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The statement for a query, and its parameters."""
    asked: dict[str, Any] = {
        "embedding": None if query.query_embedding is None else vector_text(query.query_embedding),
        "query": query.query_str,
        "count": query.similarity_top_k,
        "filter": _narrowed(query.filters, ref_doc_id=query.doc_ids or None, **{_ID: query.node_ids or None}),
        "threshold": options.get("match_threshold"),
    }
    if query.mode == VectorStoreQueryMode.DEFAULT:
        return calls.VECTOR, asked
    if query.mode == VectorStoreQueryMode.MMR:
        return calls.EMBEDDINGS, asked | {"count": _fetched(query, options)}
    if query.mode in _TEXT:
        return calls.KEYWORD, asked | {"count": query.sparse_top_k or query.similarity_top_k}
    if query.mode == VectorStoreQueryMode.HYBRID:
        weight = 0.5 if query.alpha is None else query.alpha
        return calls.HYBRID, asked | {
            "count": query.hybrid_top_k or query.similarity_top_k,
            "semantic_weight": weight,
            "full_text_weight": 1 - weight,
            "fusion": options.get("fusion"),
            "diversity": options.get("diversity"),
        }
    raise ValueError(f"mode {query.mode} is none of default, hybrid, text_search, sparse, mmr")


def _fetched(query: VectorStoreQuery, options: dict[str, Any]) -> int:
    return int(options.get("mmr_prefetch_k") or query.similarity_top_k * options.get("mmr_prefetch_factor", 4))


def _result(query: VectorStoreQuery, rows: list[Row], options: dict[str, Any]) -> VectorStoreQueryResult:
    if query.mode == VectorStoreQueryMode.MMR and rows:
        scores, places = get_top_k_mmr_embeddings(
            list(query.query_embedding or []),
            [json.loads(row[4]) for row in rows],
            similarity_top_k=query.similarity_top_k,
            embedding_ids=list(range(len(rows))),
            mmr_threshold=query.mmr_threshold if query.mmr_threshold is not None else options.get("mmr_threshold"),
        )
        chosen = [(rows[place], score) for place, score in zip(places, scores, strict=True)]
    else:
        chosen = [(row, row[3]) for row in rows]
    return VectorStoreQueryResult(
        nodes=[_node(row) for row, _ in chosen],
        similarities=[float(score) for _, score in chosen],
        ids=[str(row[0]) for row, _ in chosen],
    )
