"""Lanes: two concurrent COPY workers, so that the server stores two batches of a load at a time.

Only large batches of entirely new rows run concurrently, each in its own transaction, and these commit in the order of
the batches: wherever a load is interrupted, its beginning is stored. Where a batch meets anything else, such as
existing rows, a bad row or a lock of the other batch, both start again, one after the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import psycopg

from pgvec_admin.database import Connection
from pgvec_admin.errors import PgvecError
from pgvec_admin.loading.staging import Row, Staging

# smaller batches gain little, and change the weights of a young collection
LEAST_ROWS = 1000


class Batch(Protocol):
    """What lanes need to know about a batch: its rows, and whether it consists of nothing but rows to store."""

    @property
    def rows(self) -> Sequence[Row]:
        """Rows to store."""

    @property
    def plain(self) -> bool:
        """Whether these may be copied as they are, if they are new."""


B = TypeVar("B", bound=Batch)


class Lanes(Generic[B]):
    """The staging tables of one connection, or of two once there are batches for both."""

    def __init__(self, stage: Staging, another: Callable[[], Connection] | None) -> None:
        self._stages = [stage]
        self._another = another
        self._flying: deque[tuple[B, Staging, Future[bool]]] = deque()

    @property
    def spare(self) -> Connection | None:
        """The second connection, where one was opened."""
        return self._stages[1].connection if len(self._stages) > 1 else None

    def run(self, batches: Iterator[B]) -> Generator[tuple[B, Staging | None]]:
        """Each batch in order, with the staging whose open transaction has its rows; None where they are not stored.

        The caller ends that transaction (`Staging.ending`) before it asks for the next.
        """
        again: deque[B] = deque()
        with ThreadPoolExecutor(2, thread_name_prefix="load-lane") as pool:
            try:
                while True:
                    while len(self._flying) < 2 and (batch := again.popleft() if again else next(batches, None)):
                        stage = self._free(batch)
                        if stage:
                            self._flying.append((batch, stage, pool.submit(stage.insert, batch.rows)))
                        elif self._flying:
                            again.appendleft(batch)
                            break
                        else:
                            yield batch, None
                    if not self._flying:
                        return
                    batch, stage, inserted = self._flying[0]
                    stored = inserted.result()
                    self._flying.popleft()
                    if stored:
                        yield batch, stage
                    else:
                        self._stages[0].all_new = False
                        again.extendleft(later for later, _, _ in reversed(self._flying))
                        self._give_up()
                        yield batch, None
            finally:
                for _, stage, _ in self._flying:
                    stage.cancel()
                self._give_up()

    def _free(self, batch: B) -> Staging | None:
        """A staging that may insert this batch now."""
        if not (self._stages[0].all_new and batch.plain and len(batch.rows) >= LEAST_ROWS):
            return None
        if self._flying and self._another:
            # a server without a free connection is no reason to fail
            with suppress(psycopg.Error, PgvecError):
                self._stages.append(Staging(self._another(), self._stages[0].collection))
            self._another = None
        busy = [stage for _, stage, _ in self._flying]
        return next((stage for stage in self._stages if stage not in busy), None)

    def _give_up(self) -> None:
        """Roll back the running batches."""
        for _, stage, inserted in self._flying:
            with suppress(psycopg.Error):
                if inserted.result():
                    stage.undo()
        self._flying.clear()
