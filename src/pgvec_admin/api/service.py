"""The state that the endpoints share: the database, the models, the cache, the callers."""

from __future__ import annotations

import asyncio
import gc
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import psycopg

from pgvec_admin.api.access import Gate
from pgvec_admin.api.cache import Cache
from pgvec_admin.api.embedding import Embedder
from pgvec_admin.api.metrics import Metrics
from pgvec_admin.api.models import Health, Stored
from pgvec_admin.api.problems import ProblemError
from pgvec_admin.api.settings import Caller, Settings
from pgvec_admin.api.store import About, Answer, Store
from pgvec_admin.errors import PgvecError

_ABOUT_SECONDS = 5.0
_COLLECTIONS = 10_000
_QUESTIONS = 50_000  # remembered as asked before
_BESIDE = 1000  # bytes of overhead of a cached response


@dataclass(frozen=True)
class Kept:
    """A cached response, and the mode of its search."""

    answer: Answer
    mode: str


@dataclass(frozen=True)
class _Asked:
    """The meaning of a body seen before: the key of its answer, and the scope of the version of its rows."""

    key: bytes
    mode: str
    scope: dict[str, Any]


class Service:
    """One for each application. It caches by the caller's scope, so that one caller learns nothing about another."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings)
        self.metrics = Metrics()
        self.gate = Gate(settings)
        self.embedder = Embedder(settings.provider, settings.caching.embeddings, self.metrics, settings.no_model)
        self.metrics.watch(self.store.pool.get_stats, self.embedder.tokens)
        self._asked: Cache[bool] = Cache(_QUESTIONS, seconds=settings.caching.answer_seconds)
        self._bodies: Cache[_Asked] = Cache(_QUESTIONS, seconds=settings.caching.answer_seconds)
        self._answers: Cache[Answer] = Cache(
            settings.caching.answer_bytes,
            weigh=lambda answer: len(answer.body) + _BESIDE,
            seconds=settings.caching.answer_seconds,
        )
        self._asking: asyncio.Task[Health] | None = None
        self._known: Cache[About] = Cache(_COLLECTIONS, seconds=_ABOUT_SECONDS)

    async def about(self, caller: Caller, collection: str) -> About:
        """Facts about a collection, at most a few seconds old."""
        key = (caller.scope, collection)
        known = self._known.get(key)
        if known is None:
            known = await self.store.about(caller, collection)
            self._known.put(key, known)
        return known

    async def kept(self, caller: Caller, body: bytes) -> Kept | None:
        """The cached response to a body seen before, byte for byte, if nothing has changed since; it is not parsed.

        Parsing and checking a vector, and serialising it again, takes longer than asking the database for its state.
        """
        asked = self._bodies.get(_digest(caller, body))
        if asked is None:
            return None
        version = await self.store.version(caller, asked.scope)
        answer = None if version is None else self._answers.get((asked.key, version))
        if answer is None:
            return None
        self.metrics.cache("answer", hit=True)
        return Kept(answer, asked.mode)

    async def search(
        self, caller: Caller, mode: str, parameters: dict[str, Any], indexes: list[int], body: bytes | None = None
    ) -> tuple[Answer, bool]:
        """The answer of a search, and whether it is a cached response, nothing having changed since.

        `body` is the request's body, where `kept` is to recognise it.
        """
        asked = parameters | {"indexes": indexes, "versioned": self.settings.caching.answer_bytes > 0}
        if not asked["versioned"]:
            return await self.store.search(caller, mode, asked), False
        told = orjson.dumps([mode, caller.scope, parameters], option=orjson.OPT_SORT_KEYS)
        key = hashlib.blake2b(told, digest_size=20).digest()
        scope = {"collection": parameters["collection"], "tenant": parameters["tenant"]}
        if body is not None:
            self._bodies.put(_digest(caller, body), _Asked(key, mode, scope))
        # only a repeated query can hit the cache; the version of the rows selects the entry
        if self._asked.get(key):
            version = await self.store.version(caller, scope)
            kept = None if version is None else self._answers.get((key, version))
            if kept is not None:
                self.metrics.cache("answer", hit=True)
                return kept, True
        self.metrics.cache("answer", hit=False)
        answer = await self.store.search(caller, mode, asked)
        if answer.version is not None:
            self._asked.put(key, True)
            self._answers.put((key, answer.version), answer)
        return answer, False

    async def health(self) -> Health:
        """Whether the database answers. Anybody may ask, so there is one query at a time, which all callers share."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._health())
        return await asyncio.shield(self._asking)

    async def _health(self) -> Health:
        try:
            version = await self.store.installed()
        except psycopg.Error:
            return Health(live=True, ready=False)
        # where callers sign in, strangers do not see the installed version
        told = version if self.settings.access.everybody else None
        return Health(live=True, ready=True, writable=await self.store.takes_writes(), version=told)

    async def warm(self) -> None:
        """Load the model of the service's own collection, if it runs here, before a request has to wait for it."""
        caller = Caller("the service", "the service")
        with suppress(psycopg.Error, PgvecError):
            about = await self.about(caller, self.settings.collection)
            if self.embedder.spec(about).startswith("local:"):
                await self.embedder.query(about, "warm up", caller.scope)
                # freeze the model's objects, so that GC pauses stay short: they were a fifth of a second
                gc.collect()
                gc.freeze()

    async def vector_of(self, caller: Caller, about: About, text: str, collection: str) -> str | None:
        """The vector of a text to search by; without a model it may have none."""
        if self.settings.no_model:
            return await self.store.query_vector(caller, text, collection)
        return vector_text(await self.embedder.query(about, text, caller.scope))

    async def write(
        self, caller: Caller, documents: list[dict[str, Any]], collection: str, tenant: UUID | None
    ) -> Stored:
        """Embed what has no embedding, then write all of it at once."""
        for document in documents:
            self.check_text(document["content"])
        bare = [document for document in documents if document.get("embedding") is None]
        if bare:
            about = await self.about(caller, collection)
            vectors = await self.embedder.passages(about, [document["content"] for document in bare])
            for document, vector in zip(bare, vectors, strict=True):
                document["embedding"] = vector
        return Stored(ids=await self.store.upsert(caller, documents, collection, tenant), embedded=len(bare))

    def check_text(self, text: str) -> None:
        """ProblemError 422 for a text beyond the limit."""
        most = self.settings.limits.text_characters
        if len(text) > most:
            raise ProblemError(422, "a text is too long", f"at most {most:,} characters; cut it into chunks")


def vector_text(embedding: Any) -> str:
    """pgvector's text form of a vector, of numbers or of numpy."""
    return orjson.dumps(embedding, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _digest(caller: Caller, body: bytes) -> tuple[str, bytes]:
    return caller.scope, hashlib.blake2b(body, digest_size=20).digest()
