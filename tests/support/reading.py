"""Files as the readers read them, and texts and values of every kind to write into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from pgvec_admin.loading import readers
from pgvec_admin.loading.columns import Mapping
from pgvec_admin.loading.records import BadRow, Document
from pgvec_admin.loading.sources import Input

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=5,
)

Read = Callable[..., "list[Document | BadRow]"]


def reader(folder: Path) -> Read:
    """Writes a file of a name with a text and reads it."""

    def write_and_read(name: str, data: str | bytes, **mapping: Any) -> list[Document | BadRow]:
        path = folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        (source,) = readers.inputs([str(path)])
        return list(readers.documents(source, Mapping(**mapping)))

    return write_and_read


def from_bytes(data: bytes, kind: str, folder: Path, **mapping: Any) -> list[Document | BadRow]:
    path = folder / f"rows.{kind}"
    path.write_bytes(data)
    return list(readers.documents(Input(path, path.name, kind), Mapping(**mapping)))


def only(found: list[Document | BadRow]) -> Document:
    (one,) = found
    assert isinstance(one, Document), one
    return one


def vector(found: Document) -> list[float] | None:
    return None if found.embedding is None else found.embedding.tolist()


def reason(found: list[Document | BadRow]) -> tuple[int, str]:
    (one,) = [item for item in found if isinstance(item, BadRow)]
    return one.line, one.reason
