"""pgvec-admin embed: vectors for the rows that lack one."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import ApiKey, BaseUrl, DatabaseUrl, Json, open_target, print_json, progress, say
from pgvec_admin.engine import collections
from pgvec_admin.errors import DataRejectedError
from pgvec_admin.loading import embed as embedding

SHOWN_FAILURES = 20


def embed(
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "documents",
    model: Annotated[
        str | None,
        typer.Option(
            help="local:NAME or openai:NAME; binds a collection that has none.", show_default="the collection's"
        ),
    ] = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    passage_prefix: Annotated[
        str | None,
        typer.Option(
            help="Text to put before each row's content; kept with the collection.",
            show_default="the collection's, else what the model was trained with",
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Rows to embed and commit at once.", show_default="the provider's")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many rows.")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Embed the rows whose embedding is missing or older than their text.

    Each batch is committed by itself: interrupt it at any time, and run it again to go on. Several runs may work on one
    collection at once. Rows that fail are named, and tried after all others by later runs.

    Example:

    \b
      pgvec-admin embed --model local:all-MiniLM-L6-v2
      pgvec-admin embed -c jobs --model openai:nomic-embed-text --base-url http://localhost:11434/v1
    """
    options = embedding.ProviderOptions(
        model=model, base_url=base_url, api_key=api_key, passage_prefix=passage_prefix, batch=batch
    )
    with database.connect(open_target(database_url), autocommit=True) as connection:
        provider = embedding.provider_for(collections.get(connection, collection), options)
        with progress("embed", "rows") as report:
            result = embedding.attempt(connection, collection, provider, batch=batch, limit=limit, report=report)
    if as_json:
        stopped = None if result.stopped is None else result.stopped.message
        told = asdict(replace(result, stopped=None)) | {"stopped": stopped}
        print_json({"collection": collection, "model": provider.spec, "failed": result.failed, **told})
    _say(collection, provider.spec, result)
    if result.stopped:
        raise result.stopped
    if result.failed:
        raise DataRejectedError(
            f"rows that could not be embedded: {result.failed:,}",
            "fix or delete them, or run the same command again, which tries them last; the others are stored",
        )


def _say(collection: str, spec: str, result: embedding.EmbedResult) -> None:
    for failure in result.failures[:SHOWN_FAILURES]:
        say(f"{collection}/{failure.id}: {failure.reason}")
    if result.failed > SHOWN_FAILURES:
        say(f"... and {result.failed - SHOWN_FAILURES:,} more (--json lists all)")
    if result.truncated:
        say(f"{result.truncated:,} texts are longer than {spec} reads: their vectors stand for the beginning only")
    if result.left_out:
        say(f"{result.left_out:,} rows have no text: they were left out")
    if result.elsewhere:
        say(f"{result.elsewhere:,} rows are being embedded by another run")
    if result.changed_meanwhile:
        say(f"{result.changed_meanwhile:,} rows changed while they were embedded; run again for them")
    tokens = f", {result.tokens:,} tokens" if result.tokens else ""
    say(f"embedded {result.embedded:,} rows of {collection} with {spec} in {result.seconds:.1f} s{tokens}")
