"""all-MiniLM-L6-v2 from its packaged weights, by PyTorch alone.

To import Sentence Transformers takes three seconds, which every search from the command line would wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

DIMENSIONS = 384
LONGEST = 256  # tokens of a text that it reads

_LAYERS, _HEADS, _INNER, _EPSILON = 6, 12, 1536, 1e-12


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
        self._norm = torch.nn.LayerNorm(DIMENSIONS, eps=_EPSILON)
        self._norm.load_state_dict({part: weights[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")})
        self._norm.to(self._device).eval()
        layer = torch.nn.TransformerEncoderLayer(
            DIMENSIONS, _HEADS, _INNER, activation="gelu", layer_norm_eps=_EPSILON, batch_first=True
        )
        encoder = torch.nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)
        encoder.load_state_dict({f"layers.{n}.{k}": v for n in range(_LAYERS) for k, v in _layer(weights, n).items()})
        self._encoder = encoder.to(self._device).eval()

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
        padding = (torch.arange(ids.shape[1]) >= lengths).to(self._device)
        hidden = self._norm(self._words[ids.to(self._device)] + self._places[: ids.shape[1]])
        hidden = self._encoder(hidden, src_key_padding_mask=padding)
        summed = hidden.masked_fill(padding.unsqueeze(-1), 0).sum(1)
        found: Vector = torch.nn.functional.normalize(summed).cpu().numpy()  # of the sum as of the mean
        return found


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _layer(weights: dict[str, Any], number: int) -> dict[str, Any]:
    """The weights of a layer of BERT by the names of PyTorch's own."""
    import torch

    names = {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }
    found: dict[str, Any] = {}
    for part in ("weight", "bias"):
        of_part = {ours: weights[f"encoder.layer.{number}.{theirs}.{part}"] for ours, theirs in names.items()}
        found |= {f"{ours}.{part}": tensor for ours, tensor in of_part.items()}
        three = [weights[f"encoder.layer.{number}.attention.self.{one}.{part}"] for one in ("query", "key", "value")]
        found[f"self_attn.in_proj_{part}"] = torch.cat(three)
    return found
