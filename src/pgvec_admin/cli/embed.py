"""pgvec-admin embed: vectors for the rows that lack one."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, replace
from datetime import UTC, datetime
from threading import Event
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.index import tuned
from pgvec_admin.cli.output import (
    ApiKey,
    BaseUrl,
    DatabaseUrl,
    Json,
    echo,
    echo_json,
    open_target,
    print_json,
    progress,
    say,
)
from pgvec_admin.embedding import embed as embedding
from pgvec_admin.embedding import estimate as estimates
from pgvec_admin.embedding.estimate import Estimate
from pgvec_admin.embedding.run import EmbedResult
from pgvec_admin.embedding.worker import Observer, Worked, Worker
from pgvec_admin.engine import collections, index
from pgvec_admin.errors import DataRejectedError, UsageError

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
    budget: Annotated[int | None, typer.Option(min=1, help="After so many tokens, send no further row.")] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0, help="After so many dollars, by the price of the tokens, send no further row."),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            min=0, help="Dollars for a million tokens.", show_default="embedding_price, else the list of prices"
        ),
    ] = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Tell rows, tokens, money and time, and send nothing.")
    ] = False,
    too_long: Annotated[
        str | None,
        typer.Option(
            help="fail or cut: what becomes of texts with more tokens than the model reads; kept with the collection.",
            show_default="local models cut, servers decide",
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Requests at once.")] = 1,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch/--once",
            help="Go on as rows come, until SIGTERM or SIGINT (--json: a line each time), or do what is due and end.",
        ),
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="With --watch: metrics for Prometheus there; 0 for any free port."),
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics; 0.0.0.0 for all.")] = "127.0.0.1",
    retry_dead: Annotated[
        bool, typer.Option("--retry-dead", help="Try rows again that have failed too often, as if they never had.")
    ] = False,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Embed the rows whose embedding is missing or older than their text.

    Each batch is committed by itself: interrupt it at any time, and run it again to go on. Several runs may work on one
    collection at once. Rows that fail are named, and tried after all others by later runs, five times in all.

    Example:

    \b
      pgvec-admin embed --model local:all-MiniLM-L6-v2
      pgvec-admin embed -c jobs --model openai:nomic-embed-text --base-url http://localhost:11434/v1
      pgvec-admin embed --estimate
      pgvec-admin embed --watch
    """
    if watch and (limit or budget or max_cost is not None or estimate):
        raise UsageError("--watch has no end for --limit, --budget, --max-cost or --estimate", "leave one of them out")
    if metrics_port is not None and not watch:
        raise UsageError("only --watch has metrics to ask for", "leave --metrics-port out, or add --watch")
    options = embedding.ProviderOptions(
        model=model, base_url=base_url, api_key=api_key, passage_prefix=passage_prefix, batch=batch, too_long=too_long
    )
    where = open_target(database_url)
    with database.connect(where, autocommit=True) as connection:
        if retry_dead and not estimate:
            connection.execute("select pgvec.retry_dead(%s)", (collection,))
        known = collections.get(connection, collection)
        provider = embedding.provider_for(known, options)
        if estimate:
            found = estimates.estimate(connection, known, provider, own_price=price, limit=limit)
            _show_estimate(found, as_json=as_json)
            return
        runs: list[tuple[str, str, EmbedResult]] = []  # also for the model that the collection is being changed to
        name: str | None = None if watch else collection
        while name is not None:
            cost = None if max_cost is None else estimates.price(connection, name, provider.spec, price)
            allowed = budget if max_cost is None or cost is None else estimates.affordable(cost, max_cost, budget)
            with progress("embed", "rows") as report:
                result = embedding.attempt(
                    connection,
                    name,
                    provider,
                    batch=batch,
                    limit=limit,
                    budget=allowed,
                    concurrency=concurrency,
                    report=report,
                )
            runs.append((name, provider.spec, result))
            name = None if result.stopped or len(runs) > 1 else collections.changing_to(connection, collection)
            if name is not None:
                second = replace(options, model=None, passage_prefix=None)
                provider = embedding.provider_for(collections.get(connection, name), second)
                budget = None if budget is None else max(0, budget - result.tokens)
                if cost is not None and max_cost is not None:
                    max_cost = max(0, max_cost - result.tokens * (cost.dollars or 0) / 1_000_000)
                if retry_dead:
                    connection.execute("select pgvec.retry_dead(%s)", (name,))
        grown = any(result.embedded for _, _, result in runs) and not any(result.stopped for _, _, result in runs)
        kept = index.keep_recall(connection, collection) if grown else None
        if kept:
            say(tuned(collection, kept))
    if watch:
        observer = None if metrics_port is None else _metrics(where, collection, metrics_host, metrics_port)
        _watch(where, collection, options, concurrency, observer, as_json=as_json)
        return
    if as_json:
        told = [
            {"collection": collection, "model": spec, "failed": result.failed}
            | asdict(replace(result, stopped=None))
            | {"stopped": None if result.stopped is None else result.stopped.message}
            for _, spec, result in runs
        ]
        print_json(told[0] if len(told) == 1 else told)
    for _, spec, result in runs:
        _say(collection, spec, result)
    for _, _, result in runs:
        if result.stopped:
            raise result.stopped
    failed = sum(result.failed for _, _, result in runs)
    if failed:
        raise DataRejectedError(
            f"rows that could not be embedded: {failed:,}",
            "fix or delete them, or run the same command again, which tries them last; the others are stored",
        )


