"""The demo's corpus as records, and the questions that the demo asks."""

from __future__ import annotations

from collections.abc import Iterator

from pgvec_admin.demo.corpus import standard_library
from pgvec_admin.loading.records import Record

COLLECTION = "documents"
MODEL = "local:all-MiniLM-L6-v2"
DIMENSIONS = 384

QUESTIONS = (
    "How do I read command line options",
    "temporary file that deletes itself",
    "run a function later in another thread",
)


def records() -> Iterator[Record]:
    """One record for each documented module, class or function; the qualified name is its id."""
    for entry in standard_library():
        yield Record(
            id=entry.name,
            content=entry.text,
            metadata={"module": entry.module, "kind": entry.kind, "title": entry.name},
            source=entry.module,
        )
