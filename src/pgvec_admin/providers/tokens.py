"""Tokens of a text as a model counts them, without a network: for estimates, and for texts longer than a model reads.

OpenAI's encodings are part of semantic-text-splitter, which says whether a text fits into so many tokens: how many it
has is found by halving.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from semantic_text_splitter import TextSplitter

from pgvec_admin.errors import UsageError

OPENAI_MODELS = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
OPENAI_LONGEST = 8_191  # tokens of a text; the documentation says 8,192 too

# models that have the vocabulary of BERT, uncased, as all-MiniLM-L6-v2 has
_BERT = re.compile(
    r"(^|/)(all-minilm|nomic-embed-text(-v1(\.5)?)?|mxbai-embed-large|bge-(small|base|large)-en|e5-(small|base|large)|"
    r"gte-(small|base|large)|snowflake-arctic-embed(-xs|-s|-m|-l|:.*)?$)"
)


@dataclass
class Counter:
    """Counts tokens as one model does. `by`: the name of the tokenizer; `exact`: whether it is the model's own.

    `longest`: tokens of a text that the model reads, where that is known.
    """

    by: str
    exact: bool
    longest: int | None = None
    tokenizer: Any = None  # of the library tokenizers; None for OpenAI's
    _splitters: dict[int, TextSplitter] = field(default_factory=dict)

    def count(self, text: str) -> int:
        """Tokens of a text, with those that the model puts around it."""
        if not text:
            return 0
        if self.tokenizer is not None:
            return len(self.tokenizer.encode(text).ids)
        high = max(1, len(text.encode()) // 4)
        low = 0 if self.fits(text, high) else high
        if low:
            while not self.fits(text, high := 2 * low):
                low = high
        else:
            while high > 1 and self.fits(text, high // 2):
                high //= 2
            low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.fits(text, middle) else (middle, high)
        return high

    def fits(self, text: str, most: int) -> bool:
        """Whether a text has at most so many tokens."""
        if self.tokenizer is not None:
            return self.count(text) <= most
        # each token stands for a byte at least
        return len(text.encode()) <= most or (most > 0 and len(self._splitter(most).chunks(text)) <= 1)

    def beginning(self, text: str, most: int) -> str:
        """The beginning of a text, of at most so many of OpenAI's tokens, up to the end of a sentence or a word."""
        assert self.tokenizer is None, "models that run here cut for themselves"
        return text if self.fits(text, most) else str(self._splitter(most).chunks(text)[0])

    def _splitter(self, most: int) -> TextSplitter:
        if most not in self._splitters:
            self._splitters[most] = TextSplitter.from_tiktoken_model(OPENAI_MODELS[0], most, trim=False)
        return self._splitters[most]


@cache
def counter(spec: str) -> Counter:
    """The counter of a model (`provider:name`); UsageError where that needs something that is not installed."""
    kind, _, name = spec.partition(":")
    if kind == "local":
        from pgvec_admin.providers.local import counting

        made, longest = counting(name)
        return Counter("its tokenizer", True, longest, made)
    if name in OPENAI_MODELS:
        return Counter("cl100k_base", True, OPENAI_LONGEST)
    if _BERT.search(name.lower()):
        with suppress(ImportError, UsageError):
            from pgvec_admin.providers.local import tokenizer

            return Counter("the vocabulary of BERT", True, None, tokenizer("all-MiniLM-L6-v2"))
    return Counter("cl100k_base, which is OpenAI's: that of this model is not known", False)