def _metrics(where: database.Target, collection: str, host: str, port: int) -> Observer:
    try:
        from pgvec_admin.embedding.metrics import WorkerMetrics
    except ImportError as error:
        raise UsageError(f"metrics need {error.name}", "pip install 'pgvec-admin[metrics]'") from error
    made = WorkerMetrics(where, [collection])
    say(f"metrics at http://{host}:{made.serve(host, port)}/metrics")
    return made


def _watch(
    where: database.Target,
    collection: str,
    options: embedding.ProviderOptions,
    concurrency: int,
    observer: Observer | None,
    *,
    as_json: bool,
) -> None:
    """Work until a signal; what the provider is asked at the moment is stored first."""
    stop = Event()

    def end(*_: object) -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):  # the next one ends at once
            signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)

    def report(worked: Worked) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        result, error = worked.result, worked.error
        if as_json:
            told = {"time": at, "collection": worked.collection or None, "error": error and error.message}
            echo_json(json.dumps(told | asdict(replace(result, stopped=None)), ensure_ascii=False))
            return
        say(f"{at} {collection}: embedded {result.embedded:,}, failed {result.failed:,}, {result.tokens:,} tokens")
        for failure in result.failures[:SHOWN_FAILURES]:
            say(f"{at} {collection}/{failure.id}: {failure.reason}")
        if result.truncated:
            say(f"{at} {result.truncated:,} texts are longer than the model reads: only their beginning counts")
        if error:
            say(f"{at} {error.message}; trying again")

    say(f"waiting for rows of {collection}")
    Worker(
        where,
        [collection],
        options,
        concurrency=concurrency,
        report=report,
        stop=stop,
        observer=observer,
        tuned=lambda name, kept: say(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {tuned(name, kept)}"),
    ).work()
    say("stopped")


def _say(collection: str, spec: str, result: EmbedResult) -> None:
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
    if result.dead:
        say(f"{result.dead:,} rows have failed too often, and are not tried again without --retry-dead")
    if result.changed_meanwhile:
        say(f"{result.changed_meanwhile:,} rows changed while they were embedded; run again for them")
    tokens = f", {result.tokens:,} tokens" if result.tokens else ""
    say(f"embedded {result.embedded:,} rows of {collection} with {spec} in {result.seconds:.1f} s{tokens}")


def _show_estimate(found: Estimate, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    echo(f"{found.rows:,} rows of {found.collection} to embed with {found.model}")
    echo(_tokens(found))
    if found.longer:
        echo(f"{found.longer:,} rows have more than the {found.longest:,} tokens that the model reads")
    if found.dollars is None:
        echo("money: the price is not known (--price)")
    else:
        echo(f"${_dollars(found.dollars)} at ${found.price.dollars:g} for a million tokens: {found.price.source}")
    if found.seconds is not None:
        echo(
            f"{_time(found.seconds)} by one worker, at the {found.tokens_a_minute:,.0f} tokens a minute measured so far"
        )


def _tokens(found: Estimate) -> str:
    how = f"counted by {found.counted_by}"
    if found.calibrated_by:
        how += f", corrected by the {found.calibrated_by:,} rows embedded so far"
    if found.low == found.high:
        return f"{'' if found.exact else 'about '}{found.tokens:,} tokens, {how}"
    return (
        f"about {found.tokens:,} tokens, {how} in {found.sampled:,} rows drawn at random"
        f" (95 % sure: {found.low:,} to {found.high:,})"
    )


def _dollars(amount: float) -> str:
    return (
        f"{amount:,.2f}"
        if amount >= 1
        else f"{amount:.2g}"
        if amount >= 0.0001
        else f"{amount:.6f}".rstrip("0").rstrip(".") or "0"
    )


def _time(seconds: float) -> str:
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{max(1, seconds):.0f} s"
