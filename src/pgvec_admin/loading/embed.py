"""Embedding a collection: rows whose vector is missing or older than their text get one, batch by batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg
from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.engine.collections import Collection
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.providers import Embeddings, Provider, Vector, provider

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Failure:
    """A row that could not be embedded, and why. It stays stale."""

    id: str
    reason: str


@dataclass(frozen=True)
class EmbedResult:
    """What a run did. `changed_meanwhile`: rows whose text changed while it was embedded; they stay stale."""

    embedded: int = 0
    changed_meanwhile: int = 0
    truncated: int = 0
    tokens: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many rows could not be embedded."""
        return len(self.failures)


@dataclass(frozen=True)
class ProviderOptions:
    """What a user may set for a provider; None means the provider's own value."""

    model: str | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    query_prefix: str | None = None
    passage_prefix: str | None = None
    batch: int | None = None


@dataclass(frozen=True)
class _Row:
    id: str
    content: str
    content_hash: str


def provider_for(collection: Collection, options: ProviderOptions) -> Provider:
    """The provider of a collection: of its own model, or, for a collection without one, of the model in the options.

    Raises UsageError where there is neither, or where they differ: vectors of two models are not comparable.
    """
    spec = options.model or collection.model
    if spec is None:
        raise UsageError(
            f"collection {collection.name!r} is bound to no embedding model",
            "pass --model, for example local:all-MiniLM-L6-v2 or openai:text-embedding-3-small",
        )
    chosen = provider(
        spec,
        base_url=options.base_url,
        api_key=options.api_key,
        dimensions=collection.dimensions,
        query_prefix=options.query_prefix,
        passage_prefix=options.passage_prefix,
        batch=options.batch,
    )
    check_model(collection, spec)
    return chosen


def check_model(collection: Collection, spec: str) -> None:
    """UsageError where a collection is bound to another model."""
    if collection.model not in (None, spec):
        raise UsageError(
            f"collection {collection.name!r} is bound to {collection.model}, not {spec}",
            "leave --model out; or make another collection for that model; or, where it is the same model by another"
            f" name, run: select pgvec.bind_model('{collection.name}', '{spec}', {collection.dimensions})",
        )


def check_dimensions(collection: Collection, model: Provider) -> None:
    """DataRejectedError where a model's vectors do not fit a collection. May ask the provider for one vector."""
    if model.dimensions != collection.dimensions:
        raise DataRejectedError(
            f"model {model.spec} has {model.dimensions} dimensions,"
            f" collection {collection.name!r} has {collection.dimensions}",
            f"choose a model of {collection.dimensions} dimensions, or make a collection of {model.dimensions}",
        )


def embed(
    connection: Connection,
    collection: str,
    model: Provider,
    *,
    batch: int | None = None,
    limit: int | None = None,
    report: Report | None = None,
) -> EmbedResult:
    """Embed what is stale in a collection, at most `limit` rows; binds a collection that has no model yet.

    `connection` is in autocommit mode, so that each batch (by default the provider's best size) is committed as soon as
    it is stored, and no transaction waits for a provider. Each row is tried once; failures are listed in the result.
    """
    assert connection.autocommit, "a transaction would stay open while a provider is asked"
    started = time.monotonic()
    known = collections.get(connection, collection)
    check_model(known, model.spec)
    check_dimensions(known, model)

    connection.execute("select pgvec.clear_emptied(%s)", (collection,))  # of no text there is nothing to embed
    total = _count(connection, collection)
    total = total if limit is None else min(total, limit)
    done, result, bound = 0, EmbedResult(), known.model is not None
    if report:
        report(0, total)
    for rows in _stale(connection, collection, batch or model.max_batch, limit):
        answer = model.embed_passages([row.content for row in rows])
        if not bound:  # only after the first answer: a wrong key should bind nothing
            _bind(connection, collection, model)
            bound = True
        result = _store(connection, collection, rows, answer, result)
        done += len(rows)
        if report:
            report(done, max(done, total))
    if not bound:
        _bind(connection, collection, model)
    return replace(result, seconds=time.monotonic() - started)


def _stale(connection: Connection, collection: str, batch: int, limit: int | None) -> Iterator[list[_Row]]:
    last = None
    left = limit
    while left is None or left > 0:
        size = batch if left is None else min(batch, left)
        with connection.cursor(row_factory=class_row(_Row)) as cursor:
            rows = cursor.execute(
                "select * from pgvec.stale_documents(%s, %s, %s)", (collection, size, last)
            ).fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1].id
        left = None if left is None else left - len(rows)


def _store(
    connection: Connection, collection: str, rows: Sequence[_Row], answer: Embeddings, so_far: EmbedResult
) -> EmbedResult:
    places = [place for place in range(len(rows)) if place not in answer.failures]
    stored, refused = _store_rows(connection, collection, rows, answer.vectors, places)
    reasons = sorted((answer.failures | refused).items())
    return replace(
        so_far,
        embedded=so_far.embedded + stored,
        changed_meanwhile=so_far.changed_meanwhile + len(places) - len(refused) - stored,
        truncated=so_far.truncated + answer.truncated,
        tokens=so_far.tokens + answer.tokens,
        failures=[*so_far.failures, *(Failure(rows[place].id, reason) for place, reason in reasons)],
    )


def _store_rows(
    connection: Connection, collection: str, rows: Sequence[_Row], vectors: Vector, places: list[int]
) -> tuple[int, dict[int, str]]:
    """How many of these rows were stored, and why the database refused the others (by place)."""
    if not places:
        return 0, {}
    try:
        found = connection.execute(
            "select pgvec.store_embeddings(%s, %s, %s, %s)",
            (
                collection,
                [rows[place].id for place in places],
                [rows[place].content_hash for place in places],
                _array(vectors[places]),
            ),
        ).fetchone()
    except psycopg.Error as error:
        # a value too large for halfvec, a zero vector once rounded, a constraint of the user's own: one row's fault
        if (error.sqlstate or "")[:2] not in ("22", "23") and error.sqlstate != "PV005":
            raise
        if len(places) == 1:
            return 0, {places[0]: error.diag.message_primary or str(error)}
        middle = len(places) // 2
        first = _store_rows(connection, collection, rows, vectors, places[:middle])
        second = _store_rows(connection, collection, rows, vectors, places[middle:])
        return first[0] + second[0], first[1] | second[1]
    assert found is not None
    return int(found[0]), {}


def _array(vectors: Vector) -> str:
    """An array of vectors as Postgres reads it. Text, since pgvector's schema may not be in the search_path."""
    form = "[" + ",".join(["%.9g"] * vectors.shape[1]) + "]"  # nine digits give every float32 back exactly
    return "{" + ",".join(f'"{form % tuple(vector)}"' for vector in vectors.tolist()) + "}"


def _count(connection: Connection, collection: str) -> int:
    row = connection.execute("select pgvec.count_stale(%s)", (collection,)).fetchone()
    assert row is not None
    return int(row[0])


def _bind(connection: Connection, collection: str, model: Provider) -> None:
    connection.execute("select pgvec.bind_model(%s, %s, %s)", (collection, model.spec, model.dimensions))
