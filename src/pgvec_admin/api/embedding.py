"""Texts to vectors, for queries and for rows; those of queries are cached."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgvec_admin.api.cache import Cache
from pgvec_admin.api.metrics import Metrics
from pgvec_admin.api.problems import ProblemError
from pgvec_admin.api.store import About
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.errors import UsageError
from pgvec_admin.providers import Provider, provider

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

_AT_ONCE = {"local": 1, "openai": 16}  # a model in this process uses all cores for one text
_RETRIES, _SECONDS = 2, 15.0


class Embedder:
    """The models of all collections, each loaded at its first use. They work in separate threads."""

    def __init__(self, options: ProviderOptions, keep: int, metrics: Metrics, no_model: bool = False) -> None:
        self._options, self._metrics, self._no_model = options, metrics, no_model
        self._kept: Cache[Vector] = Cache(keep)
        self._providers: dict[tuple[str, int, str | None, str | None], tuple[Provider, asyncio.Semaphore]] = {}

    async def query(self, about: About, text: str, scope: str) -> Vector:
        """The vector of a text to search by, cached for callers of this scope only.

        From the time that it takes, others would learn what was asked.
        """
        key = scope, about.model, about.dimensions, hashlib.blake2b(text.encode(), digest_size=20).digest()
        known = self._kept.get(key)
        self._metrics.cache("embedding", hit=known is not None)
        if known is not None:
            return known
        chosen, turn = self._provider(about)
        async with turn:
            vector = await asyncio.to_thread(chosen.embed_query, text)
        self._metrics.embedded(chosen.spec, "query", 1)
        self._kept.put(key, vector)
        return vector

    async def passages(self, about: About, texts: Sequence[str]) -> Vector:
        """The vectors of texts to be found, shape (texts, dimensions); ProblemError 422 where one has none."""
        chosen, turn = self._provider(about)
        async with turn:
            made = await asyncio.to_thread(chosen.embed_passages, texts)
        self._metrics.embedded(chosen.spec, "passage", len(texts))
        if made.failures:
            place, reason = min(made.failures.items())
            raise ProblemError(
                422, f"text {place + 1} of {len(texts)} cannot be embedded", f"{reason}; nothing is stored"
            )
        return made.vectors

    def spec(self, about: About) -> str:
        """The name of the model that embeds; UsageError where none is bound and none was given, or none may be used."""
        if self._no_model:
            raise UsageError("the service runs without a model", "send embeddings, or run pgvec-admin embed beside it")
        spec = about.model or self._options.model
        if spec is None:
            raise UsageError(
                "the collection is bound to no embedding model",
                "send embeddings, or bind a model: pgvec-admin embed --model local:all-MiniLM-L6-v2",
            )
        return spec

    def tokens(self) -> dict[str, int]:
        """Tokens read so far, by model."""
        read: Counter[str] = Counter()
        for chosen, _ in self._providers.values():
            read[chosen.spec] += chosen.tokens
        return read

    def _provider(self, about: About) -> tuple[Provider, asyncio.Semaphore]:
        spec = self.spec(about)
        given = self._options.passage_prefix
        bound = spec, about.dimensions, about.passage_prefix if given is None else given, about.too_long
        if bound not in self._providers:
            made = provider(
                spec,
                base_url=self._options.base_url,
                api_key=self._options.api_key,
                dimensions=about.dimensions,
                query_prefix=self._options.query_prefix,
                passage_prefix=bound[2],
                batch=self._options.batch,
                max_retries=_RETRIES,
                timeout=_SECONDS,
                too_long=about.too_long,
                paced=False,  # who waits for an answer is told of the limit instead
            )
            self._providers[bound] = made, asyncio.Semaphore(_AT_ONCE[spec.partition(":")[0]])
        return self._providers[bound]
