"""Reading files: every format becomes the same documents; a row that cannot becomes a bad row with its reason.

Tables (JSON lines, CSV, Parquet) are read in constant memory. Damage that makes the rest of a file unreadable, such as
a truncated archive or an unclosed quote, raises DataRejectedError: a file that ends early would seem to have shrunk.
"""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from pgvec_admin.errors import UsageError
from pgvec_admin.loading import columns, converted, files, markdown
from pgvec_admin.loading.columns import BadValueError, Mapping
from pgvec_admin.loading.csv_files import csv_file
from pgvec_admin.loading.json_files import json_file, json_lines
from pgvec_admin.loading.records import BadRow, Document
from pgvec_admin.loading.sources import COMPRESSIBLE, FORMATS, SUFFIXES, Input, silently, unreadable

_DELIMITERS = {"tab": "\t", "\\t": "\t"}


def inputs(
    paths: Sequence[str],
    format: str | None = None,  # noqa: A002 - the name of the option
    *,
    follow_links: bool = False,
    skip: files.Skip = files.silently,
    delimiter: str | None = None,
    encoding: str | None = None,
    tell: Callable[[str], None] = silently,
) -> list[Input]:
    """The files of these paths: directories are searched, hidden and unknown files in them left out; - is stdin.

    In a directory, links that lead out of it are left out too, unless `follow_links`. `skip` is called with these, and
    with what is not a regular file, and the reason; a path that is named itself may be anything. `delimiter` and
    `encoding` are those of CSV (the encoding of texts too); where they are not given they are found out, and told.
    """
    delimiter = _DELIMITERS.get(delimiter or "", delimiter)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise UsageError(f"{delimiter!r} is no delimiter", "one character, or tab")
    try:
        codecs.lookup(encoding or "utf-8")
    except (LookupError, ValueError) as error:
        raise UsageError(f"unknown encoding {encoding!r}", "for example utf-8, utf-16, cp1252 or shift_jis") from error
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown format {format!r}", f"one of: {', '.join(FORMATS)}")
    found: list[Input] = []
    for name in paths:
        path = Path(name)
        if not name:
            raise UsageError("the name of a file is empty", "is a variable not set? for this directory: .")
        if name == "-":
            if format is None or format in ("parquet", *converted.NEEDS):
                raise UsageError(
                    "the format of stdin must be said",
                    f"for example --format jsonl (not {', '.join(('parquet', *converted.NEEDS))})",
                )
            found.append(Input(None, "-", format))
        elif path.is_dir():
            inside = list(_inside(path, format, follow_links, skip, tell))
            if not inside:
                raise UsageError(
                    f"{name} holds nothing to load",
                    f"known are: {', '.join(SUFFIXES)}; links that lead out of it need --follow-links",
                )
            found += inside
        elif path.exists():
            made = _input(path, format)
            if made is None:
                raise UsageError(f"{name} is of no known format", f"say which: --format {'|'.join(FORMATS)}")
            found.append(made)
        else:
            raise UsageError(f"there is no file {name}", "check the path")
    read = {one.name: replace(one, delimiter=delimiter, encoding=encoding, tell=tell) for one in found}
    return list(read.values())


def documents(source: Input, mapping: Mapping) -> Iterator[Document | BadRow]:
    """The documents of a file, in order.

    Raises UsageError where the mapping names a column that the file does not have, DataRejectedError where the file
    cannot be read any further.
    """
    if source.format == "parquet":
        from pgvec_admin.loading.parquet_files import parquet_file  # which imports numpy

        yield from parquet_file(source, mapping)
    elif source.path is None:
        yield from _documents(source, mapping, sys.stdin.buffer)
    else:
        try:
            with (
                files.opened(source.path, source.within) as raw,
                gzip.open(raw) if source.compressed else nullcontext(raw) as binary,
            ):
                for item in _documents(source, mapping, cast(BinaryIO, binary)):
                    source.read = raw.tell()
                    yield item
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(source, error) from error


def _documents(source: Input, mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    if source.is_text:
        yield _text(source, binary)
    elif source.format == "jsonl":
        yield from json_lines(mapping, binary)
    elif source.format == "json":
        yield from json_file(source, mapping, binary)
    else:
        yield from csv_file(source, mapping, binary)


def _inside(
    directory: Path, wanted: str | None, follow_links: bool, skip: files.Skip, tell: Callable[[str], None]
) -> Iterator[Input]:
    def skip_known(path: Path, why: str) -> None:
        if path.is_dir() or _input(path, wanted):
            skip(path, why)

    left_out: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    for path in files.walk(directory, skip_known, follow_links=follow_links):
        made = _input(path, wanted)
        if made is None:
            left_out[path.suffix.lower() or "without extension"] += 1
        elif converted.lacking(made.format):
            unread[path.suffix.lower()] += 1
        else:
            made.within, made.folder = None if follow_links else directory, directory
            yield made
    for counted, why in ((left_out, "of no known format"), (unread, "pip install 'pgvec-admin[documents]' reads them")):
        if counted:
            told = ", ".join(f"{count:,} {suffix}" for suffix, count in counted.most_common(10))
            others = sum(counted.values()) - sum(count for _, count in counted.most_common(10))
            tell(f"left out in {directory}: {told}{f' and {others:,} others' if others else ''}: {why}")


def _input(path: Path, wanted: str | None) -> Input | None:
    compressed = path.suffix == ".gz"
    known = SUFFIXES.get((Path(path.stem) if compressed else path).suffix.lower())
    chosen = wanted or known
    if chosen is None or (compressed and chosen not in COMPRESSIBLE):
        return None
    return Input(path, path.as_posix(), chosen, compressed)


def _text(source: Input, binary: BinaryIO) -> Document | BadRow:
    data = binary.read()
    title = None
    if source.format in converted.NEEDS:
        try:
            text, title = converted.converted(source.format, data)
        except ValueError as error:
            return BadRow(1, str(error))
        if not text.strip():
            return BadRow(1, "it holds no text: is it a scan?" if source.format == "pdf" else "empty", empty=True)
    else:
        made = _decoded(source, data)
        if isinstance(made, BadRow):
            return made
        text = made
    if "\x00" in text:
        return BadRow(text[: text.index("\x00")].count("\n") + 1, "a NUL character, which Postgres cannot store")
    if not text.strip():
        return BadRow(1, "empty", empty=True)
    fields, begin = markdown.front_matter(text) if source.format == "md" else ({}, 0)
    body = text[begin:]
    if not body.strip():
        body = text  # its front matter is all there is
    given = fields.pop("title", title)
    title = str(given).strip() if isinstance(given, str | int | float) else None
    title = title or (markdown.title(body) if source.format in converted.MARKDOWN else None)
    document = Document(
        1, body, fields | {"path": source.name} | ({"title": title} if title else {}), source=source.name
    )
    try:
        columns.check_storable(document)
    except BadValueError as error:
        return BadRow(1, f"front matter: {error}" if fields or begin else str(error))
    return document


def _decoded(source: Input, data: bytes) -> str | BadRow:
    try:
        return data.decode(source.encoding or "utf-8-sig").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if source.encoding:
            return BadRow(1, f"not {source.encoding}: {error.reason} at offset {error.start}")
        line = data[: error.start].count(b"\n") + 1
        return BadRow(line, f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}")
