"""How the columns of a table become documents: which is the text, the id, the vector, and what goes into metadata."""

from __future__ import annotations

import json
import math
import re
import uuid
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pgvec_admin.errors import UsageError
from pgvec_admin.loading.records import BadRow, Document

if TYPE_CHECKING:
    from pgvec_admin.loading.records import Embedding

CONTENT = ("content", "text", "body", "page_content", "document")

REST = "*"  # in a list of columns: all others

ColumnType = Literal["text", "int", "float", "bool", "json"]

DEEPEST = 300  # levels of JSON, which is read and written by recursion; Python allows 1,000

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
# characters that Postgres cannot store: NUL, and half of a surrogate pair (in CSV, a byte that is not UTF-8)
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


class BadValueError(Exception):
    """A value that makes its row a bad one; the message is the reason."""


class EmptyError(BadValueError):
    """A row without a text."""


@dataclass(frozen=True)
class MetadataColumn:
    """A column for metadata, and the type that its values are converted to; None leaves them as they are."""

    name: str
    type: ColumnType | None = None


@dataclass(frozen=True)
class Mapping:
    """Which columns to take. None means the default: see `pgvec-admin load --help`."""

    content: str | None = None
    id: str | None = None
    metadata: tuple[MetadataColumn, ...] | None = None
    source: str | None = None
    embedding: str | None = None

    def check(self, names: Sequence[str], file: str) -> None:
        """UsageError where a column is named that the file does not have, or where none can be the text."""
        wanted = [*(self.content_of(names) or ()), self.id, self.source, self.embedding]
        wanted += [column.name for column in self.metadata or () if column.name != REST]
        lacking = [name for name in wanted if name is not None and name not in names]
        if lacking:
            raise UsageError(f"{file} has no column {', '.join(map(repr, lacking))}", f"it has: {', '.join(names)}")
        if self.content is None and not set(CONTENT) & set(names):
            raise UsageError(
                f"{file} has no column {', '.join(CONTENT[:-1])} or {CONTENT[-1]}",
                f"say which holds the text: --content NAME; it has: {', '.join(names)}",
            )

    def content_of(self, names: Collection[str]) -> tuple[str, ...] | None:
        """The columns of the text among these: those that are named (`a,b` may be two), else the first of the usual."""
        if self.content is not None:
            return (self.content,) if self.content in names else tuple(part.strip() for part in self.content.split(","))
        return next(((name,) for name in CONTENT if name in names), None)

    def wanted(self, names: Sequence[str]) -> list[str]:
        """Those of these columns that become part of a document."""
        if self.metadata is None or any(column.name == REST for column in self.metadata):
            return list(names)
        id_ = self.id or ("id" if "id" in names else None)
        taken = {*(self.content_of(names) or ()), id_, self.source, self.embedding_of(names)}
        return [name for name in names if name in taken or any(column.name == name for column in self.metadata)]

    def embedding_of(self, names: Sequence[str]) -> str | None:
        """The column of vectors among these, if there is one."""
        return self.embedding or ("embedding" if "embedding" in names else None)


