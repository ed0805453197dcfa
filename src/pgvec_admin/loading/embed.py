"""Embedding a collection: rows whose vector is missing or older than their text get one, batch by batch."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.engine.collections import Collection
from pgvec_admin.errors import DataRejectedError, PgvecError, UsageError, shorten
from pgvec_admin.providers import EMPTY, Embeddings, Provider, Vector, prefixes, provider

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Failure:
    """A row that could not be embedded, and why. It stays stale, and later runs try it after the others."""

    id: str
    reason: str


@dataclass(frozen=True)
class EmbedResult:
    """What a run did.

    `changed_meanwhile`: rows whose text changed while it was embedded; they stay stale. `left_out`: rows without text.
    `elsewhere`: rows that other runs were embedding when this one ended. `stopped`: why it ended before its time.
    """

    embedded: int = 0
    changed_meanwhile: int = 0
    left_out: int = 0
    elsewhere: int = 0
    truncated: int = 0
    tokens: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    stopped: PgvecError | None = None

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
        passage_prefix=collection.passage_prefix if options.passage_prefix is None else options.passage_prefix,
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
    it is stored, and no transaction waits for a provider. Rows that another run works on are left to it. Each row is
    tried once, those that failed in earlier runs last; failures are listed in the result.
    """
    result = attempt(connection, collection, model, batch=batch, limit=limit, report=report)
    if result.stopped is not None:
        raise result.stopped
    return result


def attempt(
    connection: Connection,
    collection: str,
    model: Provider,
    *,
    batch: int | None = None,
    limit: int | None = None,
    report: Report | None = None,
) -> EmbedResult:
    """As embed, but where the provider cannot go on, `stopped` says why, beside what was done by then."""
    assert connection.autocommit, "a transaction would stay open while a provider is asked"
    started = time.monotonic()
    known = collections.get(connection, collection)
    check_model(known, model.spec)
    check_dimensions(known, model)
    _check_prefix(connection, known, model)

    connection.execute("select pgvec.clear_emptied(%s)", (collection,))  # of no text there is nothing to embed
    total = _number(connection, "select pgvec.count_stale(%s)", collection)
    total = total if limit is None else min(total, limit)
    done, result, bound = 0, EmbedResult(), False
    if report:
        report(0, total)
    run = _Run(connection, collection, batch or model.max_batch, limit)
    try:
        for rows in run.claims():
            answer = model.embed_some([row.content for row in rows])
            if not bound and len(answer.failures) + len(answer.unasked) < len(rows):
                _bind(connection, known, model)  # only after the first vector: a wrong key should bind nothing
                bound = True
            result, tried = _store(connection, collection, rows, answer, result)
            run.tried(tried)
            done += tried
            if report:
                report(done, max(done, total))
            if answer.stopped is not None:
                result = replace(result, stopped=answer.stopped)
                break
    finally:
        with suppress(psycopg.Error):  # whatever ended the run is said, and its session's end frees the rows too
            run.release()
    if not bound and result.stopped is None:
        _bind(connection, known, model)
    return replace(
        result,
        left_out=result.left_out + _number(connection, "select pgvec.count_blank(%s)", collection),
        elsewhere=_number(connection, "select cardinality(pgvec.live_claims(%s))", collection),
        seconds=time.monotonic() - started,
    )


