"""Logged searches repeated: how their answers change between two settings, or between a saved state and this one.

Without judgements it cannot say which answers are better, but which have changed, how much, and where to look.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgvec_admin.database import Connection
from pgvec_admin.engine import calls, collections, search_log
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.install import functions, preflight
from pgvec_admin.resources import query

Report = Callable[[int, int | None, str], None]
Embed = Callable[[str], Iterable[float]]

DEPTH = 10
PERSISTENCE = 0.9  # of rank-biased overlap: the first ten ranks have 86 % of the weight

_SETTINGS = ("ef_search", "probes", "oversample", "candidate_budget")
_ARGUMENTS: Mapping[str, type[str] | type[int] | type[float]] = {
    "fusion": str,
    "ranking": str,
    "rrf_k": int,
    "candidates": int,
    "full_text_weight": float,
    "semantic_weight": float,
}

_CALLS = {
    "match_documents": (
        "select id from public.match_documents(query_embedding => %(embedding)s, match_count => %(depth)s,"
        " filter => %(filter)s, collection => %(collection)s, for_tenant => %(tenant)s)"
    ),
    "keyword_search": (
        "select id from public.keyword_search(query_text => %(text)s, match_count => %(depth)s, filter => %(filter)s,"
        " ranking => %(ranking)s, collection => %(collection)s, for_tenant => %(tenant)s)"
    ),
    "hybrid_search": (
        "select id from public.hybrid_search(query_text => %(text)s, query_embedding => %(embedding)s,"
        " match_count => %(depth)s, full_text_weight => %(full_text_weight)s, semantic_weight => %(semantic_weight)s,"
        " rrf_k => %(rrf_k)s, fusion => %(fusion)s, filter => %(filter)s, ranking => %(ranking)s,"
        " collection => %(collection)s, for_tenant => %(tenant)s, candidates => %(candidates)s)"
    ),
}


@dataclass(frozen=True)
class LoggedSearch:
    """A search of the log, and how often it was logged; `embedding` is pgvector's text form."""

    function: str
    text: str | None
    embedding: str | None
    filter: dict[str, Any] | None
    tenant: str | None
    logged: int

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.text or self.embedding or ""


@dataclass(frozen=True)
class Setting:
    """How a run differs from the present settings; see `parse`."""

    name: str = "now"
    settings: Mapping[str, int] = field(default_factory=dict)
    arguments: Mapping[str, str | int | float] = field(default_factory=dict)
    collection: str | None = None
    version: tuple[str, int] | None = None


@dataclass(frozen=True)
class Ranking:
    """The ids that a search found, best first, and its ms; None where it could not be repeated."""

    ids: list[str]
    ms: float


@dataclass(frozen=True)
class Change:
    """How two answers to a search differ: the share of ids in both, rank-biased overlap, and ids lost and gained."""

    search: LoggedSearch
    overlap: float
    rbo: float
    gone: list[str]
    come: list[str]


@dataclass(frozen=True)
class Comparison:
    """Two runs of the same searches, the most changed first; latencies in ms; `left_out` did not run in both."""

    before: str
    after: str
    searches: int
    left_out: int
    unchanged: int
    overlap: float
    rbo: float
    before_p50_ms: float
    after_p50_ms: float
    before_p95_ms: float
    after_p95_ms: float
    changes: list[Change]


def parse(text: str) -> Setting:
    """A setting as people write it: `ef_search=200`, `fusion=rrf,ranking=ts_rank`, `collection=NAME`, or
    `version=match_documents:3` for an earlier version of a function (`functions history` lists them).
    """
    settings: dict[str, int] = {}
    arguments: dict[str, str | int | float] = {}
    collection, version = None, None
    for part in text.split(","):
        key, _, value = (piece.strip() for piece in part.partition("="))
        try:
            if key in _SETTINGS:
                settings[key] = int(value)
            elif key in _ARGUMENTS:
                arguments[key] = _ARGUMENTS[key](value)
            elif key == "collection":
                collection = value
            elif key == "version":
                name, _, number = value.partition(":")
                version = (name, int(number))
            else:
                known = ", ".join((*_SETTINGS, *_ARGUMENTS, "collection", "version"))
                raise UsageError(f"{part.strip()!r} is nothing to compare with", f"key=value of: {known}")
        except ValueError as error:
            raise UsageError(
                f"{key} cannot be {value!r}", "for example ef_search=200, version=match_documents:3"
            ) from error
    return Setting(text, settings, arguments, collection, version)


def logged(connection: Connection, collection: str, since: str = "30 days", limit: int = 100) -> list[LoggedSearch]:
    """The most frequent searches of the log that can be repeated."""
    collections.get(connection, collection)
    with connection.cursor(row_factory=class_row(LoggedSearch)) as cursor:
        found = cursor.execute(
            query("stats/logged").encode(), {"collection": collection, "since": since, "limit": limit}
        ).fetchall()
    if not found:
        raise UsageError(
            f"no searches of {collection} are logged with their texts or vectors",
            f"pgvec-admin log on {collection} --texts --embeddings, and let people search",
        )
    return found


