"""all-MiniLM-L6-v2 by PyTorch alone: for many texts, on a GPU where there is one.

To import Sentence Transformers takes three seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import gelu, layer_norm, linear, normalize, scaled_dot_product_attention

from pgvec_admin.providers.minilm import DIMENSIONS, EPSILON, HEADS, LAYERS

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector
    from pgvec_admin.providers.minilm import Weights

Layer = Callable[[torch.Tensor], torch.Tensor]


def batch(device: str) -> int:
    """Texts to embed at once, of similar length. On a CPU 32 take half as long again as 8: padding, and its caches."""
    return 8 if device == "cpu" else 32


class Model:
    """The model, loaded."""

    def __init__(self, weights: Weights) -> None:
        self._device = _device()
        self._batch = batch(self._device)
        tensors = {name: torch.from_numpy(array).to(self._device) for name, array in weights.items()}
        self._words = tensors["embeddings.word_embeddings.weight"]
        # a text is one sequence, whose tokens are all of the first type
        kinds = tensors["embeddings.token_type_embeddings.weight"]
        self._places = tensors["embeddings.position_embeddings.weight"] + kinds[0]
        self._norm = _norm(tensors, "embeddings.LayerNorm")
        self._layers = [_Layer(tensors, f"encoder.layer.{number}") for number in range(LAYERS)]

    def encode(self, texts: Sequence[list[int]]) -> Vector:
        """The vectors of texts, given as their tokens, of length 1."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # short texts are padded little
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), self._batch):
                places = order[start : start + self._batch]
                vectors[places] = self._vectors([texts[place] for place in places])
        return vectors

    def _vectors(self, texts: list[list[int]]) -> Vector:
        """Mean of the last hidden states of the tokens of each text."""
        lengths = torch.tensor([[len(ids)] for ids in texts])
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in texts], batch_first=True)
        read = (torch.arange(ids.shape[1]) < lengths).to(self._device)  # and not padding
        hidden = self._norm(self._words[ids.to(self._device)] + self._places[: ids.shape[1]])
        for layer in self._layers:
            hidden = layer(hidden, read)
        summed = (hidden * read.unsqueeze(-1)).sum(1)
        found: Vector = normalize(summed).cpu().numpy()  # of the sum as of the mean
        return found


class _Layer:
    def __init__(self, tensors: dict[str, torch.Tensor], name: str) -> None:
        self._attended = [_linear(tensors, f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
        self._joined = _linear(tensors, f"{name}.attention.output.dense")
        self._joined_norm = _norm(tensors, f"{name}.attention.output.LayerNorm")
        self._inner = _linear(tensors, f"{name}.intermediate.dense")
        self._outer = _linear(tensors, f"{name}.output.dense")
        self._outer_norm = _norm(tensors, f"{name}.output.LayerNorm")

    def __call__(self, hidden: torch.Tensor, read: torch.Tensor) -> torch.Tensor:
        """Hidden states of (texts, tokens, dimensions); which tokens are read, of (texts, tokens)."""
        texts, tokens, dimensions = hidden.shape
        heads = (texts, tokens, HEADS, dimensions // HEADS)
        query, key, value = (part(hidden).view(heads).transpose(1, 2) for part in self._attended)
        attended = scaled_dot_product_attention(query, key, value, attn_mask=read[:, None, None, :])
        hidden = self._joined_norm(hidden + self._joined(attended.transpose(1, 2).reshape(hidden.shape)))
        return self._outer_norm(hidden + self._outer(gelu(self._inner(hidden))))


def _linear(tensors: dict[str, torch.Tensor], name: str) -> Layer:
    """On a CPU by oneDNN, which takes 0.6 of the time that PyTorch takes there by itself."""
    weight, bias = (tensors[f"{name}.{part}"] for part in ("weight", "bias"))
    if weight.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        packed, added = weight.to_mkldnn(), bias.to_mkldnn()
        return lambda hidden: torch.ops.aten.mkldnn_linear(hidden.to_mkldnn(), packed, added).to_dense()
    return lambda hidden: linear(hidden, weight, bias)


def _norm(tensors: dict[str, torch.Tensor], name: str) -> Layer:
    weight, bias = (tensors[f"{name}.{part}"] for part in ("weight", "bias"))
    return lambda hidden: layer_norm(hidden, (DIMENSIONS,), weight, bias, EPSILON)


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
