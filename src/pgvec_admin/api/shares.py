"""Resources that callers share, and the most that one of them may hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from pgvec_admin.api.problems import ProblemError


class Turns:
    """Turns to work: `total` at once, of which one caller has at most `of_one`, and waits `wait_seconds` for its next.

    Beyond the total nobody waits, since a queue would only grow.
    """

    def __init__(self, total: int, of_one: int, wait_seconds: float) -> None:
        self._total, self._of_one, self._wait_seconds = total, of_one, wait_seconds
        self._running = 0
        self._lines: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}  # with an entry for each that works or waits

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """A turn of a caller; ProblemError 503 where all are taken, 429 where the caller's own are."""
        self._check_total()
        own, users = self._lines.setdefault(name, (asyncio.Semaphore(self._of_one), []))
        if len(users) >= self._of_one + self._total:
            raise self._too_many()
        users.append(None)
        try:
            await self._acquire(own)
            try:
                self._check_total()
                self._running += 1
                try:
                    yield
                finally:
                    self._running -= 1
            finally:
                own.release()
        finally:
            users.pop()
            if not users:
                del self._lines[name]

    async def _acquire(self, own: asyncio.Semaphore) -> None:
        if not own.locked():
            await own.acquire()  # does not wait
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await own.acquire()
        except TimeoutError as error:
            raise self._too_many() from error

    def _check_total(self) -> None:
        if self._running >= self._total:
            raise ProblemError(503, "too many requests at once", "try again soon", retry_after=1)

    def _too_many(self) -> ProblemError:
        return ProblemError(
            429, "too many requests of one caller at once", f"at most {self._of_one}; try again soon", retry_after=1
        )


class Budget:
    """An amount that callers take parts of: `total`, of which one caller has at most `of_one`."""

    def __init__(self, total: int, of_one: int) -> None:
        self._total, self._of_one = total, of_one
        self._taken: Counter[str] = Counter()
        self._sum = 0

    def take(self, name: str, amount: int) -> None:
        """Take a part; ProblemError 503 where the total does not have it, 429 where the caller's own share does not."""
        if self._taken[name] + amount > self._of_one:
            raise ProblemError(429, "too many requests of one caller at once", "try again soon", retry_after=1)
        if self._sum + amount > self._total:
            raise ProblemError(503, "too many requests at once", "try again soon", retry_after=1)
        self._taken[name] += amount
        self._sum += amount

    def give(self, name: str, amount: int) -> None:
        """Give a part back."""
        self._taken[name] -= amount
        self._sum -= amount
        if not self._taken[name]:
            del self._taken[name]

    @contextmanager
    def hold(self, name: str, amount: int) -> Iterator[None]:
        """Take a part for a while."""
        self.take(name, amount)
        try:
            yield
        finally:
            self.give(name, amount)
