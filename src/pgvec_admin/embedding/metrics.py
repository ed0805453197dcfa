"""Metrics of embedding for Prometheus: of a worker, and what the service shows too. Needs the extra `metrics`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.embedding.run import EmbedResult
from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, PgvecError, UsageError

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_STATES = ("pending", "in_work", "waiting", "dead", "stale")


def registry() -> CollectorRegistry:
    """A registry of its own, whose counters have no second series with the time of their creation."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


class ModelMetrics:
    """Calls of embedding models and the texts in them, for queries or for passages."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "pgvec_embedding_calls", "Calls of embedding models.", ["model", "kind"], registry=registry
        )
        self._texts = Counter("pgvec_embedding_texts", "Texts embedded.", ["model", "kind"], registry=registry)

    def embedded(self, model: str, kind: str, texts: int) -> None:
        """Count a call of an embedding model, for a query or for passages."""
        self._calls.labels(model, kind).inc()
        self._texts.labels(model, kind).inc(texts)


def tokens_read(tokens: dict[str, int]) -> Metric:
    """Tokens read so far, by model."""
    read = CounterMetricFamily("pgvec_embedding_tokens", "Tokens read by models that tell.", labels=["model"])
    for model, count in tokens.items():
        read.add_metric([model], count)
    return read


def kind_of(error: PgvecError) -> str:
    """What keeps a run from going on: rate_limit, key, provider, dimensions, database or usage."""
    status, cause = None, error.__cause__
    while cause is not None and status is None:
        if isinstance(cause, psycopg.Error):
            return "database"
        status, cause = getattr(cause, "status_code", None), cause.__cause__
    if status in (401, 403):
        return "key"
    if status == 429:
        return "rate_limit"
    kinds = ((ConnectionFailedError, "provider"), (DataRejectedError, "dimensions"), (UsageError, "usage"))
    return next((kind for of, kind in kinds if isinstance(error, of)), "other")


def kind_of_reason(reason: str) -> str:
    """Why a row alone has failed: too_long, vector (zero, not finite), or refused."""
    return (
        "too_long" if reason.startswith("the text has ") else "vector" if reason.startswith("the model ") else "refused"
    )


class WorkerMetrics:
    """What a worker does, and how its collections are when Prometheus asks."""

    def __init__(self, where: Target, collections: Iterable[str]) -> None:
        self._registry = registry()
        self._models = ModelMetrics(self._registry)
        self._read: dict[str, int] = {}
        self._rows = Counter(
            "pgvec_embedding_rows",
            "Rows: embedded, failed alone, changed meanwhile, or embedded by their beginning only (cut).",
            ["collection", "result"],
            registry=self._registry,
        )
        self._failures = Counter(
            "pgvec_embedding_failures",
            "Failures: of rows (too_long, vector, refused), and of a run (rate_limit, key, provider, ...).",
            ["collection", "kind"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "pgvec_embedding_seconds",
            "Seconds to embed the rows of a claim, with retries and waits for a rate limit.",
            ["collection"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Queues(where, tuple(collections), lambda: self._read))

    def serve(self, host: str, port: int) -> int:
        """Answer GET /metrics from now on; the port."""
        try:
            server, _ = start_http_server(port, host, self._registry)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}:{port}: {error.strerror or error}", "choose another --metrics-port"
            ) from error
        return int(server.server_address[1])

    def asked(self, collection: str, model: str, texts: int, seconds: float) -> None:
        """Count an answered claim."""
        self._models.embedded(model, "passage", texts)
        self._seconds.labels(collection).observe(seconds)

    def progress(self, collection: str, model: str, before: EmbedResult, after: EmbedResult) -> None:
        """Count what has been done between two results of one run."""
        self._read[model] = self._read.get(model, 0) + after.tokens - before.tokens
        for result, count in (
            ("embedded", after.embedded - before.embedded),
            ("failed", after.failed - before.failed),
            ("changed", after.changed_meanwhile - before.changed_meanwhile),
            ("cut", after.truncated - before.truncated),
        ):
            self._rows.labels(collection, result).inc(count)
        for failure in after.failures[before.failed :]:
            self._failures.labels(collection, kind_of_reason(failure.reason)).inc()

    def failed(self, collection: str, error: PgvecError) -> None:
        """Count a failure that is no row's."""
        self._failures.labels(collection, kind_of(error)).inc()


class _Queues(Collector):
    """The queues as `pgvec.embedding_status` has them, and the tokens read; on a connection of its own."""

    def __init__(self, where: Target, collections: tuple[str, ...], read: Callable[[], dict[str, int]]) -> None:
        self._where, self._collections, self._read = where, collections, read
        self._connection: Connection | None = None
        self._alone = Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: to be registered needs no database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now; of the queues none while the database is away."""
        yield tokens_read(dict(self._read()))
        rows = GaugeMetricFamily("pgvec_embedding_queue", "Rows by state.", labels=["collection", "state"])
        oldest = GaugeMetricFamily(
            "pgvec_embedding_oldest_seconds", "How long the oldest row of the queue waits.", labels=["collection"]
        )
        dollars = GaugeMetricFamily(
            "pgvec_embedding_dollars", "What all workers have spent, by the present price.", labels=["collection"]
        )
        reached = GaugeMetricFamily("pgvec_database_up", "Whether the database answers.")
        found = self._status()
        reached.add_metric([], float(found is not None))
        for name, *states, age, spent in found or ():
            for state, count in zip(_STATES, states, strict=True):
                rows.add_metric([name, state], count)
            oldest.add_metric([name], float(age or 0))
            if spent is not None:
                dollars.add_metric([name], float(spent))
        yield from (rows, oldest, dollars, reached)

    def _status(self) -> list[tuple[Any, ...]] | None:
        with self._alone:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = database.connect(self._where, autocommit=True)
                return [
                    self._connection.execute(
                        "select name, pending, in_work, waiting, dead, stale, extract(epoch from oldest), dollars"
                        " from pgvec.embedding_status(%s)",
                        (name,),
                    ).fetchall()[0]
                    for name in self._collections
                ]
            except (psycopg.Error, PgvecError):
                if self._connection is not None:
                    self._connection.close()
                return None
