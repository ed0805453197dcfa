"""A worker on the queue of one collection: claims rows, has them embedded, and stores the vectors."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

import psycopg

from pgvec_admin.database import Connection
from pgvec_admin.embedding.patience import IN_THE_WAY, Patient
from pgvec_admin.engine.collections import Collection
from pgvec_admin.errors import PgvecError, shorten
from pgvec_admin.providers import EMPTY, Embeddings, Provider, prefixes

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

LEASE = 60.0  # seconds that claimed rows are a run's; extended while it works
MOST_CLAIMED = 10_000
LOCK_ATTEMPTS = 20
TICK = 0.5  # seconds within which it notices that it is to stop


@dataclass(frozen=True)
class Failure:
    """A row that could not be embedded, and why. It stays stale, and later runs try it after the others."""

    id: str
    reason: str


@dataclass(frozen=True)
class EmbedResult:
    """What a run did.

    `changed_meanwhile`: rows whose text changed while it was embedded; they stay stale. `left_out`: rows without text.
    `elsewhere`: rows that other runs were embedding when this one ended. `dead`: rows that have failed too often to be
    tried again. `stopped`: why it ended before its time.
    """

    embedded: int = 0
    changed_meanwhile: int = 0
    left_out: int = 0
    elsewhere: int = 0
    dead: int = 0
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
class _Row:
    id: str
    content: str
    content_hash: str


class Run:
    """A worker on the queue of one collection: claims rows, has them embedded, and stores the vectors.

    The provider is asked by threads of their own, so that leases are extended meanwhile; they end with the process.
    `asked` is told of each answer: how many texts, and how many seconds it took.
    """

    def __init__(
        self,
        connection: Connection,
        known: Collection,
        model: Provider,
        *,
        batch: int | None = None,
        limit: int | None = None,
        budget: int | None = None,
        concurrency: int = 1,
        stop: Event | None = None,
        asked: Callable[[int, float], None] = lambda _texts, _seconds: None,
        until: float = float("inf"),
    ) -> None:
        self._asked = asked
        self._connection, self._known, self._model = connection, known, model
        self._batch, self._left, self._budget = batch or model.max_batch, limit, budget
        self._concurrency, self._stop, self._until = concurrency, stop or Event(), until
        self._bound = False
        self._answers: SimpleQueue[tuple[list[_Row], Embeddings | BaseException]] = SimpleQueue()
        self._number = 1 << 61 | secrets.randbits(61)  # a secret: who knows it has these claims
        self._patient = Patient(connection, self._renew, self._stop)
        self._renewed = time.monotonic()
        self.tried = 0
        self.result = EmbedResult()
        connection.execute("select pg_try_advisory_lock(pgvec.worker_lock(%s))", (self._number,))

    def drain(self, *, thorough: bool = True) -> Iterator[None]:
        """Embed all that is due; yields after each batch, when `result` has it.

        `thorough`: also stale rows outside the queue, and rows that wait after a failure before now.
        """
        asked, exhausted, claims = 0, False, self._claims(thorough=thorough)
        self._noted = time.monotonic()
        while True:
            while asked < self._concurrency and not exhausted and self.result.stopped is None:
                rows = None if self._is_over() else next(claims, None)
                if rows is None:
                    exhausted = True
                    break
                Thread(target=self._ask, args=(rows,), daemon=True).start()
                asked += 1
            if not asked:
                break
            try:
                rows, answer = self._answers.get(timeout=TICK)
            except Empty:
                if self._stop.is_set():
                    self._model.halt()
                self._renew()
                continue
            asked -= 1
            if isinstance(answer, BaseException):
                raise answer
            if not self._bound and len(answer.failures) + len(answer.unasked) < len(rows):
                self.bind()  # only after the first vector: a wrong key should bind nothing
            self._store(rows, answer)
            self._renew()
            yield

    def close(self) -> None:
        """Leave what was claimed to others, as the end of the session does."""
        with suppress(psycopg.Error):
            self._connection.execute("select pgvec.release_jobs(%s)", (self._number,))
        with suppress(psycopg.Error):
            self._connection.execute("select pg_advisory_unlock(pgvec.worker_lock(%s))", (self._number,))

    def bind(self) -> None:
        """Keep with the collection what embeds it, so that later runs do the same."""
        if not self._bound:
            _bind(self._connection, self._known, self._model)
            self._bound = True

    def _is_over(self) -> bool:
        return (
            self._stop.is_set()
            or time.monotonic() > self._until
            or (self._left is not None and self._left <= 0)
            or (self._budget is not None and self.result.tokens >= self._budget)
        )

    def _ask(self, rows: list[_Row]) -> None:
        began = time.monotonic()
        try:
            answer = self._model.embed_some([row.content for row in rows])
            self._asked(len(rows) - len(answer.unasked), time.monotonic() - began)
            self._answers.put((rows, answer))
        except BaseException as error:
            self._answers.put((rows, error))

    def _claims(self, *, thorough: bool) -> Iterator[list[_Row]]:
        began: datetime = self._patient.execute("select clock_timestamp()").fetchall()[0][0]
        after, swept = None, not thorough
        while True:
            rows = self._claim(None)
            if rows:
                yield rows
            elif swept:
                break
            else:
                found = self._patient.execute(
                    "select last_id from pgvec.enqueue_stale(%s, %s)", (self._known.name, after)
                ).fetchall()
                after = found[0][0]
                swept = after is None
        while thorough and (rows := self._claim(began)):
            yield rows

    def _claim(self, failed_before: datetime | None) -> list[_Row]:
        size = self._batch if self._left is None else min(self._batch, self._left)
        claimed = self._patient.execute(
            "select id, content, content_hash from pgvec.claim_jobs(%s, %s, make_interval(secs => %s), %s, %s)",
            (self._known.name, min(size, MOST_CLAIMED), LEASE, self._number, failed_before),
        )
        rows = [_Row(*row) for row in claimed.fetchall()]
        self._left = None if self._left is None else self._left - len(rows)
        return rows

    def _renew(self) -> None:
        """Extend the leases, once a third of their time has passed."""
        if time.monotonic() - self._renewed > LEASE / 3:
            with suppress(*IN_THE_WAY):  # it is tried again
                self._connection.execute(
                    "select pgvec.renew_lease(%s, make_interval(secs => %s))", (self._number, LEASE)
                )
                self._renewed = time.monotonic()

    def _store(self, rows: list[_Row], answer: Embeddings) -> None:
        before = self.result
        self.result, tried = _store(self._patient, self._known.name, self._model.spec, rows, answer, before)
        self.tried += tried
        if self._left is not None:
            self._left += len(rows) - tried
        embedded = self.result.embedded - before.embedded
        now = time.monotonic()
        if embedded or answer.tokens:
            self._patient.execute(
                "select pgvec.note_usage(%s, %s, %s, %s)",
                (self._known.name, embedded, answer.tokens, now - self._noted),
            )
        self._noted = now
        if answer.unasked:
            self._patient.execute(
                "select pgvec.release_jobs(%s, ids => %s)", (self._number, [rows[place].id for place in answer.unasked])
            )
        # the first reason to stop counts: answers to other requests may come after it
        stopped = None if self._stop.is_set() else answer.stopped
        self.result = replace(self.result, stopped=before.stopped or stopped)


def _store(
    connection: Patient, collection: str, model: str, rows: Sequence[_Row], answer: Embeddings, so_far: EmbedResult
) -> tuple[EmbedResult, int]:
    """Store the vectors and mark the failures; the result with them, and how many rows were tried."""
    blank = {place for place, reason in answer.failures.items() if reason == EMPTY}
    tried = [place for place in range(len(rows)) if place not in answer.unasked and place not in blank]
    places = [place for place in tried if place not in answer.failures]
    stored, refused = _store_rows(connection, collection, model, rows, answer.vectors, places)
    reasons = refused | {place: answer.failures[place] for place in tried if place in answer.failures}
    failures = [Failure(rows[place].id, shorten(reason)) for place, reason in sorted(reasons.items())]
    if failures:
        connection.execute(
            "select pgvec.fail_jobs(%s, %s, %s, %s)",
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
    connection: Patient, collection: str, model: str, rows: Sequence[_Row], vectors: Vector, places: list[int]
) -> tuple[int, dict[int, str]]:
    """How many of these rows were stored, and why the database refused the others (by place)."""
    if not places:
        return 0, {}
    try:
        found = connection.execute(
            "select pgvec.store_embeddings(%s, %s, %s, %s, %s)",
            (
                collection,
                [rows[place].id for place in places],
                [rows[place].content_hash for place in places],
                _array(vectors[places]),
                model,
            ),
        ).fetchone()
    except psycopg.Error as error:
        # too large for halfvec, a zero vector once rounded, a constraint or a trigger of a user: one row's fault
        if (error.sqlstate or "")[:2] not in ("22", "23", "P0") and error.sqlstate != "PV005":
            raise
        if len(places) == 1:
            return 0, {places[0]: error.diag.message_primary or str(error)}
        middle = len(places) // 2
        first = _store_rows(connection, collection, model, rows, vectors, places[:middle])
        second = _store_rows(connection, collection, model, rows, vectors, places[middle:])
        return first[0] + second[0], first[1] | second[1]
    assert found is not None
    return int(found[0]), {}


def _array(vectors: Vector) -> str:
    """An array of vectors as Postgres reads it. Text, since pgvector's schema may not be in the search_path."""
    form = "[" + ",".join(["%.9g"] * vectors.shape[1]) + "]"  # nine digits give every float32 back exactly
    return "{" + ",".join(f'"{form % tuple(vector)}"' for vector in vectors.tolist()) + "}"


