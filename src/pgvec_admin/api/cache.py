"""The cache of responses and embeddings."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """The entries used last, up to a `limit` of the sum of weights, each for `seconds` (None: no time limit)."""

    def __init__(
        self,
        limit: int,
        *,
        weigh: Callable[[V], int] = lambda _: 1,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._weigh, self._seconds, self._clock = limit, weigh, seconds, clock
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        self.weight = 0

    def get(self, key: Hashable) -> V | None:
        """The value of a key, if it is in the cache and not too old."""
        found = self._kept.get(key)
        if found is None:
            return None
        made, value = found
        if self._seconds is not None and self._clock() - made > self._seconds:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return value

    def put(self, key: Hashable, value: V) -> None:
        """Add a value; the least recently used are removed. One heavier than the limit is not added."""
        if key in self._kept:
            self._drop(key)
        if self._weigh(value) > self._limit:
            return
        self._kept[key] = (self._clock(), value)
        self.weight += self._weigh(value)
        while self.weight > self._limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        self.weight -= self._weigh(self._kept.pop(key)[1])

    def __len__(self) -> int:
        return len(self._kept)
