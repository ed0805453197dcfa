"""all-MiniLM-L6-v2 from its packaged weights: of few tokens by NumPy, of many by PyTorch where that is installed.

To import PyTorch takes a second, which every search from the command line would wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgvec_admin.providers import minilm

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

LONGEST = 256  # tokens of a text that it reads
FEW = 2000  # tokens at once, which NumPy reads in two thirds of the time in which PyTorch is imported


def tokenizer(directory: Path) -> Any:
    """A separate `tokenizers.Tokenizer` of the model, which counts without truncation or padding."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(directory / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


class PackagedModel:
    """The model, loaded. Raises ImportError where the package `safetensors` is not installed."""

    dimensions, longest = minilm.DIMENSIONS, float(LONGEST)

    def __init__(self, directory: Path) -> None:
        from safetensors.numpy import load_file

        self._directory = directory
        self._tokenizer = tokenizer(directory)
        self._weights = load_file(directory / "model.safetensors")
        self._by_numpy = minilm.Model(self._weights)

    def tokenizer(self) -> Any:
        """A separate tokenizer of the model."""
        return tokenizer(self._directory)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, with those that begin and end it; the model reads LONGEST of them."""
        return [made.ids for made in self._tokenizer.encode_batch(list(texts))]

    def encode(self, texts: Sequence[str]) -> Vector:
        """The vectors of texts, of length 1."""
        read = [ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]] for ids in self.tokens(texts)]
        model = self._by_torch if sum(map(len, read)) > FEW else None
        vectors: Vector = (model or self._by_numpy).encode(read)
        return vectors

    @cached_property
    def _by_torch(self) -> Any:
        try:
            from pgvec_admin.providers import minilm_torch
        except (ImportError, OSError):  # one of its libraries cannot be loaded
            return None
        return minilm_torch.Model(self._weights)
