"""Figures from the log of searches. It is a sample: `searches` are the searches that its rows stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.resources import query

PARTS = 24  # of the time, in a series


@dataclass(frozen=True)
class SearchStats:
    """The searches of a collection by one function and route: `logged` rows that stand for `searches`.

    `short_share` of them found fewer rows than asked for; `top_score_p10`: the best score was below it in a tenth of
    them, None where nothing was ever found.
    """

    collection: str
    function: str
    route: str
    logged: int
    searches: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    returned_p50: int
    short_share: float
    top_score_p10: float | None
    top_score_p50: float | None
    last_searched_at: datetime


@dataclass(frozen=True)
class Slow:
    """A text, and the time of its slowest search in ms."""

    collection: str
    function: str
    text: str
    logged: int
    ms: float
    last_searched_at: datetime


@dataclass(frozen=True)
class Series:
    """Searches of a collection and their p95 in each of `PARTS` equal parts of the time, oldest first.

    `p95_ms` is None where there were none.
    """

    collection: str
    searches: list[int]
    p95_ms: list[float | None]


@dataclass(frozen=True)
class Size:
    """A collection's rows and bytes, and how often its indexes were scanned since the statistics were reset."""

    collection: str
    estimated_rows: int | None
    to_embed: int
    table_bytes: int
    index_bytes: int
    vector_scans: int
    keyword_scans: int
    filter_scans: int


@dataclass(frozen=True)
class FrequentFilter:
    """A filter that searches were asked with often, and an index of its own would serve (`pgvec.frequent_filters`)."""

    collection: str
    filter: dict[str, Any]
    searches: int
    p50_ms: float
    p95_ms: float
    matches: int


@dataclass(frozen=True)
class Stats:
    """All statistics since a time. On a `replica` none of searches: their log is on the primary; scans are its own."""

    since: str
    searches: list[SearchStats]
    series: list[Series]
    slowest: list[Slow]
    collections: list[Size]
    filters: list[FrequentFilter] = field(default_factory=list)
    replica: bool = False


def read(connection: Connection, collection: str | None = None, since: str = "24h") -> Stats:
    """The figures of one collection or of all; `since` is an interval as Postgres reads it: 24h, 7d, 30 min."""
    if collection is not None:
        collections.get(connection, collection)
    wanted = {"collection": collection, "since": since, "parts": PARTS}
    if database.is_replica(connection):
        return Stats(since, [], [], [], _sizes(connection, wanted), replica=True)
    with connection.cursor(row_factory=class_row(SearchStats)) as cursor:
        searches = cursor.execute(query("stats/searches").encode(), wanted).fetchall()
    with connection.cursor(row_factory=class_row(Slow)) as cursor:
        slowest = cursor.execute(query("stats/slowest").encode(), wanted).fetchall()
    parts = connection.execute(query("stats/series").encode(), wanted).fetchall()
    series = {name: Series(name, [0] * PARTS, [None] * PARTS) for name, *_ in parts}
    for name, part, count, p95 in parts:
        series[name].searches[part] = count
        series[name].p95_ms[part] = p95
    return Stats(
        since, searches, list(series.values()), slowest, _sizes(connection, wanted), _filters(connection, wanted)
    )


def _filters(connection: Connection, wanted: dict[str, Any]) -> list[FrequentFilter]:
    with connection.cursor(row_factory=class_row(FrequentFilter)) as cursor:
        return cursor.execute(
            "select c.name as collection, f.* from pgvec.collections as c"
            " cross join lateral pgvec.frequent_filters(c.name, %(since)s::interval) as f"
            " where c.name = coalesce(%(collection)s, c.name)",
            wanted,
        ).fetchall()


def _sizes(connection: Connection, wanted: dict[str, Any]) -> list[Size]:
    with connection.cursor(row_factory=class_row(Size)) as cursor:
        return cursor.execute(
            "select * from pgvec.collection_stats() where collection = coalesce(%(collection)s, collection)", wanted
        ).fetchall()
