"""all-MiniLM-L6-v2 from its packaged weights, by PyTorch alone.

To import Sentence Transformers takes three seconds, which every search from the command line would wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

DIMENSIONS = 384
LONGEST = 256  # tokens of a text that it reads

_LAYERS, _HEADS, _EPSILON = 6, 12, 1e-12


def batch(device: str) -> int:
    """Texts to embed at once, of similar length. On a CPU 32 take half as long again as 8: padding, and its caches."""
    return 8 if device == "cpu" else 32


def tokenizer(directory: Path) -> Any:
    """A separate `tokenizers.Tokenizer` of the model, which counts without truncation or padding."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(directory / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


class PackagedModel:
    """The model, loaded; on a GPU where there is one. Raises ImportError without PyTorch."""

    dimensions, longest = DIMENSIONS, float(LONGEST)

    def __init__(self, directory: Path) -> None:
        import torch
        from safetensors.torch import load_file

        self._directory = directory
        self._tokenizer = tokenizer(directory)
        self._device = _device()
        self._batch = batch(self._device)
        weights = load_file(directory / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"].to(self._device)
        # a text is one sequence, whose tokens are all of the first type
        kinds = weights["embeddings.token_type_embeddings.weight"]
        places = weights["embeddings.position_embeddings.weight"] + kinds[0]
        self._places = places.to(self._device)
        self._norm = _norm(weights, "embeddings.LayerNorm", self._device)
        self._layers = [_Layer(weights, f"encoder.layer.{number}", self._device) for number in range(_LAYERS)]

    def tokenizer(self) -> Any:
        """A separate tokenizer of the model."""
        return tokenizer(self._directory)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, with those that begin and end it; the model reads LONGEST of them."""
        return [made.ids for made in self._tokenizer.encode_batch(list(texts))]

    def encode(self, texts: Sequence[str]) -> Vector:
        """The vectors of texts, of length 1."""
        import torch

        read = [ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]] for ids in self.tokens(texts)]
        order = sorted(range(len(read)), key=lambda place: len(read[place]))  # short texts are padded little
        vectors = np.empty((len(read), DIMENSIONS), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), self._batch):
                places = order[start : start + self._batch]
                vectors[places] = self._vectors([read[place] for place in places])
        return vectors

    def _vectors(self, batch: list[list[int]]) -> Vector:
        """Mean of the last hidden states of the tokens of each text."""
        import torch

        lengths = torch.tensor([[len(ids)] for ids in batch])
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids in batch], batch_first=True)
        read = (torch.arange(ids.shape[1]) < lengths).to(self._device)  # and not padding
        hidden = self._norm(self._words[ids.to(self._device)] + self._places[: ids.shape[1]])
        for layer in self._layers:
            hidden = layer(hidden, read)
        summed = (hidden * read.unsqueeze(-1)).sum(1)
        found: Vector = torch.nn.functional.normalize(summed).cpu().numpy()  # of the sum as of the mean
        return found


class _Layer:
    """A layer of BERT. Its matrices are oneDNN's on a CPU, which takes half the time of PyTorch's own there."""

    def __init__(self, weights: dict[str, Any], name: str, device: str) -> None:
        of_attention = f"{name}.attention.self"
        self._attended = [_linear(weights, f"{of_attention}.{part}", device) for part in ("query", "key", "value")]
        self._joined = _linear(weights, f"{name}.attention.output.dense", device)
        self._joined_norm = _norm(weights, f"{name}.attention.output.LayerNorm", device)
        self._inner = _linear(weights, f"{name}.intermediate.dense", device)
        self._outer = _linear(weights, f"{name}.output.dense", device)
        self._outer_norm = _norm(weights, f"{name}.output.LayerNorm", device)

    def __call__(self, hidden: Any, read: Any) -> Any:
        """Hidden states of (texts, tokens, dimensions); which tokens are read, of (texts, tokens)."""
        from torch.nn.functional import gelu, scaled_dot_product_attention

        texts, tokens, dimensions = hidden.shape
        heads = (texts, tokens, _HEADS, dimensions // _HEADS)
        query, key, value = (part(hidden).view(heads).transpose(1, 2) for part in self._attended)
        attended = scaled_dot_product_attention(query, key, value, attn_mask=read[:, None, None, :])
        joined = self._joined(attended.transpose(1, 2).reshape(hidden.shape))
        hidden = self._joined_norm(hidden + joined)
        return self._outer_norm(hidden + self._outer(gelu(self._inner(hidden))))


def _linear(weights: dict[str, Any], name: str, device: str) -> Callable[[Any], Any]:
    import torch

    weight, bias = (weights[f"{name}.{part}"].to(device) for part in ("weight", "bias"))
    if device == "cpu" and torch.backends.mkldnn.is_available():
        packed, added = weight.to_mkldnn(), bias.to_mkldnn()
        return lambda hidden: torch.ops.aten.mkldnn_linear(hidden.to_mkldnn(), packed, added).to_dense()
    return lambda hidden: torch.nn.functional.linear(hidden, weight, bias)


def _norm(weights: dict[str, Any], name: str, device: str) -> Callable[[Any], Any]:
    import torch

    weight, bias = (weights[f"{name}.{part}"].to(device) for part in ("weight", "bias"))
    return lambda hidden: torch.nn.functional.layer_norm(hidden, (DIMENSIONS,), weight, bias, _EPSILON)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
