"""Searches for people: the same functions that every client calls, with a headline beside each row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgvec_admin.database import Connection
from pgvec_admin.engine import calls
from pgvec_admin.resources import query


@dataclass(frozen=True)
class Hit:
    """A row found: `score` is the similarity of a vector search, the keyword score of a keyword search.

    In a hybrid search it is the fused score, and the two scores that it is made of are given too.
    """

    id: str
    score: float
    headline: str
    content: str
    metadata: dict[str, Any]
    similarity: float | None = None
    keyword_score: float | None = None


@dataclass(frozen=True)
class Explanation:
    """The route of a vector search: `estimate` of the matches, `ms` of the call, `plan` of its last query."""

    route: str
    estimate: int | None
    index: str | None
    ef_search: int | None
    rows: int
    ms: float
    plan: str


@dataclass(frozen=True)
class Reading:
    """How `keyword_search` and `hybrid_search` read a text: their parameters of these names."""

    syntax: str = "web"
    fuzzy: bool = False
    prefix: bool = False


AS_IT_IS = Reading()


def vector_literal(embedding: Iterable[float]) -> str:
    """pgvector's text form of a vector."""
    return "[" + ",".join(repr(float(value)) for value in embedding) + "]"


def by_vector(
    connection: Connection,
    text: str,
    embedding: Iterable[float],
    *,
    collection: str = "documents",
    match_count: int = 10,
    filter: dict[str, Any] | None = None,  # noqa: A002 - the name of the SQL parameter
    match_threshold: float | None = None,
    distance: str | None = None,
) -> list[Hit]:
    """`match_documents`; `text` only marks words in the headlines."""
    with connection.cursor(row_factory=class_row(Hit)) as cursor:
        return cursor.execute(
            calls.exact(connection, query("search/vector")),
            {
                "text": text,
                "embedding": vector_literal(embedding),
                "count": match_count,
                "filter": Jsonb(filter or {}),
                "threshold": match_threshold,
                "collection": collection,
                "distance": distance,
            },
        ).fetchall()


def by_keyword(
    connection: Connection,
    text: str,
    *,
    collection: str = "documents",
    match_count: int = 10,
    filter: dict[str, Any] | None = None,  # noqa: A002
    ranking: str | None = None,
    reading: Reading = AS_IT_IS,
) -> list[Hit]:
    """`keyword_search` with headlines; `ranking` None means the function's default."""
    with connection.cursor(row_factory=class_row(Hit)) as cursor:
        return cursor.execute(
            calls.exact(connection, query("search/keyword")),
            {
                "text": text,
                "count": match_count,
                "filter": Jsonb(filter or {}),
                "collection": collection,
                "ranking": ranking,
                **asdict(reading),
            },
        ).fetchall()


def by_hybrid(
    connection: Connection,
    text: str,
    embedding: Iterable[float],
    *,
    collection: str = "documents",
    match_count: int = 10,
    filter: dict[str, Any] | None = None,  # noqa: A002
    match_threshold: float | None = None,
    ranking: str | None = None,
    fusion: str | None = None,
    group_by: str | None = None,
    reading: Reading = AS_IT_IS,
) -> list[Hit]:
    """`hybrid_search` with headlines; None means the function's default."""
    with connection.cursor(row_factory=class_row(Hit)) as cursor:
        return cursor.execute(
            calls.exact(connection, query("search/hybrid")),
            {
                "text": text,
                "embedding": vector_literal(embedding),
                "count": match_count,
                "filter": Jsonb(filter or {}),
                "threshold": match_threshold,
                "ranking": ranking,
                "fusion": fusion,
                "group_by": group_by,
                "collection": collection,
                **asdict(reading),
            },
        ).fetchall()


def by_text(
    connection: Connection,
    text: str,
    *,
    collection: str = "documents",
    match_count: int = 10,
    filter: dict[str, Any] | None = None,  # noqa: A002
    match_threshold: float | None = None,
    group_by: str | None = None,
) -> list[Hit]:
    """`search` with headlines: hybrid by the vectors of words that were fitted, without a model."""
    with connection.cursor(row_factory=class_row(Hit)) as cursor:
        return cursor.execute(
            calls.exact(connection, query("search/text")),
            {
                "text": text,
                "count": match_count,
                "filter": Jsonb(filter or {}),
                "threshold": match_threshold,
                "group_by": group_by,
                "collection": collection,
            },
        ).fetchall()


def is_fitted(connection: Connection, collection: str) -> bool:
    """Whether `search` has vectors of words for a collection: see `pgvec.fit_status`."""
    return connection.execute("select from pgvec.fit_status(%s)", (collection,)).fetchone() is not None


def explain(
    connection: Connection,
    embedding: Iterable[float],
    *,
    collection: str = "documents",
    match_count: int = 10,
    filter: dict[str, Any] | None = None,  # noqa: A002
    distance: str | None = None,
) -> Explanation:
    """How `match_documents` answers this search."""
    with connection.cursor(row_factory=class_row(Explanation)) as cursor:
        found = cursor.execute(
            "select * from pgvec.explain_search(%s, %s, %s, %s, %s)",
            (collection, vector_literal(embedding), match_count, Jsonb(filter or {}), distance),
        ).fetchone()
    assert found is not None
    return found


def count_missing(connection: Connection, collection: str) -> int:
    """Rows that the caller may read and that have text but no embedding, so that no search by vector finds them."""
    found = connection.execute("select pgvec.count_missing(%s)", (collection,)).fetchone()
    assert found is not None
    return int(found[0])
