"""How long operations took, which failed, and which of these were bound to, because of a fault at that moment."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

# a pool reconnects after a while
SETTLING = 5.0


@dataclass
class Fault:
    """A fault of the server, and when it had recovered (seconds of the monotonic clock)."""

    kind: str
    begun: float
    ended: float = math.inf


@dataclass(frozen=True)
class Failure:
    """An operation that failed: its SQLSTATE (or `lost`, `http 503`, `exit 1`) and its message.

    `since`: its start, or the last success of its thread.
    """

    kind: str
    state: str
    message: str
    since: float
    ended: float
    is_loss: bool


@dataclass(frozen=True)
class Summary:
    """Of one kind of operation: how many, how many a second, and milliseconds."""

    kind: str
    count: int
    rate: float
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass
class Recorder:
    """Any thread may write to it."""

    started: float = field(default_factory=time.monotonic)
    faults: list[Fault] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    recalls: list[float] = field(default_factory=list)
    _times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _well: dict[int, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Measures the block; a database error is recorded and raised again."""
        begun = time.monotonic()
        try:
            yield
        except psycopg.Error as error:
            self.failed(kind, error.sqlstate or "lost", str(error), begun, is_loss=is_loss(error))
            raise
        self.took(kind, time.monotonic() - begun)

    def took(self, kind: str, seconds: float) -> None:
        """Count a successful operation."""
        with self._lock:
            self._times[kind].append(seconds)
            self._well[threading.get_ident()] = time.monotonic()

    def failed(self, kind: str, state: str, message: str, begun: float, *, is_loss: bool) -> None:
        """Count a failed one."""
        told = " ".join(message.split())[:300]
        since = min(begun, self._well.get(threading.get_ident(), begun))
        self.failures.append(Failure(kind, state, told, since, time.monotonic(), is_loss))

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """The fault that the block injects is over when the block ends."""
        fault = Fault(kind, time.monotonic())
        self.faults.append(fault)
        yield
        fault.ended = time.monotonic()

    def answered_wrongly(self, what: str) -> None:
        """A search returned a wrong answer."""
        self.wrong.append(what)

    def expected(self, failure: Failure) -> bool:
        """Whether a connection was lost during, or soon after, a fault of the server.

        A broken connection is noticed at its next use.
        """
        return failure.is_loss and any(
            fault.begun <= failure.ended and failure.since <= fault.ended + SETTLING for fault in self.faults
        )

    def summaries(self) -> list[Summary]:
        """By kind, over the whole run."""
        seconds = time.monotonic() - self.started
        return [_summary(kind, sorted(times), seconds) for kind, times in sorted(self._times.items())]

    def count(self, kind: str) -> int:
        """The number of successful operations of a kind."""
        return len(self._times[kind])


def is_loss(error: psycopg.Error) -> bool:
    """Whether the connection, or the server, was lost."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(("08", "57P"))


def _summary(kind: str, times: list[float], seconds: float) -> Summary:
    def at(share: float) -> float:
        return times[min(len(times) - 1, int(share * len(times)))] * 1000

    return Summary(kind, len(times), len(times) / seconds, at(0.5), at(0.95), at(0.99), times[-1] * 1000)
