"""The possible contents of each row, by what the server has acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from soak.rows import Key, State

# the row after an operation; None means no row
Change = Callable[[State | None], State | None]

_ABSENT: frozenset[State | None] = frozenset([None])


class Ledger:
    """A row belongs to one writer, which records its operations in order. Others may own other rows.

    Rows of `contested` keys are written by several at once: for these, every attempted state is possible.
    """

    def __init__(self) -> None:
        self._possible: dict[Key, frozenset[State | None]] = {}
        self._lock = threading.Lock()

    def acknowledged(self, keys: Iterable[Key], change: Change) -> None:
        """The server has said that this is committed."""
        for key in keys:
            self._note(key, frozenset(change(state) for state in self.possible(key)))

    def unknown(self, keys: Iterable[Key], change: Change) -> None:
        """It was sent, and its outcome is unknown."""
        for key in keys:
            before = self.possible(key)
            self._note(key, before | {change(state) for state in before})

    def contested(self, keys: Iterable[Key], state: State | None) -> None:
        """One of several writers of these rows has tried to write this."""
        with self._lock:
            for key in keys:
                self._possible[key] = self.possible(key) | {state}

    def possible(self, key: Key) -> frozenset[State | None]:
        """The possible contents of a row; None among them where it may be absent."""
        return self._possible.get(key, _ABSENT)

    def keys(self, collection: str) -> list[Key]:
        """All keys of a collection that were ever written."""
        with self._lock:
            return sorted(key for key in self._possible if key.collection == collection)

    def __len__(self) -> int:
        return len(self._possible)

    def _note(self, key: Key, possible: frozenset[State | None]) -> None:
        with self._lock:
            self._possible[key] = possible
