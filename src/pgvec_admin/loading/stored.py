"""What a collection holds of the files of a load: rows that keep their number, and rows whose origin is gone."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pgvec_admin.database import Connection
from pgvec_admin.loading.sources import SUFFIXES, Input


@dataclass
class _Source:
    """The numbered rows of a source: the numbers of each text that are not taken yet, lowest last; all numbers."""

    waiting: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    numbers: set[int] = field(default_factory=set)
    highest: int = -1


class Numbers:
    """Numbers for the rows of tables without ids: a text keeps the number of its stored row, wherever it is now.

    Thus a row that is inserted above others changes none of them. Each source is as if read once, from its beginning.
    """

    def __init__(self, stored: Iterable[tuple[str, int, str]]) -> None:
        """`stored`: source, number and MD5 of the content of the rows there are."""
        self._sources: dict[str, _Source] = {}
        for source, number, content_hash in sorted(stored, reverse=True):
            known = self._sources.setdefault(source, _Source())
            known.waiting[content_hash].append(number)
            known.numbers.add(number)
            known.highest = max(known.highest, number)
        self._places: Counter[str] = Counter()
        self._bad: dict[str, set[int]] = defaultdict(set)

    def take(self, source: str, content: str) -> int:
        """The number of the next row of a source."""
        place = self._places[source]
        self._places[source] += 1
        known = self._sources.get(source)
        if known is None:
            return place
        waiting = known.waiting.get(hashlib.md5(content.encode(), usedforsecurity=False).hexdigest())
        if waiting:
            return waiting.pop()
        number = place if place not in known.numbers else known.highest + 1
        known.numbers.add(number)
        known.highest = max(known.highest, number)
        return number

    def skip(self, source: str) -> None:
        """Leave a number to a bad row, for when it is mended."""
        self._bad[source].add(self._places[source])
        self._places[source] += 1

    def left(self, source: str) -> tuple[list[str], list[str]]:
        """The ids of stored rows whose text is not in the source: those that are gone, and those of bad rows."""
        known = self._sources.pop(source, None)
        bad = self._bad.pop(source, set())
        self._places.pop(source, None)
        numbers = sorted(number for waiting in known.waiting.values() for number in waiting) if known else []
        return (
            [f"{source}#{number}" for number in numbers if number not in bad],
            [f"{source}#{number}" for number in numbers if number in bad],
        )


@dataclass
class Stored:
    """What a collection held when a load began: the sources of its rows, and the numbers of the rows of its tables."""

    sources: set[str] = field(default_factory=set)
    chunked: set[str] = field(default_factory=set)
    numbers: Numbers = field(default_factory=lambda: Numbers(()))


def stored(connection: Connection, collection: str, inputs: Sequence[Input], *, other_sources: bool) -> Stored:
    """What there is of these files; with `other_sources`, their rows are numbered within sources of their own."""
    told = connection.execute("select source, chunk_index from pgvec.loaded_rows(%s)", (collection,)).fetchall()
    sources = {source for source, _ in told}
    tables = [one.name for one in inputs if not one.is_text and (other_sources or one.name in sources)]
    numbered = connection.execute(
        "select source, chunk_index, content_hash from pgvec.loaded_rows(%s, %s, true)",
        (collection, None if other_sources else tables),
    )
    return Stored(sources, {source for source, place in told if place is not None}, Numbers(numbered if tables else ()))


def gone_files(sources: Iterable[str], inputs: Sequence[Input]) -> list[str]:
    """The sources that were files of the directories that are loaded, and are no files any more."""
    folders = [one for one in dict.fromkeys(one.folder for one in inputs) if one is not None]
    read = {one.name for one in inputs}
    return sorted(
        source
        for source in sources
        if source not in read
        and Path(source.removesuffix(".gz")).suffix.lower() in SUFFIXES
        and any(Path(source).is_relative_to(folder) for folder in folders)
        and ".." not in Path(source).parts
        and not _exists(Path(source))
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long a name
        return False


def ids_of(connection: Connection, collection: str, sources: Sequence[str], *, whole: bool) -> dict[str, list[str]]:
    """The ids of the rows of each source, or of those alone that are whole documents with ids of their own."""
    found: dict[str, list[str]] = defaultdict(list)
    if sources:
        rows = connection.execute(
            "select source, id from pgvec.loaded_rows(%s, %s, %s)", (collection, sources, False if whole else None)
        )
        for source, id_ in rows:
            found[source].append(id_)
    return found


def remove(connection: Connection, collection: str, ids: Sequence[str]) -> int:
    """Delete rows by id; returns how many there were."""
    if not ids:
        return 0
    removed = connection.execute(
        "select public.delete_documents(ids => %s::text[], source => null::text, filter => null::jsonb,"
        " collection => %s::text, for_tenant => null::uuid)",
        (list(ids), collection),
    ).fetchone()
    assert removed is not None
    return int(removed[0])
