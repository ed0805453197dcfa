"""CSV and its kin: their encoding and delimiter are found out where nobody says them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from pgvec_admin.errors import UsageError
from pgvec_admin.loading.columns import BadValueError, Mapping, read_row
from pgvec_admin.loading.records import BadRow, Document
from pgvec_admin.loading.sources import Input, unreadable

# an unclosed quote would otherwise swallow the rest of a file of any size
LONGEST_CELL = 16 * 1024 * 1024
HEAD = 1024 * 1024  # what the encoding and the delimiter are found out from
SAMPLE = 128 * 1024  # of that, what an encoding is guessed from
DELIMITERS = (",", ";", "\t", "|")


class _After(io.RawIOBase):
    """What was read of a stream already, and the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def csv_file(source: Input, mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    """The documents of a CSV file. UsageError for a header that will not do."""
    head = binary.read(HEAD)
    encoding = source.encoding or _encoding(source, head)
    whole = io.BufferedReader(_After(head, binary), HEAD)
    text = io.TextIOWrapper(whole, encoding, errors="surrogateescape" if "utf-8" in encoding else "strict", newline="")
    previous = csv.field_size_limit(LONGEST_CELL)
    try:
        delimiter = source.delimiter or _delimiter(source, mapping, head.decode(encoding, errors="replace"))
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        header = next(rows, None)
        if header is None:
            yield BadRow(1, "empty", empty=True)
            return
        header = _names(source, header)
        mapping.check(header, source.name)
        while True:
            line = rows.line_num + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                if "end of data" in str(error) or "field limit" in str(error):
                    raise unreadable(source, f"line {line}: a quote that is never closed") from error
                yield BadRow(line, f"not CSV: {error}")
                continue
            if cells is None:
                return
            if not cells:
                continue
            if len(cells) != len(header):
                yield BadRow(line, f"{len(cells)} cells, the header has {len(header)}", cells)
                continue
            yield read_row(dict(zip(header, cells, strict=True)), mapping, line, suspect=True, cells=True)
    except UnicodeDecodeError as error:
        raise unreadable(source, f"it is not {encoding}: {error.reason}") from error
    finally:
        csv.field_size_limit(previous)
        text.detach()


def _names(source: Input, header: list[str]) -> list[str]:
    """The names of the columns; one without a name is called by its place (column_1)."""
    if not header:
        raise UsageError(f"{source.name} has no header", "its first line must name the columns")
    if not "".join(header).isprintable():
        raise unreadable(source, "its header is not UTF-8")
    names = [name if name.strip() else f"column_{place}" for place, name in enumerate(header, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{source.name} has columns of one name: {', '.join(twice)}", "rename them in its first line")
    return names


def _encoding(source: Input, head: bytes) -> str:
    """UTF-8, unless most of what is beyond ASCII is not: then what it most likely is, which is told."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    if len(head) == HEAD:
        head = head[: head.rfind(b"\n") + 1] or head[:-3]
    first = next((place for place, byte in enumerate(head) if byte > 127), None)
    decoded = head.decode(errors="surrogateescape")
    wrong = sum("\udc80" <= letter <= "\udcff" for letter in decoded)
    if first is None or 3 * sum("\x7f" < letter < "\udc80" or letter > "\udcff" for letter in decoded) >= wrong:
        return "utf-8-sig"
    from charset_normalizer import from_bytes

    begin = head.rfind(b"\n", 0, first) + 1
    found = from_bytes(head[begin : begin + SAMPLE])
    best = found.best()
    if best is None:
        return "utf-8-sig"
    # of code pages that fit about as well, the one that is far more usual
    western = any(
        "cp1252" in (one.encoding, *one.could_be_from_charset) for one in found if one.chaos < best.chaos + 0.1
    )
    encoding = "cp1252" if western else best.encoding
    source.tell(f"{source.name}: not UTF-8, read as {encoding} (--encoding says otherwise)")
    return encoding


def _delimiter(source: Input, mapping: Mapping, head: str) -> str:
    """The delimiter with which the header has the wanted columns, and most rows are as long; an unusual one is told."""
    usual = "\t" if source.format == "tsv" else ","

    def fits(delimiter: str) -> tuple[bool, float, int, bool]:
        lines = []
        try:
            for cells in csv.reader(
                io.StringIO(head.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True
            ):
                lines.append(cells)
                if len(lines) == 30:
                    break
        except csv.Error:  # the head ends within a quote, or another delimiter stands after one
            pass
        if not lines:
            return False, 0.0, 0, delimiter == usual
        rows = [cells for cells in lines if cells]
        alike = sum(len(cells) == len(lines[0]) for cells in rows) / max(1, len(rows))
        try:
            mapping.check(lines[0], source.name)
        except (UsageError, BadValueError):
            return False, alike, len(lines[0]), delimiter == usual
        return True, alike, len(lines[0]), delimiter == usual

    best = max(DELIMITERS, key=fits)
    found = fits(best)
    if best == usual or not found[0] or found[:3] == fits(usual)[:3]:
        return usual
    source.tell(f"{source.name}: its delimiter is {best!r} (--delimiter says otherwise)")
    return best
