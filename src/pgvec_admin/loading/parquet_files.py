"""Parquet: only the columns that are wanted are read; what Python has no type for becomes text."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import numpy as np

from pgvec_admin.errors import UsageError
from pgvec_admin.loading import files
from pgvec_admin.loading.columns import Mapping, read_row
from pgvec_admin.loading.records import BadRow, Document
from pgvec_admin.loading.sources import Input, unreadable

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def parquet_file(source: Input, mapping: Mapping) -> Iterator[Document | BadRow]:
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
            uuids = {column.path for column in file.schema if getattr(column.logical_type, "type", None) == "UUID"}
            position = 0
            for batch in file.iter_batches(batch_size=4096, columns=mapping.wanted(names)):
                embeddings = _vectors(batch.column(vectors)) if vectors else None
                rest = batch.drop_columns([vectors]) if vectors else batch
                values = [
                    _values(column, name in uuids) for name, column in zip(rest.schema.names, rest.columns, strict=True)
                ]
                for place in range(len(batch)):
                    position += 1
                    row: dict[str, Any] = {
                        name: column[place] for name, column in zip(rest.schema.names, values, strict=True)
                    }
                    if vectors and embeddings is not None:
                        row[vectors] = embeddings[place]
                    yield read_row(row, mapping, position, suspect=True)
                source.read = source.size * position // max(1, file.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source, " ".join(str(error).split())) from error


def _values(column: Any, is_uuid: bool) -> list[Any]:
    """A column as Python has it; nanoseconds, and years beyond 9999, as text."""
    try:
        values = column.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        values = [_value(scalar) for scalar in column]
    if is_uuid:
        return [uuid.UUID(bytes=value) if isinstance(value, bytes) else value for value in values]
    return [None if _is_nan(value) else value for value in values]


def _value(scalar: Any) -> Any:
    import pyarrow as pa

    kind = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_struct(kind):
        return {name: _value(inner) for name, inner in scalar.items()}
    if pa.types.is_map(kind):
        return {str(pair[0].as_py()): _value(pair[1]) for pair in (tuple(entry.values()) for entry in scalar.values)}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [_value(inner) for inner in scalar.values]
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        if pa.types.is_date(kind):
            return str(np.datetime64(scalar.value, "D" if pa.types.is_date32(kind) else "ms").astype("datetime64[D]"))
        if pa.types.is_duration(kind):
            return f"PT{Decimal(scalar.value) / _PER_SECOND[kind.unit]}S"
        moment = str(np.datetime64(scalar.value, kind.unit))
        if pa.types.is_time(kind):
            return moment.partition("T")[2]
        return moment + ("+00:00" if kind.tz else "")


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
