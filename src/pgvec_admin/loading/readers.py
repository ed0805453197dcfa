"""Reading files: every format becomes the same documents; a row that cannot becomes a bad row with its reason.

Tables (JSON lines, CSV, Parquet) are read in constant memory. Damage that makes the rest of a file unreadable, such as
a truncated archive or an unclosed quote, raises DataRejectedError: a file that ends early would seem to have shrunk.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import math
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import orjson

from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.loading import columns, files, markdown
from pgvec_admin.loading.columns import BadValueError, Mapping
from pgvec_admin.loading.records import BadRow, Document

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".md": "md",
    ".markdown": "md",
    ".txt": "txt",
}
COMPRESSIBLE = ("jsonl", "json", "csv", "tsv")
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))

# an unclosed quote would otherwise swallow the rest of a file of any size
LONGEST_CELL = 16 * 1024 * 1024


@dataclass
class Input:
    """A file to read. `name` is the path as given, in posix form: the source of its documents."""

    path: Path | None
    name: str
    format: str
    compressed: bool = False
    within: Path | None = None  # the directory that it must not lead out of
    folder: Path | None = None  # the directory in which it was found
    read: int = field(default=0, compare=False)  # bytes so far, for progress

    @property
    def is_text(self) -> bool:
        """A document in itself, not a table of them."""
        return self.format in ("md", "txt")

    @property
    def size(self) -> int:
        """Bytes on disk; 0 for stdin."""
        return self.path.stat().st_size if self.path else 0


def inputs(
    paths: Sequence[str],
    format: str | None = None,  # noqa: A002 - the name of the option
    *,
    follow_links: bool = False,
    skip: files.Skip = files.silently,
) -> list[Input]:
    """The files of these paths: directories are searched, hidden and unknown files in them left out; - is stdin.

    In a directory, links that lead out of it are left out too, unless `follow_links`. `skip` is called with these, and
    with what is not a regular file, and the reason; a path that is named itself may be anything.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"unknown format {format!r}", f"one of: {', '.join(FORMATS)}")
    found: list[Input] = []
    for name in paths:
        path = Path(name)
        if not name:
            raise UsageError("the name of a file is empty", "is a variable not set? for this directory: .")
        if name == "-":
            if format is None or format == "parquet":
                raise UsageError("the format of stdin must be said", "for example --format jsonl (not parquet)")
            found.append(Input(None, "-", format))
        elif path.is_dir():
            inside = list(_inside(path, format, follow_links, skip))
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
    return list({source.name: source for source in found}.values())


def documents(source: Input, mapping: Mapping) -> Iterator[Document | BadRow]:
    """The documents of a file, in order.

    Raises UsageError where the mapping names a column that the file does not have, DataRejectedError where the file
    cannot be read any further.
    """
    if source.format == "parquet":
        yield from _parquet(source, mapping)
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
            raise _unreadable(source, error) from error


