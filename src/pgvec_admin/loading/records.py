"""The data of a load: documents as they are read from files, records as they are stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

# numpy is imported where there are vectors: texts are loaded without
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    # A vector as it was read: any dimensions, unchecked values.
    Embedding = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Document:
    """One text as its file has it: a whole Markdown file, or a row of a table.

    `id` is None where the file gives none; then `source` and the place within it identify its rows. `line` is where it
    begins in its file (1-based; in a Parquet file the row), for messages.
    """

    line: int
    content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    source: str | None = None
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be loaded: where, why, and the line or the row itself; `empty`: it has no text."""

    line: int
    reason: str
    row: Any = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A row for a collection: a chunk of a document, or a whole one. `line` is its place in its file."""

    id: str
    content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    chunk_index: int | None = None
    embedding: Embedding | None = None
    line: int = 0
