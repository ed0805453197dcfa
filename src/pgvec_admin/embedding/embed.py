"""Embedding a collection: rows whose vector is missing or older than their text get one, batch by batch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import LiteralString

from psycopg import sql

from pgvec_admin.database import Connection
from pgvec_admin.embedding.run import EmbedResult, Run, kept_prefix
from pgvec_admin.engine import collections
from pgvec_admin.engine.collections import Collection
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.providers import Provider, provider

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class ProviderOptions:
    """What a user may set for a provider; None means the provider's own value."""

    model: str | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    query_prefix: str | None = None
    passage_prefix: str | None = None
    batch: int | None = None
    too_long: str | None = None


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
        too_long=options.too_long or collection.too_long,
    )
    check_model(collection, spec)
    return chosen


def check_model(collection: Collection, spec: str) -> None:
    """UsageError where a collection is bound to another model."""
    if collection.model not in (None, spec):
        raise UsageError(
            f"collection {collection.name!r} is bound to {collection.model}, not {spec}",
            f"leave --model out; or pgvec-admin model change {collection.name} --to {spec}; or, where it is the same"
            f" model by another name, run: select pgvec.bind_model('{collection.name}', '{spec}',"
            f" {collection.dimensions}, same_model => true)",
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
    budget: int | None = None,
    concurrency: int = 1,
    report: Report | None = None,
) -> EmbedResult:
    """Embed what is stale in a collection, at most `limit` rows; binds a collection that has no model yet.

    `connection` is in autocommit mode, so that each batch (by default the provider's best size) is committed as soon as
    it is stored, and no transaction waits for a provider. Rows that another run works on are left to it. Each row is
    tried once, those that failed in earlier runs last; failures are listed in the result. `concurrency`: requests at
    once; `budget`: after so many tokens no further row is sent.
    """
    result = attempt(
        connection,
        collection,
        model,
        batch=batch,
        limit=limit,
        budget=budget,
        concurrency=concurrency,
        report=report,
    )
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
    budget: int | None = None,
    concurrency: int = 1,
    report: Report | None = None,
) -> EmbedResult:
    """As embed, but where the provider cannot go on, `stopped` says why, beside what was done by then."""
    assert connection.autocommit, "a transaction would stay open while a provider is asked"
    started = time.monotonic()
    known = collections.get(connection, collection)
    check_model(known, model.spec)
    check_dimensions(known, model)
    check_prefix(connection, known, model)

    if "@" not in collection:
        connection.execute("select pgvec.clear_emptied(%s)", (collection,))  # of no text there is nothing to embed
    while "@" not in collection and _number(connection, "select pgvec.mark_others(%s)", collection):
        pass  # a page at a time, since each is a transaction
    total = _number(connection, "select pgvec.count_stale(%s)", collection)
    total = total if limit is None else min(total, limit)
    run = Run(connection, known, model, batch=batch, limit=limit, budget=budget, concurrency=concurrency)
    if report:
        report(0, total)
    try:
        for _ in run.drain():
            if report:
                report(run.tried, max(run.tried, total))
    finally:
        run.close()
    result = run.result
    if result.stopped is None:
        run.bind()
    ((elsewhere, dead),) = connection.execute(
        "select in_work, dead from pgvec.embedding_status(%s)", (collection,)
    ).fetchall()
    return replace(
        result,
        left_out=result.left_out + _number(connection, "select pgvec.count_blank(%s)", collection),
        elsewhere=elsewhere,
        dead=dead,
        seconds=time.monotonic() - started,
    )


def _number(connection: Connection, statement: LiteralString, collection: str) -> int:
    row = connection.execute(statement, (collection,)).fetchone()
    assert row is not None
    return int(row[0])


def check_prefix(connection: Connection, known: Collection, model: Provider) -> None:
    """UsageError where rows have been embedded with another prefix: their vectors are not comparable."""
    kept = kept_prefix(known, model)
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
