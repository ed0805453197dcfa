"""all-MiniLM-L6-v2 by NumPy: of texts given as their tokens, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

    Weights = dict[str, Vector]

DIMENSIONS = 384
LAYERS, HEADS, EPSILON = 6, 12, 1e-12


class Model:
    """The model, with the weights of its package."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def encode(self, texts: Sequence[list[int]]) -> Vector:
        """The vectors of texts, of length 1."""
        return np.array([self._vector(ids) for ids in texts], np.float32).reshape(-1, DIMENSIONS)

    def _vector(self, ids: list[int]) -> Vector:
        """Mean of the last hidden states of the tokens of a text, to length 1."""
        words, places, kinds = (
            self._weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")
        )
        hidden = self._norm("embeddings.LayerNorm", words[ids] + places[: len(ids)] + kinds[0])
        for number in range(LAYERS):
            name = f"encoder.layer.{number}"
            joined = self._linear(f"{name}.attention.output.dense", self._attended(f"{name}.attention.self", hidden))
            hidden = self._norm(f"{name}.attention.output.LayerNorm", hidden + joined)
            inner = _gelu(self._linear(f"{name}.intermediate.dense", hidden))
            hidden = self._norm(f"{name}.output.LayerNorm", hidden + self._linear(f"{name}.output.dense", inner))
        summed: Vector = hidden.sum(0)  # of the length of the mean but for a factor
        return summed / np.linalg.norm(summed)

    def _attended(self, name: str, hidden: Vector) -> Vector:
        heads = (len(hidden), HEADS, DIMENSIONS // HEADS)
        query, key, value = (
            self._linear(f"{name}.{part}", hidden).reshape(heads).swapaxes(0, 1) for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.float32(heads[2] ** 0.5)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        attended: Vector = (shares @ value).swapaxes(0, 1).reshape(hidden.shape)
        return attended

    def _linear(self, name: str, hidden: Vector) -> Vector:
        made: Vector = hidden @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return made

    def _norm(self, name: str, hidden: Vector) -> Vector:
        centred = hidden - hidden.mean(-1, keepdims=True)
        centred /= np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(EPSILON))
        made: Vector = centred * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return made


def _gelu(x: Vector) -> Vector:
    """x times the share of a normal distribution below it, to 2e-7: Abramowitz and Stegun, formula 7.1.26."""
    size = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * size)
    above = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        above = (above + np.float32(factor)) * t
    above *= np.exp(-size * size) / 2  # the share above |x|
    made: Vector = x * np.where(x < 0, above, 1 - above)
    return made
