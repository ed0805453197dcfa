"""Reading Parquet: vectors, values of every type, and only the columns that are wanted."""

from __future__ import annotations

import datetime
import decimal
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pgvec_admin.errors import DataRejectedError
from pgvec_admin.loading import readers
from pgvec_admin.loading.columns import Mapping, metadata_columns
from pgvec_admin.loading.records import BadRow, Document
from reading import Read, only, reader, reason, vector


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def read_parquet(path: Path, **mapping: Any) -> list[Document | BadRow]:
    return list(readers.documents(readers.inputs([str(path)])[0], Mapping(**mapping)))


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float32())]
)
def test_parquet_vectors_of_every_list_type_are_float32_rows(tmp_path: Path, kind: Any) -> None:
    path = parquet(tmp_path / "v.parquet", text=["a", "b"], embedding=pa.array([[1, 0.5], [2, 3]], kind))
    found = read_parquet(path)
    for item, expected in zip(found, ([1, 0.5], [2, 3]), strict=True):
        assert isinstance(item, Document)
        assert isinstance(item.embedding, np.ndarray)
        assert item.embedding.dtype == np.dtype(np.float32)
        assert item.embedding.tolist() == expected


def test_parquet_vectors_of_several_lengths_or_none_are_taken_one_by_one(tmp_path: Path) -> None:
    for values in ([[1.0], [1.0, 2.0], None], [[], [1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]):
        path = parquet(tmp_path / "v.parquet", text=["a", "b", "c"], embedding=pa.array(values, pa.list_(pa.float32())))
        assert [vector(item) for item in read_parquet(path) if isinstance(item, Document)] == values
    path = parquet(tmp_path / "v.parquet", text=["a"], embedding=pa.array([[1, 2]], pa.list_(pa.int64())))
    assert vector(only(read_parquet(path))) == [1, 2]


def test_parquet_values_become_json(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "v.parquet",
        text=["a"],
        day=[datetime.date(2020, 1, 2)],
        pay=[decimal.Decimal("1.50")],
        tags=[["x", "y"]],
        place=[{"city": "Lyon"}],
        nothing=pa.array([None], pa.int64()),
        missing=[float("nan")],
    )
    assert only(read_parquet(path)).metadata == {
        "day": "2020-01-02",
        "pay": decimal.Decimal("1.50"),
        "tags": ["x", "y"],
        "place": {"city": "Lyon"},
        "nothing": None,
        "missing": None,
    }
    assert reason(read_parquet(parquet(tmp_path / "b.parquet", text=["a"], raw=[b"\xff"]))) == (
        1,
        "raw: a value of type bytes has no place in JSON",
    )


DAY = datetime.date(2020, 1, 2)
SECOND = 10**9
OF_TYPE: list[tuple[Any, Any, Any]] = [
    (pa.timestamp("s"), 0, "1970-01-01T00:00:00"),
    (pa.timestamp("ms"), 1, "1970-01-01T00:00:00.001000"),
    (pa.timestamp("us"), 1, "1970-01-01T00:00:00.000001"),
    (pa.timestamp("ns"), 1000, "1970-01-01T00:00:00.000001"),
    (pa.timestamp("ns"), 1, "1970-01-01T00:00:00.000000001"),
    (pa.timestamp("ns", "UTC"), 1, "1970-01-01T00:00:00.000000001+00:00"),
    (pa.timestamp("us", "UTC"), 0, "1970-01-01T00:00:00+00:00"),
    (pa.timestamp("ms"), 300_000_000_000_000, "11476-08-15T05:20:00.000"),
    (pa.timestamp("ms"), -100_000_000_000_000, "-1199-02-15T14:13:20.000"),
    (pa.date32(), 18263, "2020-01-02"),
    (pa.date32(), 5_000_000, "15659-07-15"),
    (pa.time64("us"), 1, "00:00:00.000001"),
    (pa.time64("ns"), 1, "00:00:00.000000001"),
    (pa.duration("s"), 90, "PT90S"),
    (pa.duration("ns"), 1, "PT1E-9S"),
    (pa.decimal128(5, 2), decimal.Decimal("1.50"), decimal.Decimal("1.50")),
    (pa.decimal256(50, 0), decimal.Decimal(10**40 + 1), decimal.Decimal(10**40 + 1)),
    (pa.uint64(), 2**64 - 1, 2**64 - 1),
    (pa.bool_(), True, True),
    (pa.float16(), np.float16(1.5), 1.5),
    (pa.list_(pa.timestamp("ns")), [1, None], ["1970-01-01T00:00:00.000000001", None]),
    (pa.struct([("at", pa.timestamp("ns"))]), {"at": 1}, {"at": "1970-01-01T00:00:00.000000001"}),
    (pa.map_(pa.string(), pa.int64()), [("a", 1)], {"a": 1}),
    (pa.large_string(), "a", "a"),
    (pa.dictionary(pa.int32(), pa.string()), "a", "a"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), OF_TYPE, ids=[f"{kind} {value}" for kind, value, _ in OF_TYPE])
def test_parquet_values_of_every_type_become_json(tmp_path: Path, kind: Any, value: Any, expected: Any) -> None:
    path = parquet(tmp_path / "v.parquet", text=["a", "b"], x=pa.array([value, None], kind))
    first, second = read_parquet(path)
    assert isinstance(first, Document), first
    assert isinstance(second, Document), second
    assert (first.metadata, second.metadata) == ({"x": expected}, {"x": None})


@pytest.mark.parametrize("with_schema", [True, False])
def test_parquet_uuids_are_text_and_may_be_ids(tmp_path: Path, with_schema: bool) -> None:
    made = [uuid.UUID(int=n) for n in (1, 2)]
    column = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([one.bytes for one in made], pa.binary(16)))
    path = tmp_path / "v.parquet"
    pq.write_table(pa.table({"id": column, "text": ["a", "b"], "other": column}), path, store_schema=with_schema)
    found = read_parquet(path)
    assert [(one.id, one.metadata) for one in found if isinstance(one, Document)] == [
        (str(one), {"other": str(one)}) for one in made
    ]


def test_parquet_columns_that_are_not_wanted_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "v.parquet", text=["a"], raw=[b"\xff"], year=[2020], id=["x"])
    assert only(read_parquet(path, metadata=metadata_columns("year"))) == Document(1, "a", {"year": 2020}, "x")
    data = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    assert column.path_in_schema == "raw"
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(data)
    assert only(read_parquet(path, metadata=metadata_columns("year"))).metadata == {"year": 2020}
    with pytest.raises(DataRejectedError, match="cannot be read"):
        read_parquet(path)


def test_a_broken_parquet_file_is_refused(read: Read) -> None:
    with pytest.raises(DataRejectedError, match=r"rows\.parquet cannot be read"):
        read("rows.parquet", b"PAR1 not really")
