"""A file to read, and what is said of one that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pgvec_admin.errors import DataRejectedError

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".md": "md",
    ".markdown": "md",
    ".mdx": "md",
    ".txt": "txt",
    ".rst": "txt",
    ".html": "html",
    ".htm": "html",
    ".ipynb": "ipynb",
    ".docx": "docx",
    ".pdf": "pdf",
}
TEXTS = ("md", "txt", "html", "ipynb", "docx", "pdf")
COMPRESSIBLE = ("jsonl", "json", "csv", "tsv")
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))


def silently(told: str) -> None:
    """The tell function of a caller that wants to know nothing."""
    del told


@dataclass
class Input:
    """A file to read. `name` is the path as given, in posix form: the source of its documents."""

    path: Path | None
    name: str
    format: str
    compressed: bool = False
    within: Path | None = None  # the directory that it must not lead out of
    folder: Path | None = None  # the directory in which it was found
    delimiter: str | None = None  # of CSV; None: found out
    encoding: str | None = None  # None: UTF-8, of CSV found out
    tell: Callable[[str], None] = field(default=silently, compare=False)  # gets what was found out
    read: int = field(default=0, compare=False)  # bytes so far, for progress

    @property
    def is_text(self) -> bool:
        """A document in itself, not a table of them."""
        return self.format in TEXTS

    @property
    def size(self) -> int:
        """Bytes on disk; 0 for stdin."""
        return self.path.stat().st_size if self.path else 0


def unreadable(source: Input, reason: object) -> DataRejectedError:
    """The error for damage that makes the rest of a file unreadable."""
    return DataRejectedError(
        f"{source.name} cannot be read: {reason}",
        "the batches before are stored; load the file again when it is whole",
    )
