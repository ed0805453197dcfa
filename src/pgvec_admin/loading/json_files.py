"""JSON lines, and files of JSON: arrays of objects, or of arrays, and objects of columns."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import orjson

from pgvec_admin.loading.columns import DEEPEST, Mapping, read_row
from pgvec_admin.loading.records import BadRow, Document
from pgvec_admin.loading.sources import Input, unreadable


def json_lines(mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    vectors = mapping.embedding or "embedding"
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
        kept = {name: value for name, value in row.items() if name != vectors} if isinstance(row, dict) else row
        with suppress(RecursionError):  # such a row is refused below
            if _lost_digits(kept):
                row = json.loads(text)
        # only lines that contain these can have such characters, numbers or depths; checking every value costs time
        suspect = "\\u" in text or "NaN" in text or "Infinity" in text
        suspect = suspect or text.count("[") + text.count("{") > DEEPEST
        yield read_row(row, mapping, number, suspect=suspect)


def _loads(text: str) -> Any:
    """The JSON of a line, four times as fast as the standard library, which decides where orjson refuses."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def json_file(source: Input, mapping: Mapping, binary: BinaryIO) -> Iterator[Document | BadRow]:
    try:
        loaded = json.loads(binary.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise unreadable(source, f"not JSON: {error}") from error
    rows = _rows(source, mapping, loaded)
    for number, row in enumerate(rows, 1):
        yield read_row(row, mapping, number, suspect=True)


def _lost_digits(value: Any) -> bool:
    """Whether orjson may have made a float of an integer beyond 64 bits."""
    if isinstance(value, float):
        return abs(value) >= 2**63
    if isinstance(value, dict):
        return any(_lost_digits(inner) for inner in value.values())
    return isinstance(value, list) and any(_lost_digits(inner) for inner in value)


def _rows(source: Input, mapping: Mapping, loaded: Any) -> Iterable[Any]:
    """The rows of a JSON file: an array of objects, an object around one, or columns: an object of arrays."""
    if isinstance(loaded, dict):
        if "ids" in loaded and isinstance(
            loaded.get("documents"), list
        ):  # Chroma's get, and the first answer of its query
            names = {"ids": "id", "documents": "document", "embeddings": "embedding", "metadatas": "metadata"}
            columns = {name: loaded[key] for key, name in names.items() if isinstance(loaded.get(key), list)}
            if columns and all(len(values) == 1 and isinstance(values[0], list) for values in columns.values()):
                columns = {name: values[0] for name, values in columns.items()}
            return _columns(source, columns)
        if isinstance(loaded.get("columns"), list) and isinstance(loaded.get("data"), list):  # a data frame, split
            return _arrays(source, [loaded["columns"], *loaded["data"]])
        content = mapping.content_of(loaded)
        if content and all(isinstance(loaded[name], list) for name in content):
            return _columns(source, {name: values for name, values in loaded.items() if isinstance(values, list)})
        lists = [loaded[key] for key in ("data", "rows", "documents") if isinstance(loaded.get(key), list)]
        loaded = lists[0] if lists else [loaded]
    if not isinstance(loaded, list):
        raise unreadable(source, "it holds no array of objects")
    if loaded and all(isinstance(row, list) for row in loaded):
        return _arrays(source, loaded)
    if loaded and not any(isinstance(row, dict) for row in loaded):
        raise unreadable(source, f"it holds an array of {type(loaded[0]).__name__}, not of objects")
    return loaded


def _columns(source: Input, columns: dict[str, list[Any]]) -> Iterable[Any]:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise unreadable(source, f"its columns are of different lengths: {told}")
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _arrays(source: Input, rows: list[Any]) -> Iterable[Any]:
    """Rows that are arrays, below one of their names."""
    header = rows[0]
    if not header or not all(isinstance(name, str) for name in header) or len(set(header)) < len(header):
        raise unreadable(source, "its rows are arrays, and the first one does not name the columns")
    return (
        dict(zip(header, row, strict=True)) if isinstance(row, list) and len(row) == len(header) else row
        for row in rows[1:]
    )