class _Run:
    """A run's batches of rows, which no other run is given meanwhile."""

    def __init__(self, connection: Connection, collection: str, batch: int, limit: int | None) -> None:
        self._connection, self._collection, self._batch, self._left = connection, collection, batch, limit
        self._number = secrets.randbits(62)

    def claims(self) -> Iterator[list[_Row]]:
        """The rows that have not failed before, by id; then those that have, before this run began."""
        began: datetime = self._connection.execute("select clock_timestamp()").fetchall()[0][0]
        for failed_before in (None, began):
            last = None
            while self._left is None or self._left > 0:
                size = self._batch if self._left is None else min(self._batch, self._left)
                rows = self._claim(size, last, failed_before)
                if not rows:
                    break
                yield rows
                last = None if failed_before else rows[-1].id

    def tried(self, rows: int) -> None:
        """Count rows against the limit."""
        self._left = None if self._left is None else self._left - rows

    def release(self) -> None:
        """Leave what was claimed to others."""
        self._claim(0, None, None)

    def _claim(self, size: int, after: str | None, failed_before: datetime | None) -> list[_Row]:
        with self._connection.cursor(row_factory=class_row(_Row)) as cursor:
            return cursor.execute(
                "select * from pgvec.claim_documents(%s, %s, %s, %s, %s)",
                (self._collection, self._number, size, after, failed_before),
            ).fetchall()


def _store(
    connection: Connection, collection: str, rows: Sequence[_Row], answer: Embeddings, so_far: EmbedResult
) -> tuple[EmbedResult, int]:
    """Store the vectors and mark the failures; the result with them, and how many rows were tried."""
    blank = {place for place, reason in answer.failures.items() if reason == EMPTY}
    tried = [place for place in range(len(rows)) if place not in answer.unasked and place not in blank]
    places = [place for place in tried if place not in answer.failures]
    stored, refused = _store_rows(connection, collection, rows, answer.vectors, places)
    reasons = refused | {place: answer.failures[place] for place in tried if place in answer.failures}
    failures = [Failure(rows[place].id, shorten(reason)) for place, reason in sorted(reasons.items())]
    if failures:
        connection.execute(
            "select pgvec.note_failures(%s, %s, %s, %s)",
            (
                collection,
                [failure.id for failure in failures],
                [rows[place].content_hash for place in sorted(reasons)],
                [failure.reason for failure in failures],
            ),
        )
    result = replace(
        so_far,
        embedded=so_far.embedded + stored,
        changed_meanwhile=so_far.changed_meanwhile + len(places) - len(refused) - stored,
        left_out=so_far.left_out + len(blank),
        truncated=so_far.truncated + answer.truncated,
        tokens=so_far.tokens + answer.tokens,
        failures=[*so_far.failures, *failures],
    )
    return result, len(tried)


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


def _number(connection: Connection, statement: LiteralString, collection: str) -> int:
    row = connection.execute(statement, (collection,)).fetchone()
    assert row is not None
    return int(row[0])


def _check_prefix(connection: Connection, known: Collection, model: Provider) -> None:
    """UsageError where rows have been embedded with another prefix: their vectors are not comparable."""
    kept = _kept_prefix(known, model)
    if model.passage_prefix == kept:
        return
    # the relation's text is its name, qualified and quoted by the server
    found = connection.execute(
        sql.SQL("select exists (select from {} as d where d.embedding is not null)").format(sql.SQL(known.relation))
    ).fetchone()
    if found and found[0]:
        raise UsageError(
            f"rows of collection {known.name!r} are embedded with the prefix {kept!r},"
            f" not {model.passage_prefix!r}: such vectors are not comparable",
            "leave --passage-prefix out; or set the embedding of all rows to null first, to have them embedded again",
        )


def _kept_prefix(known: Collection, model: Provider) -> str:
    """What is put before the texts of a collection: by its settings, else by its model."""
    if known.passage_prefix is not None:
        return known.passage_prefix
    return prefixes(model.spec.partition(":")[2]).passage


def _bind(connection: Connection, known: Collection, model: Provider) -> None:
    """Keep with the collection what embeds it, so that later runs do the same."""
    if known.model is None:
        connection.execute("select pgvec.bind_model(%s, %s, %s)", (known.name, model.spec, model.dimensions))
    if model.passage_prefix != _kept_prefix(known, model):
        connection.execute(
            "update pgvec.collections set settings = settings || jsonb_build_object('passage_prefix', %s::text)"
            " where name = %s",
            (model.passage_prefix, known.name),
        )