def run(
    connection: Connection,
    collection: str,
    searches: Sequence[LoggedSearch],
    setting: Setting,
    *,
    embed: Embed | None = None,
    report: Report = lambda *_: None,
) -> list[Ranking | None]:
    """The answers with a setting, which is invisible to others and rolled back afterwards.

    Each search runs twice, and the second run is timed. `embed` is for the setting's collection; without it, a search
    whose vector is missing, or of another model, is left out.
    """
    target = collections.get(connection, setting.collection or collection)
    same_model = target.model == collections.get(connection, collection).model
    found: list[Ranking | None] = []
    with connection.transaction(force_rollback=True):
        search_log.without(connection)
        if setting.settings:
            connection.execute(
                "update pgvec.collections set settings = settings || %s where name = %s",
                (Jsonb(dict(setting.settings)), target.name),
            )
        if setting.version:
            name, number = setting.version
            functions.rollback(connection, name, preflight.look(connection).schema, number)
        known = {name: calls.exact(connection, call) for name, call in _CALLS.items()}
        for done, search in enumerate(searches):
            report(done, len(searches), setting.name)
            fits = same_model and search.embedding is not None and search.embedding.count(",") + 1 == target.dimensions
            embedding = search.embedding if fits else None
            if not fits and search.function == "hybrid_search" and search.text is not None and embed is not None:
                embedding = vector_literal(embed(search.text))
            if embedding is None and search.function != "keyword_search":
                found.append(None)
                continue
            arguments = {
                **dict.fromkeys(_ARGUMENTS),
                **setting.arguments,
                "text": search.text,
                "embedding": embedding,
                "filter": Jsonb(search.filter or {}),
                "tenant": search.tenant,
                "collection": target.name,
                "depth": DEPTH,
            }
            call = known[search.function]
            connection.execute(call, arguments)
            started = time.perf_counter()
            ids = [row[0] for row in connection.execute(call, arguments).fetchall()]
            found.append(Ranking(ids, (time.perf_counter() - started) * 1000))
    return found


def compare(
    searches: Sequence[LoggedSearch],
    before: tuple[str, Sequence[Ranking | None]],
    after: tuple[str, Sequence[Ranking | None]],
) -> Comparison:
    """How the answers of two runs, each with its name, differ."""
    pairs = [
        (search, one, other)
        for search, one, other in zip(searches, before[1], after[1], strict=True)
        if one is not None and other is not None
    ]
    if not pairs:
        raise UsageError("no search could be made in both", "log with --embeddings; other models need --texts")
    changes = [
        Change(
            search,
            overlap=_overlap(one.ids, other.ids),
            rbo=rank_biased_overlap(one.ids, other.ids),
            gone=[id_ for id_ in one.ids if id_ not in other.ids],
            come=[id_ for id_ in other.ids if id_ not in one.ids],
        )
        for search, one, other in pairs
    ]
    times = np.array([[one.ms, other.ms] for _, one, other in pairs])
    p50, p95 = np.percentile(times, 50, axis=0), np.percentile(times, 95, axis=0)
    return Comparison(
        before=before[0],
        after=after[0],
        searches=len(pairs),
        left_out=len(searches) - len(pairs),
        unchanged=sum(one.ids == other.ids for _, one, other in pairs),
        overlap=float(np.mean([change.overlap for change in changes])),
        rbo=float(np.mean([change.rbo for change in changes])),
        before_p50_ms=float(p50[0]),
        after_p50_ms=float(p50[1]),
        before_p95_ms=float(p95[0]),
        after_p95_ms=float(p95[1]),
        changes=sorted(changes, key=lambda change: change.rbo),
    )


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    longest = max(len(one), len(other))
    return len(set(one) & set(other)) / longest if longest else 1.0


def rank_biased_overlap(one: Sequence[str], other: Sequence[str], p: float = PERSISTENCE) -> float:
    """1 for the same order, 0 for nothing in common; differences further down weigh less.

    The extrapolated form of Webber, Moffat and Zobel (A similarity measure for indefinite rankings, 2010), equation 32,
    over the longer ranking.
    """
    depth = max(len(one), len(other))
    if not depth:
        return 1.0
    shared = [len(set(one[:rank]) & set(other[:rank])) / rank for rank in range(1, depth + 1)]
    weights = [p**rank for rank in range(1, depth + 1)]
    return shared[-1] * p**depth + (1 - p) / p * sum(
        share * weight for share, weight in zip(shared, weights, strict=True)
    )


def save(file: Path, searches: Sequence[LoggedSearch], rankings: Sequence[Ranking | None]) -> None:
    """Searches and their answers, for a later comparison; it contains people's texts and vectors."""
    rows = [
        {"search": asdict(search), "ranking": ranking and asdict(ranking)}
        for search, ranking in zip(searches, rankings, strict=True)
    ]
    file.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


def load(file: Path) -> tuple[list[LoggedSearch], list[Ranking | None]]:
    """What `save` wrote."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return (
            [LoggedSearch(**row["search"]) for row in rows],
            [row["ranking"] and Ranking(**row["ranking"]) for row in rows],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataRejectedError(
            f"{file} is no saved evaluation: {error}", "evaluate --from-log --save writes one"
        ) from error
