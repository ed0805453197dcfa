"""Embedding providers: models that turn texts into vectors, named by a spec such as `local:all-MiniLM-L6-v2`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pgvec_admin.errors import DataRejectedError, PgvecError, UsageError

# numpy is imported where there are vectors: searches by words do without
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

EMPTY = "the text is empty"
NO_TEXT = "the text is not Unicode: it has half of a surrogate pair"
_BROKEN = re.compile("[\ud800-\udfff]")
TooLong = Literal["fail", "cut"]  # a text of more tokens than a model reads: it fails alone, or its beginning counts

FORMS = (
    "local:NAME (Sentence Transformers: local:all-MiniLM-L6-v2, a directory, or a name on the Hugging Face hub)"
    " or openai:NAME (openai:text-embedding-3-small; any OpenAI-compatible server by --base-url)"
)


@dataclass(frozen=True)
class Embeddings:
    """The result of embedding texts: one row of `vectors` each, float32 of shape (texts, dimensions).

    The rows of texts that could not be embedded are NaN; `failures` has the reason of each by its place.
    `tokens` is what was read (and billed, by a paid provider); `truncated` counts texts longer than the model reads.
    Where the provider could not go on, `stopped` says why, and `unasked` has the places of the texts without an answer.
    """

    vectors: Vector
    failures: dict[int, str]
    tokens: int = 0
    truncated: int = 0
    stopped: PgvecError | None = None
    unasked: frozenset[int] = frozenset()


class Provider(Protocol):
    """A model that embeds. It loads nothing, and asks no server, before the first vector or dimension is needed."""

    @property
    def spec(self) -> str:
        """`provider:name`, as registered with a collection."""

    @property
    def tokens(self) -> int:
        """Tokens read since it was created, as far as the model reports them."""

    @property
    def truncated(self) -> int:
        """Texts longer than the model reads since it was created, as far as the model tells: their ends are lost."""

    @property
    def passage_prefix(self) -> str:
        """What it puts before each text to be found."""

    @property
    def too_long(self) -> TooLong | None:
        """What becomes of a text of more tokens than it reads; None: local models cut it, servers decide."""

    @property
    def max_batch(self) -> int:
        """A good number of texts to embed at once."""

    @property
    def dimensions(self) -> int:
        """Dimensions of its vectors; for unknown models, probed by embedding one word."""

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """The vectors of texts to be found. A text the model refuses fails alone.

        Raises ConnectionFailedError or UsageError where the provider cannot be used, DataRejectedError for vectors
        of other dimensions than promised.
        """

    def embed_some(self, texts: Sequence[str]) -> Embeddings:
        """As embed_passages, but what would be raised once vectors have been paid for is in `stopped`, beside them."""

    def embed_query(self, text: str) -> Vector:
        """The vector of a text to search by, of shape (dimensions,); DataRejectedError where there is none."""

    def halt(self) -> None:
        """Do not wait any longer for a server that limits the rate: what waits is left unasked."""


@dataclass(frozen=True)
class Prefixes:
    """The prefixes that a model expects before a query and before a passage."""

    query: str = ""
    passage: str = ""


_SEARCH_INSTRUCTION = Prefixes(query="Represent this sentence for searching relevant passages: ")
_WEB_INSTRUCTION = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "

# From the models' own cards; the first pattern found in the lower-cased name decides.
_PREFIXES = (
    (r"e5-.*instruct", Prefixes(query=_WEB_INSTRUCTION)),
    (r"(^|[/-])e5-", Prefixes(query="query: ", passage="passage: ")),
    (r"bge-m3|bge-.*-zh", Prefixes()),
    (r"bge-.*-en", _SEARCH_INSTRUCTION),
    (r"(^|/)bge-(small|base|large)", _SEARCH_INSTRUCTION),
    (r"nomic-embed-text", Prefixes(query="search_query: ", passage="search_document: ")),
    (r"mxbai-embed-(large|2d)", _SEARCH_INSTRUCTION),
    (r"snowflake-arctic-embed-?(m-|l-)?(v?2)", Prefixes(query="query: ")),
    (r"snowflake-arctic-embed", _SEARCH_INSTRUCTION),
)


def prefixes(name: str) -> Prefixes:
    """The prefixes that the model of that name was trained with; none for most."""
    for pattern, found in _PREFIXES:
        if re.search(pattern, name.lower()):
            return found
    return Prefixes()


def provider(
    spec: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    dimensions: int | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
    batch: int | None = None,
    max_retries: int = 6,
    timeout: float = 60.0,
    too_long: str | None = None,
    paced: bool = True,
) -> Provider:
    """The provider of a spec; UsageError for a malformed one.

    `dimensions` is what the collection has: a model that can shorten its vectors is asked to. Prefixes that are None
    are the model's own. `base_url`, `api_key` (else OPENAI_BASE_URL, OPENAI_API_KEY), `batch` (texts a request),
    `max_retries`, `timeout` (seconds a request) and `paced` (passages wait while the server's rate limit is used up)
    concern servers only.
    """
    kind, _, name = spec.partition(":")
    if too_long not in (None, "fail", "cut"):
        raise UsageError(f"{too_long!r} is nothing to do with texts that are too long", "write fail or cut")
    own = prefixes(name)
    wanted = Prefixes(
        own.query if query_prefix is None else query_prefix,
        own.passage if passage_prefix is None else passage_prefix,
    )
    choice: TooLong | None = None if too_long is None else "cut" if too_long == "cut" else "fail"
    if name and kind == "local":
        from pgvec_admin.providers.local import LocalProvider

        return LocalProvider(name, wanted, choice)
    if name and kind == "openai":
        from pgvec_admin.providers.openai import OpenAIProvider

        return OpenAIProvider(
            name,
            wanted,
            base_url=base_url,
            api_key=api_key,
            dimensions=dimensions,
            batch=batch,
            max_retries=max_retries,
            timeout=timeout,
            too_long=choice,
            paced=paced,
        )
    raise UsageError(f"{spec!r} names no embedding model", f"write {FORMS}")


def unusable_texts(texts: Sequence[str]) -> dict[int, str]:
    """The failures of blank texts, which servers refuse and of which vectors are noise, and of what is no text."""
    found = (
        (index, EMPTY if not text.strip() else NO_TEXT if _BROKEN.search(text) else "")
        for index, text in enumerate(texts)
    )
    return {index: reason for index, reason in found if reason}


def check_query(text: str) -> None:
    """DataRejectedError for a query that is blank or no text."""
    if not text.strip():
        raise DataRejectedError("the query is empty", "write what to look for")
    if _BROKEN.search(text):
        raise DataRejectedError("the query is not Unicode: it has half of a surrogate pair", "pass it as UTF-8")


def too_long(counted: int, spec: str, longest: float) -> str:
    """The failure of a text of more tokens than a model reads."""
    return f"the text has {counted:,} tokens, {spec} reads {longest:,.0f}"


def reject_unusable(vectors: Vector, failures: dict[int, str]) -> None:
    """Add to `failures` the vectors that the database would refuse: zero, NaN, infinite. Their rows become NaN."""
    import numpy as np

    for index, vector in enumerate(vectors):
        if index in failures:
            continue
        length = np.square(vector, dtype=np.float64).sum()
        if not np.isfinite(vector).all():
            failures[index] = "the model answered a vector with NaN or infinity"
        elif length < np.finfo(np.float32).smallest_subnormal:
            failures[index] = "the model answered a zero vector"
        elif length > np.finfo(np.float32).max:
            failures[index] = "the model answered a vector too long to compare"
        else:
            continue
        vectors[index] = np.nan
