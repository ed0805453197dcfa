"""The rows of a soak: a text, metadata and a vector for every key and version, always the same ones."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 32
# these never change, so that answers are known beforehand
FIXED = 200
TENTHS = 10
ADOPTED = "jobs"
ANCHORS = 20
_CLUSTERS = 64
_WORDS = 2000

Vector = NDArray[np.float32]


@dataclass(frozen=True, order=True)
class Key:
    """A row: its collection, its tenant ('' where there are none) and its id."""

    collection: str
    tenant: str
    id: str


@dataclass(frozen=True)
class State:
    """The contents of a row: the versions of its text, of its metadata, and of the text its vector was made from."""

    text: int
    metadata: int
    vector: int | None


class Rows:
    """Everything is drawn from the seed, the key and the version."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._centres = np.random.default_rng(seed).normal(size=(_CLUSTERS, DIMENSIONS))

    @lru_cache(maxsize=100_000)  # noqa: B019 - there is one of these in a run
    def text(self, key: Key, version: int) -> str:
        """10 to 40 words, the first of them the most frequent; fixed rows have an anchor that no other has."""
        drawn = random.Random(f"{self.seed} {key} {version}")
        words = [f"w{int(_WORDS ** drawn.random())}" for _ in range(drawn.randint(10, 40))]
        if is_fixed(key):
            words.insert(drawn.randrange(len(words)), f"anchor{_number(key) % ANCHORS}")
        text = " ".join(words)
        return text.replace(" ", "\n", 1) if key.collection == ADOPTED else text  # a title, and a body

    def metadata(self, key: Key, version: int) -> dict[str, Any]:
        """`tenth` is for filters, and `fixed` is true of fixed rows alone."""
        made: dict[str, Any] = {"fixed": is_fixed(key), "tenth": _number(key) % TENTHS, "version": version}
        return made | {"tenant": key.tenant} if key.tenant else made

    def vector(self, key: Key, version: int) -> Vector:
        """The vector that `embed` makes from the text."""
        return self.embed(self.text(key, version))

    def embed(self, text: str) -> Vector:
        """A vector of length 1 near one of the centres; equal texts have equal ones."""
        drawn = np.random.default_rng(int.from_bytes(hashlib.md5(text.encode()).digest()[:8]))
        vector = self._centres[drawn.integers(_CLUSTERS)] + 0.7 * drawn.normal(size=DIMENSIONS)
        made: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        return made

    def question(self, drawn: random.Random) -> Vector:
        """A vector to search for."""
        return self.embed(f"question {drawn.random()}")

    def words(self, drawn: random.Random, count: int) -> str:
        """Words to search for."""
        return " ".join(f"w{int(_WORDS ** drawn.random())}" for _ in range(count))


def fixed_keys(collection: str, tenant: str = "") -> list[Key]:
    """The keys of the fixed rows of a collection, or of a tenant in it; those of the adopted table are numbers."""
    prefix = "" if collection == ADOPTED else "fixed-"
    return [Key(collection, tenant, f"{prefix}{number}") for number in range(FIXED)]


def is_fixed(key: Key) -> bool:
    """Whether a row never changes."""
    return _number(key) < FIXED if key.collection == ADOPTED else key.id.startswith("fixed-")


def _number(key: Key) -> int:
    return int(key.id.rpartition("-")[2])