def metadata_columns(text: str) -> tuple[MetadataColumn, ...]:
    """The columns of `title,year:int`; UsageError for an unknown type."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, kind = part.rpartition(":")
        if colon and kind not in get_args(ColumnType):
            raise UsageError(f"unknown type {kind!r} of column {name!r}", f"one of: {', '.join(get_args(ColumnType))}")
        found.append(MetadataColumn(name, cast(ColumnType, kind)) if colon else MetadataColumn(kind))
    return tuple(found)


def document(row: dict[str, Any], mapping: Mapping, line: int, *, cells: bool) -> Document:
    """The document of a row. `cells`: all values are text, as in CSV. Raises BadValueError."""
    content = mapping.content_of(row)
    if content is None or not any(name in row for name in content):
        raise BadValueError(f"no {' or '.join(content or ('content',))}")
    id_ = mapping.id or ("id" if "id" in row else None)
    vector = mapping.embedding_of(tuple(row))
    taken = {*content, id_, mapping.source, vector}
    return Document(
        line,
        _content(content[0], row[content[0]]) if len(content) == 1 else _joined(content, row),
        _metadata(row, mapping, taken, cells=cells),
        id=_id(id_, row.get(id_)) if id_ else None,
        source=_optional_text(mapping.source, row.get(mapping.source)) if mapping.source else None,
        embedding=_embedding(vector, row.get(vector)) if vector else None,
    )


def read_row(row: Any, mapping: Mapping, line: int, *, suspect: bool, cells: bool = False) -> Document | BadRow:
    """The document of a row; `suspect` values are checked for what Postgres cannot store, `cells` are all text."""
    if not isinstance(row, dict):
        return BadRow(line, f"not an object but {type(row).__name__}", row)
    try:
        made = document(row, mapping, line, cells=cells)
        if suspect:
            check_storable(made)
    except (BadValueError, RecursionError) as error:
        why = error if isinstance(error, BadValueError) else f"nested deeper than {DEEPEST} levels"
        shown = {name: value for name, value in row.items() if not _is_array(value)}
        return BadRow(line, str(why), shown, empty=isinstance(error, EmptyError))
    return made


def check_storable(made: Document) -> None:
    """BadValueError for a text or a number in a document, however deep, that Postgres cannot store."""
    for name, value in (("id", made.id), ("source", made.source), ("content", made.content)):
        _check_storable(value, name)
    _check_storable(made.metadata, "")


def _check_storable(value: Any, path: str, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise BadValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        found = _NOT_STORABLE.search(value)
        if found:
            what = "a NUL character" if found.group() == "\x00" else "bytes that are not UTF-8, or half a character"
            raise BadValueError(f"{path or 'the row'} holds {what}, which Postgres cannot store")
    elif isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise BadValueError(f"{path}: {value} is not JSON")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_storable(key, path or "a key")
            _check_storable(inner, f"{path}.{key}" if path and depth < 10 else path or key, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_storable(inner, path, depth + 1)


def _content(name: str, value: Any) -> str:
    if value is None or value == "":
        raise EmptyError(f"{name} is empty")
    if not isinstance(value, str):
        raise BadValueError(f"{name} is not text but {type(value).__name__}")
    if not value.strip():
        raise EmptyError(f"{name} is empty")
    return value


def _joined(names: Sequence[str], row: dict[str, Any]) -> str:
    """Texts of several columns, each on a line of its own, as with the columns of an adopted table."""
    texts = [_content(name, row[name]) for name in names if row.get(name) not in (None, "")]
    if not any(text.strip() for text in texts):
        raise EmptyError(f"{' and '.join(names)} are empty")
    return "\n".join(texts)


def _id(name: str, value: Any) -> str:
    if isinstance(value, int | uuid.UUID) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return str(int(value))
    text = _optional_text(name, value)
    if not text:
        raise BadValueError(f"{name} is empty")
    return text


def _optional_text(name: str, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadValueError(f"{name} is not text but {type(value).__name__}")
    return value


def _is_array(value: Any) -> bool:
    """A vector of Parquet, which comes as an array of numpy's."""
    return hasattr(value, "dtype")


def _embedding(name: str, value: Any) -> Embedding | None:
    if value is None or _is_array(value):
        return cast("Embedding | None", value)
    import numpy as np

    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = json.loads(value)
        except ValueError as error:
            raise BadValueError(f"{name} is not a list of numbers") from error
    if not isinstance(value, list) or not set(map(type, value)) <= {float, int}:
        raise BadValueError(f"{name} is not a list of numbers")
    try:
        return np.frombuffer(array("f", value), np.float32)  # ten times as fast as numpy's conversion of a list
    except OverflowError:  # an integer with hundreds of digits
        with np.errstate(over="ignore"):
            return np.array([float(str(number)) for number in value], np.float32)


def _metadata(row: dict[str, Any], mapping: Mapping, taken: set[str | None], *, cells: bool) -> dict[str, Any]:
    if mapping.metadata is not None:
        chosen = [column for column in mapping.metadata if column.name in row and column.name != REST]
        if any(column.name == REST for column in mapping.metadata):
            named = taken | {column.name for column in chosen}
            chosen += [MetadataColumn(name) for name in row if name not in named]
        values = {column.name: _cast(column, row[column.name]) for column in chosen}
        left_out = {column.name for column in chosen if cells and column.type is None and row[column.name] == ""}
        return {name: value for name, value in values.items() if name not in left_out}
    whole = _object(row.get("metadata"))
    if whole is not None:
        return whole
    return {
        name: _plain(name, value)
        for name, value in row.items()
        if name not in taken and not (name == "metadata" and value is None) and not (cells and value == "")
    }


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None


def _cast(column: MetadataColumn, value: Any) -> Any:
    if value is None or (value == "" and column.type is not None):
        return None
    try:
        match column.type:
            case None:
                return _plain(column.name, value)
            case "text":
                plain = _plain(column.name, value)
                return plain if isinstance(plain, str) else json.dumps(plain, default=str)
            case "int":
                return _integer(value)
            case "float":
                return float(value)
            case "bool":
                return _boolean(value)
            case "json":
                return json.loads(value) if isinstance(value, str) else _plain(column.name, value)
    except (ValueError, TypeError, OverflowError) as error:
        article = "an" if column.type == "int" else "a"
        raise BadValueError(f"{column.name}: {value!r} is not {article} {column.type}") from error


def _integer(value: Any) -> int:
    if isinstance(value, float | Decimal) and value != int(value):
        raise ValueError
    return int(value)


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise ValueError
    return text in _TRUE


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it: Parquet also has dates, durations and UUIDs; decimals are numbers."""
    if value is None or isinstance(value, str | int | float | Decimal):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(name, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, inner) for inner in value]
    if isinstance(value, datetime | date | clock_time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.days * 86400 + value.seconds + Decimal(value.microseconds) / 1_000_000}S"
    if isinstance(value, uuid.UUID):
        return str(value)
    raise BadValueError(f"{name}: a value of type {type(value).__name__} has no place in JSON")