def _documents(source: Input, mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    if source.is_text:
        yield _text(source, binary)
    elif source.format == "jsonl":
        yield from _json_lines(mapping, binary)
    elif source.format == "json":
        yield from _json(source, mapping, binary)
    else:
        yield from _csv(source, mapping, binary)


def _unreadable(source: Input, reason: object) -> DataRejectedError:
    return DataRejectedError(
        f"{source.name} cannot be read: {reason}",
        "the batches before are stored; load the file again when it is whole",
    )


def _inside(directory: Path, wanted: str | None, follow_links: bool, skip: files.Skip) -> Iterator[Input]:
    def skip_known(path: Path, why: str) -> None:
        if path.is_dir() or _input(path, wanted):
            skip(path, why)

    for path in files.walk(directory, skip_known, follow_links=follow_links):
        if made := _input(path, wanted):
            made.within, made.folder = None if follow_links else directory, directory
            yield made


def _input(path: Path, wanted: str | None) -> Input | None:
    compressed = path.suffix == ".gz"
    known = SUFFIXES.get((Path(path.stem) if compressed else path).suffix.lower())
    chosen = wanted or known
    if chosen is None or (compressed and chosen not in COMPRESSIBLE):
        return None
    return Input(path, path.as_posix(), chosen, compressed)


def _text(source: Input, binary: BinaryIO) -> Document | BadRow:
    data = binary.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return BadRow(line, f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}")
    if "\x00" in text:
        return BadRow(text[: text.index("\x00")].count("\n") + 1, "a NUL character, which Postgres cannot store")
    if not text.strip():
        return BadRow(1, "empty", empty=True)
    if source.format != "md":
        return Document(1, text, {"path": source.name}, source=source.name)
    fields, begin = markdown.front_matter(text)
    body = text[begin:]
    if not body.strip():
        body = text  # its front matter is all there is
    given = fields.pop("title", None)
    title = str(given).strip() if isinstance(given, str | int | float) else None
    title = title or markdown.title(body)
    document = Document(
        1, body, fields | {"path": source.name} | ({"title": title} if title else {}), source=source.name
    )
    try:
        columns.check_storable(document)
    except BadValueError as error:
        return BadRow(1, f"front matter: {error}")
    return document


def _json_lines(mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    for number, line in enumerate(binary, 1):
        raw = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not raw.strip():
            continue
        try:
            text = raw.rstrip(b"\r\n").decode()
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: byte 0x{raw[error.start]:02x} at column {error.start + 1}"
            yield BadRow(number, reason, raw.decode(errors="replace"))
            continue
        try:
            row = _loads(text)
        except (ValueError, RecursionError) as error:
            told = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
            yield BadRow(number, f"not JSON: {told}", text)
            continue
        # only lines that contain these can have such characters, numbers or depths; checking every value costs time
        suspect = "\\u" in text or "NaN" in text or "Infinity" in text
        suspect = suspect or text.count("[") + text.count("{") > columns.DEEPEST
        yield _row(row, mapping, number, suspect=suspect)


def _loads(text: str) -> Any:
    """The JSON of a line, four times as fast as the standard library, which decides where orjson refuses."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _json(source: Input, mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    try:
        loaded = json.loads(binary.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _unreadable(source, f"not JSON: {error}") from error
    if isinstance(loaded, dict):
        lists = [loaded[key] for key in ("data", "rows", "documents") if isinstance(loaded.get(key), list)]
        loaded = lists[0] if lists else [loaded]
    if not isinstance(loaded, list):
        raise _unreadable(source, "it holds no array of objects")
    for number, row in enumerate(loaded, 1):
        yield _row(row, mapping, number, suspect=True)


def _csv(source: Input, mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    text = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
    previous = csv.field_size_limit(LONGEST_CELL)
    try:
        rows = csv.reader(text, delimiter="\t" if source.format == "tsv" else ",", strict=True)
        header = next(rows, None)
        if header and not "".join(header).isprintable():
            raise _unreadable(source, "its header is not UTF-8")
        if header is None:
            yield BadRow(1, "empty", empty=True)
            return
        if not header:
            raise UsageError(f"{source.name} has no header", "its first line must name the columns")
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise UsageError(
                f"{source.name} has columns of one name: {', '.join(twice)}", "rename them in its first line"
            )
        mapping.check(header, source.name)
        while True:
            line = rows.line_num + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                if "end of data" in str(error) or "field limit" in str(error):
                    raise _unreadable(source, f"line {line}: a quote that is never closed") from error
                yield BadRow(line, f"not CSV: {error}")
                continue
            if cells is None:
                return
            if not cells:
                continue
            if len(cells) != len(header):
                yield BadRow(line, f"{len(cells)} cells, the header has {len(header)}", cells)
                continue
            yield _row(dict(zip(header, cells, strict=True)), mapping, line, suspect=True, cells=True)
    finally:
        csv.field_size_limit(previous)
        text.detach()


def _parquet(source: Input, mapping: Mapping) -> Iterator[Document | BadRow]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError("reading Parquet needs pyarrow", "pip install 'pgvec-admin[parquet]'") from error
    try:
        with files.opened(cast(Path, source.path), source.within) as raw, pq.ParquetFile(raw) as file:
            names = file.schema_arrow.names
            mapping.check(names, source.name)
            vectors = mapping.embedding_of(names)
            position = 0
            for batch in file.iter_batches(batch_size=4096):
                embeddings = _vectors(batch.column(vectors)) if vectors else None
                rest = batch.drop_columns([vectors]) if vectors else batch
                for place, values in enumerate(rest.to_pylist()):
                    position += 1
                    row = {name: None if _is_nan(value) else value for name, value in values.items()}
                    if vectors and embeddings is not None:
                        row[vectors] = embeddings[place]
                    yield _row(row, mapping, position, suspect=True)
                source.read = source.size * position // max(1, file.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(source, " ".join(str(error).split())) from error


def _is_nan(value: object) -> bool:
    """What data frames write for a missing value."""
    return isinstance(value, float) and math.isnan(value)


def _vectors(column: Any) -> Sequence[Any]:
    """A column of lists of numbers: a float32 matrix where all rows have the same length, else a list of lists."""
    import pyarrow as pa

    fixed = pa.types.is_fixed_size_list(column.type)
    values = column.flatten() if fixed or pa.types.is_list(column.type) or pa.types.is_large_list(column.type) else None
    if values is None or not len(values) or column.null_count or values.null_count:
        return cast(Sequence[Any], column.to_pylist())
    length = len(values) // len(column)
    if not pa.types.is_floating(values.type) or not (fixed or (column.value_lengths().to_numpy() == length).all()):
        return cast(Sequence[Any], column.to_pylist())
    with np.errstate(over="ignore"):
        matrix: np.ndarray[Any, Any] = values.to_numpy(zero_copy_only=False).astype(np.float32)
    return cast(Sequence[Any], matrix.reshape(len(column), length))


def _row(row: Any, mapping: Mapping, line: int, *, suspect: bool, cells: bool = False) -> Document | BadRow:
    """The document of a row; `suspect` values are checked for what Postgres cannot store, `cells` are all text."""
    if not isinstance(row, dict):
        return BadRow(line, f"not an object but {type(row).__name__}", row)
    try:
        document = columns.document(row, mapping, line, cells=cells)
        if suspect:
            columns.check_storable(document)
    except (BadValueError, RecursionError) as error:
        why = error if isinstance(error, BadValueError) else f"nested deeper than {columns.DEEPEST} levels"
        shown = {name: value for name, value in row.items() if not isinstance(value, np.ndarray)}
        return BadRow(line, str(why), shown, empty=isinstance(error, columns.EmptyError))
    return document