def kept_prefix(known: Collection, model: Provider) -> str:
    """What is put before the texts of a collection: by its settings, else by its model."""
    if known.passage_prefix is not None:
        return known.passage_prefix
    return prefixes(model.spec.partition(":")[2]).passage


def _bind(connection: Connection, known: Collection, model: Provider) -> None:
    """Keep with the collection what embeds it, so that later runs do the same.

    The triggers of the queue need a lock on the table: each attempt is short, so that writers do not wait behind it.
    """
    for attempt in range(LOCK_ATTEMPTS if known.model is None else 0):
        try:
            with connection.transaction():
                connection.execute("set local lock_timeout = '500ms'")
                connection.execute("select pgvec.bind_model(%s, %s, %s)", (known.name, model.spec, model.dimensions))
            break
        except IN_THE_WAY:
            if attempt == LOCK_ATTEMPTS - 1:
                raise
            time.sleep(0.5)
    if model.passage_prefix != kept_prefix(known, model):
        connection.execute(
            "update pgvec.collections set settings = settings || jsonb_build_object('passage_prefix', %s::text)"
            " where name = %s",
            (model.passage_prefix, known.name),
        )
    if model.too_long not in (None, known.too_long):
        connection.execute(
            "update pgvec.collections set settings = settings || jsonb_build_object('too_long', %s::text)"
            " where name = %s",
            (model.too_long, known.name),
        )
