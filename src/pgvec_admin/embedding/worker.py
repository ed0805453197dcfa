"""A worker that embeds rows as they come, until it is told to stop."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Event
from typing import Protocol

import psycopg

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.embedding.embed import ProviderOptions, check_dimensions, check_prefix, provider_for
from pgvec_admin.embedding.run import TICK, EmbedResult, Run
from pgvec_admin.embedding.tuning import Tuner
from pgvec_admin.engine import collections
from pgvec_admin.engine.index import Kept
from pgvec_admin.errors import ConnectionFailedError, PgvecError, from_postgres
from pgvec_admin.providers import Provider

POLL = 5.0  # seconds between looks for rows of which no notification came: those that wait after a failure, for one
TURN = 1.0  # seconds for each of two models, so that rows which keep coming for one do not hold up the other
ANNOUNCEMENTS = 20  # attempts at a lock that writers have for a moment
LONGEST_PAUSE = 300.0  # seconds after a provider or a server has failed again and again


@dataclass(frozen=True)
class Worked:
    """What was done for a collection: a batch or more, or an error that keeps it from going on."""

    collection: str
    result: EmbedResult
    error: PgvecError | None = None


class Observer(Protocol):
    """Who counts what a worker does (`WorkerMetrics`); called by several threads."""

    def asked(self, collection: str, model: str, texts: int, seconds: float) -> None:
        """A provider has answered for so many texts."""

    def progress(self, collection: str, model: str, before: EmbedResult, after: EmbedResult) -> None:
        """A run has come from one result to the next."""

    def failed(self, collection: str, error: PgvecError) -> None:
        """Something failed that is no row's fault; of a database that is away, for no collection ("")."""


class Worker:
    """Embeds what is due in some collections, and waits for more; meanwhile it tunes the index of one that has doubled.

    It reconnects after the server has gone, and pauses, longer each time, while the provider fails for all rows.
    """

    def __init__(
        self,
        where: Target,
        names: Iterable[str],
        options: ProviderOptions,
        *,
        concurrency: int = 1,
        report: Callable[[Worked], None],
        stop: Event,
        observer: Observer | None = None,
        tuned: Callable[[str, Kept], None] = lambda *_: None,
    ) -> None:
        self._observer = observer
        self._where, self._names, self._options = where, list(names), options
        self._concurrency, self._report, self._stop = concurrency, report, stop
        self._models: dict[tuple[str, str | None], Provider] = {}
        self._pause, self._failed = 0.0, False
        self._tuner = Tuner(where, self._names, stop, tuned)

    def work(self) -> None:
        """Work until it is told to stop. Raises UsageError where a collection cannot be embedded at all."""
        try:
            while not self._stop.is_set():
                try:
                    with database.connect(self._where, autocommit=True) as connection:
                        connection.execute("listen pgvec_embedding")
                        self._serve(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    self._fail("", from_postgres(error))
                except ConnectionFailedError as error:
                    self._fail("", error)
        finally:
            self._tuner.end()

    def _serve(self, connection: Connection) -> None:
        """Work on one connection: rows are looked for once more after the lock, by which writers know who waits."""
        while not self._stop.is_set():
            if self._round(connection):
                continue
            told = self._announce(connection)
            if not self._round(connection):
                self._tuner.idle()
                self._wait(connection)
            if told:
                connection.execute("select pg_advisory_unlock_shared(pgvec.embedders_lock())")

    @staticmethod
    def _announce(connection: Connection) -> bool:
        """Take the lock by which writers know that a worker waits: at once or not at all.

        Writers have it for a moment each. A session that kept it, cancelled in that moment, is not waited for: while it
        has the lock, the other writers notify.
        """
        for _ in range(ANNOUNCEMENTS):
            row = connection.execute("select pg_try_advisory_lock_shared(pgvec.embedders_lock())").fetchone()
            if row and row[0]:
                return True
        return False

    def _round(self, connection: Connection) -> bool:
        """Embed what is due in each collection; whether there was something."""
        self._failed = False
        worked = []
        for name in self._names:
            second = collections.changing_to(connection, name)
            worked.append(self._drain(connection, name, turn=None if second is None else TURN))
            if second is not None:
                worked.append(self._drain(connection, second, turn=TURN))
        if not self._failed:
            self._pause = 0.0
        return any(worked)

    def _drain(self, connection: Connection, name: str, *, turn: float | None = None) -> bool:
        try:
            known = collections.get(connection, name)
        except psycopg.Error as error:
            if "@" in name and error.sqlstate == "PV001":
                return False  # the change was aborted
            raise
        model = self._models.get((name, known.model))
        if model is None:
            # what was asked for at the beginning is not for the model that the collection is changed to
            options = replace(self._options, model=None, passage_prefix=None) if self._models else self._options
            model = provider_for(known, options)
            check_dimensions(known, model)
            check_prefix(connection, known, model)
            self._models[name, known.model] = model
        began = time.monotonic()
        run = Run(
            connection,
            known,
            model,
            batch=self._options.batch,
            concurrency=self._concurrency,
            stop=self._stop,
            asked=lambda texts, seconds: self._count(name, model, texts, seconds),
            until=began + (turn or float("inf")),
        )
        seen = run.result
        try:
            for _ in run.drain(thorough=False):
                if self._observer:
                    self._observer.progress(name, model.spec, seen, run.result)
                seen = run.result
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error:
            if self._model_of(connection, name) == (known.name, known.model):
                raise
            return True  # its model was changed meanwhile: vectors of it are in another column now, or in none
        finally:
            run.close()
        result = run.result
        if result.stopped is not None:
            self._fail(name, result.stopped, result)
        elif run.tried:
            self._report(Worked(name, replace(result, seconds=time.monotonic() - began)))
        return run.tried > 0 and result.stopped is None

    def _count(self, name: str, model: Provider, texts: int, seconds: float) -> None:
        if self._observer:
            self._observer.asked(name, model.spec, texts, seconds)

    @staticmethod
    def _model_of(connection: Connection, name: str) -> tuple[str, str | None] | None:
        """The name of a collection now (NAME@MODEL for the second of two models), and its model; None without it."""
        try:
            known = collections.get(connection, name)
            return known.name, known.model
        except psycopg.Error:
            return None

    def _wait(self, connection: Connection) -> None:
        until = time.monotonic() + POLL
        while not self._stop.is_set() and time.monotonic() < until:
            for _ in connection.notifies(timeout=TICK, stop_after=1):
                return

    def _fail(self, name: str, error: PgvecError, result: EmbedResult | None = None) -> None:
        """Report a failure that is no row's, and pause: twice as long as the last time, by chance a little more."""
        self._report(Worked(name, result or EmbedResult(), error))
        if self._observer:
            self._observer.failed(name, error)
        self._pause = min(LONGEST_PAUSE, max(1.0, 2 * self._pause))
        self._failed = True
        until = time.monotonic() + self._pause * (1 + secrets.randbelow(1000) / 4000)
        # not Event.wait: a signal handler that sets the event in its critical section would wait for itself
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, TICK))
