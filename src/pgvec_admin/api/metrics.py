"""The metrics of the service for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pgvec_admin.embedding.metrics import ModelMetrics, registry, tokens_read

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
_ROWS = (0, 1, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """Counters and histograms of one service."""

    def __init__(self) -> None:
        self._registry = registry()
        self._seconds = Histogram(
            "pgvec_request_seconds",
            "Seconds to answer, by endpoint; of searches also by mode and route: index, exact, keyword or cache.",
            ["method", "endpoint", "status", "mode", "route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._rows = Histogram(
            "pgvec_search_results", "Rows that searches found.", ["mode"], buckets=_ROWS, registry=self._registry
        )
        self._cache = Counter(
            "pgvec_cache_lookups", "Looks for an answer or an embedding.", ["cache", "result"], registry=self._registry
        )
        self.embedded = ModelMetrics(self._registry).embedded

    def watch(self, pool: Callable[[], dict[str, int]], tokens: Callable[[], dict[str, int]]) -> None:
        """Add metrics that are read when Prometheus asks: the connections, and the tokens read by each model."""
        self._registry.register(_State(pool, tokens))

    def request(self, method: str, endpoint: str, status: int, mode: str, route: str, seconds: float) -> None:
        """Count an answered request."""
        method = method if method in _METHODS else "other"
        self._seconds.labels(method, endpoint, str(status), mode, route).observe(seconds)

    def found(self, mode: str, rows: int) -> None:
        """Count an answered search."""
        self._rows.labels(mode).observe(rows)

    def cache(self, name: str, *, hit: bool) -> None:
        """Count a cache lookup."""
        self._cache.labels(name, "hit" if hit else "miss").inc()

    def text(self) -> bytes:
        """All metrics, as Prometheus reads them."""
        return generate_latest(self._registry)


class _State(Collector):
    NAMES = ("pool_size", "pool_available", "requests_waiting", "requests_errors")

    def __init__(self, pool: Callable[[], dict[str, int]], tokens: Callable[[], dict[str, int]]) -> None:
        self._pool, self._tokens = pool, tokens

    def collect(self) -> Iterable[Metric]:
        connections = GaugeMetricFamily(
            "pgvec_pool", "Connections to the database, and requests for one.", labels=["what"]
        )
        stats = self._pool()
        for name in self.NAMES:
            connections.add_metric([name], stats.get(name, 0))
        yield connections
        yield tokens_read(self._tokens())
