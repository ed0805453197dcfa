"""Reading files: what was written is read back, and bad rows are reported with line and reason."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import itertools
import json
import os
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.loading import converted, files, readers
from pgvec_admin.loading.columns import Mapping, MetadataColumn, metadata_columns
from pgvec_admin.loading.records import BadRow, Document
from pgvec_admin.loading.sources import Input

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=5,
)

Read = Callable[..., "list[Document | BadRow]"]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes a file of that name with that text and reads it."""

    def write_and_read(name: str, data: str | bytes, **mapping: Any) -> list[Document | BadRow]:
        path = tmp_path / name
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


# ---- which files


def test_directories_are_searched_in_order_without_hidden_and_unknown_files(tmp_path: Path) -> None:
    for name in ("b/two.md", "a.txt", "b/one.MD", ".git/config.txt", "b/.hidden.md", "picture.png", "rows.csv.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = readers.inputs([str(tmp_path)])
    assert [(Path(f.name).relative_to(tmp_path).as_posix(), f.format, f.compressed) for f in found] == [
        ("a.txt", "txt", False),
        ("b/one.MD", "md", False),
        ("b/two.md", "md", False),
        ("rows.csv.gz", "csv", True),
    ]


def test_names_are_normalised_and_a_file_named_twice_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").touch()
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in readers.inputs(["./notes/", "notes//a.md"])] == ["notes/a.md"]


def test_what_cannot_be_loaded_is_a_usage_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "picture.png").touch()
    (tmp_path / "empty").mkdir()
    for name, format_, message in (
        ("nowhere.csv", None, "there is no file"),
        ("picture.png", None, "no known format"),
        ("empty", None, "holds nothing to load"),
        ("picture.png", "xml", "unknown format 'xml'"),
    ):
        with pytest.raises(UsageError, match=message) as refused:
            readers.inputs([str(tmp_path / name)], format_)
        assert refused.value.hint
    with pytest.raises(UsageError, match="the format of stdin must be said"):
        readers.inputs(["-"])
    assert readers.inputs([str(tmp_path / "picture.png")], "csv")[0].format == "csv"


# ---- JSON


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT, st.dictionaries(TEXT, JSON), st.booleans()), max_size=5))
def test_json_lines_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, dict[str, Any], bool]]
) -> None:
    lines = [
        json.dumps({"id": id_, "content": content, "metadata": metadata}, ensure_ascii=ascii_)
        for id_, content, metadata, ascii_ in rows
    ]
    data = "".join(line + "\n" for line in lines).encode()
    found = from_bytes(data, "jsonl", tmp_path_factory.getbasetemp())
    assert found == [
        Document(number, content, metadata, id_) for number, (id_, content, metadata, _) in enumerate(rows, 1)
    ]


def test_the_usual_columns_are_found_and_the_rest_is_metadata(read: Read) -> None:
    row = {"text": "tea", "id": 7, "lang": "en", "tags": ["a"], "embedding": [1, 2.5]}
    found = only(read("rows.jsonl", "\ufeff\n" + json.dumps(row)))
    assert (found.line, found.content, found.id, vector(found)) == (2, "tea", "7", [1, 2.5])
    assert found.metadata == {"lang": "en", "tags": ["a"]}


def test_named_columns_are_taken_and_no_others(read: Read) -> None:
    row = {"no": "x1", "body": "tea", "url": "http://a", "year": "2020", "junk": 1, "vec": [1.0]}
    found = only(
        read(
            "rows.jsonl",
            json.dumps(row),
            content="body",
            id="no",
            source="url",
            embedding="vec",
            metadata=metadata_columns("year:int, missing"),
        )
    )
    assert (found.content, found.id, found.source, vector(found)) == ("tea", "x1", "http://a", [1.0])
    assert found.metadata == {"year": 2020}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"content": "x"', "not JSON: Expecting ',' delimiter at column 16"),
        ("[1]", "not an object but list"),
        ('{"id": 1}', "no content"),
        ('{"content": " \\n"}', "content is empty"),
        ('{"content": null}', "content is empty"),
        ('{"content": 5}', "content is not text but int"),
        ('{"content": "a\\u0000b"}', "content holds a NUL character, which Postgres cannot store"),
        ('{"content": "x", "m": {"k": ["\\u0000"]}}', "m.k holds a NUL character, which Postgres cannot store"),
        (
            '{"content": "a\\ud800"}',
            "content holds bytes that are not UTF-8, or half a character, which Postgres cannot store",
        ),
        ('{"content": "x", "m": NaN}', "m: nan is not JSON"),
        ('{"content": "x", "id": ""}', "id is empty"),
        ('{"content": "x", "id": true}', "id is not text but bool"),
        ('{"content": "x", "embedding": [1, null]}', "embedding is not a list of numbers"),
        ('{"content": "x", "embedding": [true]}', "embedding is not a list of numbers"),
        ('{"content": "x", "embedding": [[1]]}', "embedding is not a list of numbers"),
        ('{"content": "x", "embedding": "1,2"}', "embedding is not a list of numbers"),
        ("[" * 100_000, "not JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_bad_line_is_told_and_reading_goes_on(read: Read, line: str, told: str) -> None:
    found = read("rows.jsonl", f'{{"content": "before"}}\n{line}\n{{"content": "after"}}\n')
    assert [item.content for item in found if isinstance(item, Document)] == ["before", "after"]
    number, why = reason(found)
    assert number == 2
    assert why.startswith(told)


def test_a_line_of_bad_bytes_is_told_with_the_column(read: Read) -> None:
    found = read("rows.jsonl", b'{"content": "a"}\n{"content": "\xff"}\n')
    assert reason(found) == (2, "not UTF-8: byte 0xff at column 14")


def test_nan_in_a_vector_is_left_to_the_check_of_vectors(read: Read) -> None:
    found = only(read("rows.jsonl", '{"content": "x", "embedding": [1, NaN]}'))
    assert str(vector(found)) == "[1.0, nan]"
    assert (
        str(vector(only(read("rows.jsonl", f'{{"content": "x", "embedding": [1{"0" * 400}, 1e39]}}')))) == "[inf, inf]"
    )


def test_json_files_hold_an_array_or_an_object_around_one(read: Read) -> None:
    rows = '[{"content": "a"}, 5, {"content": "b"}]'
    for text in (rows, f'{{"data": {rows}, "count": 3}}', f'{{"documents": {rows}}}'):
        found = read("rows.json", text)
        assert [item.content for item in found if isinstance(item, Document)] == ["a", "b"]
        assert reason(found) == (2, "not an object but int")
    assert only(read("rows.json", '{"content": "alone"}')).content == "alone"
    with pytest.raises(DataRejectedError, match=r"rows\.json cannot be read: not JSON"):
        read("rows.json", '[{"content": "a"},')


# ---- CSV

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, CELL), max_size=6))
def test_csv_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["content", "note"])
    writer.writerows(rows)
    found = from_bytes(text.getvalue().encode(), "csv", tmp_path_factory.getbasetemp())
    expected = [(content, {"note": note} if note else {}) for content, note in rows]
    assert [(item.content, item.metadata) for item in found if isinstance(item, Document)] == expected


def test_csv_lines_are_those_of_the_file_where_fields_span_several(read: Read) -> None:
    found = read("rows.csv", 'id,content\n1,"two\nlines"\n\n2,\n3,"a",b\n4,x\n')
    assert [(item.line, getattr(item, "reason", None)) for item in found] == [
        (2, None),
        (5, "content is empty"),
        (6, "3 cells, the header has 2"),
        (7, None),
    ]


def test_csv_values_get_the_types_that_are_asked_for(read: Read) -> None:
    columns = metadata_columns("year:int,pay:float,open:bool,tags:json,zip:text,note")
    text = 'content,year,pay,open,tags,zip,note\nx,2020,1.5,yes,"[1, ""a""]",00123,\ny,,,,,,n\n'
    first, second = read("rows.csv", text, metadata=columns)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert first.metadata == {"year": 2020, "pay": 1.5, "open": True, "tags": [1, "a"], "zip": "00123"}
    assert second.metadata == {"year": None, "pay": None, "open": None, "tags": None, "zip": None, "note": "n"}
    for column, value in (("year", "abc"), ("year", "1.5"), ("pay", "x"), ("open", "maybe"), ("tags", "{")):
        kind = next(c.type for c in columns if c.name == column)
        found = read("rows.csv", f"content,{column}\nx,{value}\n", metadata=(MetadataColumn(column, kind),))
        line, why = reason(found)
        assert line == 2
        assert why.startswith(f"{column}: {value!r} is not a")


def test_csv_vectors_and_metadata_objects_are_read_from_their_text(read: Read) -> None:
    text = 'content,embedding,metadata\nx,"[1, 2]","{""a"": 1}"\ny,,\n'
    first, second = read("rows.csv", text)
    assert isinstance(first, Document)
    assert (first.metadata, vector(first)) == ({"a": 1}, [1, 2])
    assert second == Document(3, "y", {})


def test_a_csv_header_that_will_not_do_is_a_usage_error_that_lists_the_columns(read: Read) -> None:
    with pytest.raises(UsageError, match="columns of one name: a"):
        read("rows.csv", "a,a,content\n")
    with pytest.raises(UsageError, match="has no header"):
        read("rows.csv", "\n")
    assert reason(read("rows.csv", "")) == (1, "empty")
    with pytest.raises(UsageError, match="has no column content, text") as refused:
        read("rows.csv", "a,b\n")
    assert refused.value.hint == "say which holds the text: --content NAME; it has: a, b"
    with pytest.raises(UsageError, match="has no column 'titel'") as refused:
        read("rows.csv", "title,content\n", metadata=metadata_columns("titel"))
    assert refused.value.hint == "it has: title, content"
    with pytest.raises(UsageError, match="unknown type 'integer'"):
        metadata_columns("year:integer")


def test_a_quote_that_is_never_closed_stops_the_file_with_its_line(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('id,content\n1,good\n2,"open\n' + "3,more\n" * 50)
    found = readers.documents(readers.inputs([str(path)])[0], Mapping())
    assert isinstance(next(found), Document)
    with pytest.raises(DataRejectedError, match="line 3: a quote that is never closed"):
        next(found)


def test_bytes_that_are_not_utf_8_and_nul_are_bad_rows_of_csv(read: Read) -> None:
    assert reason(read("rows.csv", b"content\ngood \xc3\xa9\n\xe9t\xe9\n"))[0] == 3
    assert reason(read("rows.tsv", b"content\tx\ngood\t1\na\x00b\t2\n"))[0] == 3


def test_gzipped_files_are_unpacked_and_cut_ones_are_refused(read: Read) -> None:
    packed = gzip.compress(b"".join(b'{"content": "line %d"}\n' % n for n in range(5000)))
    assert len(read("rows.jsonl.gz", packed)) == 5000
    with pytest.raises(DataRejectedError, match=r"rows\.jsonl\.gz cannot be read"):
        read("rows.jsonl.gz", packed[: len(packed) // 2])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_the_delimiter_is_found_out_and_told_where_it_is_unusual(tmp_path: Path, delimiter: str, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["id", "price", "content"])
        for n in range(50):
            writer.writerow([n, "1,5", f"a text; with, all | of {n} \n the others\t"])
    told: list[str] = []
    found = list(readers.documents(readers.inputs([str(path)], tell=told.append)[0], Mapping()))
    assert [(one.id, one.metadata) for one in found if isinstance(one, Document)] == [
        (str(n), {"price": "1,5"}) for n in range(50)
    ]
    usual = {"csv": ",", "tsv": "\t"}[suffix]
    assert told == (
        [] if delimiter == usual else [f"{path}: its delimiter is {delimiter!r} (--delimiter says otherwise)"]
    )
    (given,) = readers.inputs([str(path)], delimiter="tab" if delimiter == "\t" else delimiter)
    assert list(readers.documents(given, Mapping())) == found
    with pytest.raises(UsageError, match="is no delimiter"):
        readers.inputs([str(path)], delimiter="ab")


FRENCH = "Les élèves étaient à l'école, où ils révisaient déjà leurs leçons de français."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "shift_jis"])
def test_the_encoding_of_csv_is_found_out_and_told(tmp_path: Path, encoding: str) -> None:
    text = "生徒たちは学校で日本語の授業をすでに復習していました。" if encoding == "shift_jis" else FRENCH
    path = tmp_path / "rows.csv"
    path.write_bytes("".join(["content,n\n", *(f'"{text}",{n}\n' for n in range(20))]).encode(encoding))
    told: list[str] = []
    found = list(readers.documents(readers.inputs([str(path)], tell=told.append)[0], Mapping()))
    assert [(one.content, one.metadata) for one in found if isinstance(one, Document)] == [
        (text, {"n": str(n)}) for n in range(20)
    ]
    assert len(told) == (encoding in ("cp1252", "shift_jis"))
    (given,) = readers.inputs([str(path)], encoding=encoding)
    assert list(readers.documents(given, Mapping())) == found
    with pytest.raises(UsageError, match="unknown encoding 'latin-47'"):
        readers.inputs([str(path)], encoding="latin-47")


def test_a_text_may_be_in_several_columns_and_a_star_stands_for_the_others(read: Read) -> None:
    text = "title,body,salary,city,\nCook,Cook for us.,30,Lyon,x\nClerk,,20,,\n,,1,,\n"
    first, second, third = read("rows.csv", text, content="title,body", metadata=metadata_columns("salary:int,*"))
    assert first == Document(2, "Cook\nCook for us.", {"salary": 30, "city": "Lyon", "column_5": "x"})
    assert second == Document(3, "Clerk", {"salary": 20})
    assert isinstance(third, BadRow)
    assert third.reason == "title and body are empty"
    assert only(read("rows.jsonl", '{"a,b": "x", "a": "y"}', content="a,b")).content == "x"
    with pytest.raises(UsageError, match="has no column 'text'"):
        read("rows.csv", text, content="title,text")


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 - 1, 2**64, 10**30 + 1, -(10**25) - 1])
def test_integers_keep_their_digits(read: Read, number: int) -> None:
    row = f'{{"id": {number}, "content": "x", "n": {number}, "deep": [{{"n": {number}}}]}}'
    for found in (only(read("rows.jsonl", row)), only(read("rows.json", f"[{row}]"))):
        assert (found.id, found.metadata) == (str(number), {"n": number, "deep": [{"n": number}]})
    found = only(read("rows.csv", f"id,content,n\n{number},x,{number}\n", metadata=metadata_columns("n:int")))
    assert (found.id, found.metadata) == (str(number), {"n": number})


# ---- JSON of columns and of arrays


def test_json_of_columns_is_read_as_rows(read: Read) -> None:
    expected = [Document(1, "a", {"k": 1}, "x"), Document(2, "b", {"k": 2}, "y")]
    chroma: dict[str, Any] = {
        "ids": ["x", "y"],
        "documents": ["a", "b"],
        "metadatas": [{"k": 1}, {"k": 2}],
        "embeddings": None,
        "included": ["documents"],
    }
    query = {name: [value] if isinstance(value, list) else value for name, value in chroma.items()}
    frame = {"columns": ["id", "text", "k"], "index": [0, 1], "data": [["x", "a", 1], ["y", "b", 2]]}
    arrays = [["id", "text", "k"], ["x", "a", 1], ["y", "b", 2]]
    for whole in (chroma, query, frame, arrays, {"id": ["x", "y"], "text": ["a", "b"], "k": [1, 2]}):
        assert read("rows.json", json.dumps(whole)) == expected
    with_vectors = read("rows.json", json.dumps(chroma | {"embeddings": [[1, 2], [3, 4]]}))
    assert [vector(one) for one in with_vectors if isinstance(one, Document)] == [[1, 2], [3, 4]]
    for wrong, told in (
        (chroma | {"ids": ["x"]}, "different lengths: id 1, document 2, metadata 2"),
        ([[1, 2], [3, 4]], "its rows are arrays, and the first one does not name the columns"),
        (["a", "b"], "an array of str, not of objects"),
        ("a", "it holds no array of objects"),
    ):
        with pytest.raises(DataRejectedError, match=told):
            read("rows.json", json.dumps(wrong))


# ---- Parquet


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


# ---- texts


def test_a_text_is_one_document_with_its_path_and_title(read: Read) -> None:
    found = only(read("leave.md", "intro\n\n# All about *leave* ##\n\ntext\n"))
    assert found.content.startswith("intro")
    assert (found.id, found.source, found.metadata["title"]) == (None, found.metadata["path"], "All about *leave*")
    assert only(read("plain.txt", "# no title in plain text")).metadata.keys() == {"path"}


def test_front_matter_is_metadata_and_no_title_is_taken_from_a_code_block(read: Read) -> None:
    text = "---\ntitle: On leave\ndate: 2020-01-02\nat: 12:30\ntags: [a, {b: no}]\npath: elsewhere\n---\n\n# Leave\n"
    for data in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        found = only(read("leave.md", data))
        assert found.content.strip() == "# Leave"
        assert found.metadata == {
            "title": "On leave",
            "date": "2020-01-02",
            "at": "12:30",
            "tags": ["a", {"b": "no"}],
            "path": found.source,
        }
    assert only(read("a.md", "+++\ntitle = 'T'\nn = 1\n+++\ntext")).metadata.items() >= {"title": "T", "n": 1}.items()
    assert only(read("a.md", "---\ntitle: Notes: one\n---\ntext")).metadata["title"] == "Notes: one"
    assert only(read("a.md", "---\ntags: [x]\n---\nSet\nunderlined\n===\n")).metadata["title"] == "Set underlined"
    for text in ("```sh\n# comment\n```\n\n# Title\n", "    # code\n\n# Title", "<!--\n# hidden\n-->\n\n# Title ##\n"):
        assert only(read("a.md", text)).metadata["title"] == "Title"
    assert only(read("a.md", "---\nno front matter\n---\n")).content == "---\nno front matter\n---\n"
    assert only(read("a.md", "---\ntitle: Alone\n---\n")).content == "---\ntitle: Alone\n---\n"
    # one that repeats itself a billion times is left as it is written
    names = "abcdefghi"
    bomb = "a: &a [x, x]\n"
    for before, name in itertools.pairwise(names):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    assert len(str(only(read("a.md", f"---\n{bomb}---\ntext")).metadata)) < 1000
    assert reason(read("a.md", '---\ntitle: "\\0"\n---\ntext')) == (
        1,
        "front matter: title holds a NUL character, which Postgres cannot store",
    )


def test_a_text_that_cannot_be_stored_is_told_with_its_line(read: Read) -> None:
    assert reason(read("a.txt", b"one\ntwo \xff\n")) == (2, "not UTF-8: byte 0xff at offset 8")
    assert reason(read("a.txt", b"one\ntwo\nth\x00ree")) == (3, "a NUL character, which Postgres cannot store")
    assert reason(read("a.txt", b" \n")) == (1, "empty")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A directory that a stranger has filled, beside one that is not the stranger's."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    (outside / "deep").mkdir(parents=True)
    (inside / "sub").mkdir(parents=True)
    for file in (outside / "secret.txt", outside / "deep" / "secret.md", inside / "sub" / "own.md"):
        file.write_text("a text")
    pq.write_table(pa.table({"content": ["a secret"]}), outside / "secret.parquet")
    for name, target in {
        "absolute.txt": outside / "secret.txt",
        "relative.txt": Path("../outside/secret.txt"),
        "table.parquet": outside / "secret.parquet",
        "unknown.xyz": outside / "secret.txt",
        "folder": outside,
        "passwd.txt": Path("/etc/passwd"),
        "null.csv": Path("/dev/null"),
        "nothing.md": outside / "nothing.md",
        "up": Path(".."),
        "again": Path("sub"),
        "own.txt": Path("sub/own.md"),
        "twice.txt": Path("absolute.txt"),
        "circle.md": Path("circle.md"),
        "sub/parent": Path(".."),
    }.items():
        (inside / name).symlink_to(target)
    os.mkfifo(inside / "pipe.jsonl")
    return inside


def test_a_link_that_leads_out_of_a_directory_is_left_out_and_named(filled: Path) -> None:
    left_out: dict[str, str] = {}
    found = readers.inputs([str(filled)], skip=lambda path, why: left_out.update({path.name: why}))
    assert [Path(source.name).relative_to(filled).as_posix() for source in found] == ["own.txt", "sub/own.md"]
    out = [
        "absolute.txt",
        "relative.txt",
        "table.parquet",
        "folder",
        "passwd.txt",
        "null.csv",
        "nothing.md",
        "up",
        "twice.txt",
    ]
    assert left_out == dict.fromkeys(out, files.LEADS_OUT) | dict.fromkeys(
        ["pipe.jsonl", "circle.md"], files.NOT_REGULAR
    )
    assert [only(list(readers.documents(source, Mapping()))).content for source in found] == ["a text", "a text"]


def test_all_links_are_followed_where_that_is_wanted_and_a_directory_is_entered_once(filled: Path) -> None:
    left_out: list[str] = []
    found = readers.inputs([str(filled)], follow_links=True, skip=lambda path, _: left_out.append(path.name))
    names = [Path(source.name).relative_to(filled).as_posix() for source in found]
    assert {"absolute.txt", "folder/secret.txt", "folder/deep/secret.md", "passwd.txt", "table.parquet"} <= set(names)
    assert len([name for name in names if name.endswith("own.md")]) == 1
    assert sorted(left_out) == ["circle.md", "nothing.md", "null.csv", "pipe.jsonl"]


def test_what_is_named_itself_may_be_a_link(filled: Path) -> None:
    named = [str(filled / "absolute.txt"), str(filled / "folder")]
    assert [Path(source.name).name for source in readers.inputs(named)] == [
        "absolute.txt",
        "secret.md",
        "secret.parquet",
        "secret.txt",
    ]
    (filled / "links").mkdir()
    (filled / "links" / "passwd.txt").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="holds nothing to load") as refused:
        readers.inputs([str(filled / "links")])
    assert "--follow-links" in str(refused.value.hint)


@pytest.mark.parametrize("name", ["own.md", "own.csv", "own.parquet"])
def test_a_file_that_becomes_a_link_or_a_pipe_before_it_is_read_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_text("content\na text")
    (source,) = readers.inputs([str(folder)])
    (folder / name).unlink()
    (folder / name).symlink_to("/etc/passwd")
    with pytest.raises(DataRejectedError, match="it has become a link that leads out"):
        list(readers.documents(source, Mapping()))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(DataRejectedError, match="it has become no regular file"):
        list(readers.documents(source, Mapping()))


# ---- documents of other kinds


def minimal_pdf(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


def minimal_docx(*paragraphs: tuple[str, str]) -> bytes:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName='
            '"/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.'
            'document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r"'
            ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
            ' Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>')
    return made.getvalue()


OTHERS = {
    "page.html": (
        b"<html><head><title>On leave</title><style>p {}</style></head><body><nav>menu</nav><h1>Leave</h1>"
        b"<p>Thirty <b>days</b>.</p><script>1</script></body></html>",
        "# Leave\n\nThirty **days**.",
        "On leave",
    ),
    "notes.ipynb": (
        json.dumps(
            {
                "cells": [
                    {"cell_type": "markdown", "source": ["# Leave\n", "Thirty days."]},
                    {"cell_type": "code", "source": "# no heading\n1 + 1", "outputs": [{"text": "2"}]},
                ]
            }
        ).encode(),
        "# Leave\nThirty days.\n\n```python\n# no heading\n1 + 1\n```",
        "Leave",
    ),
    "letter.docx": (minimal_docx(("Heading1", "Leave"), ("", "Thirty days.")), "Thirty days.", None),
    "paper.pdf": (minimal_pdf("Thirty days of leave."), "Thirty days of leave.", None),
    "page.mdx": (b"import X from 'x'\n\n# Leave\n\n<X/>", "import X from 'x'\n\n# Leave\n\n<X/>", "Leave"),
    "page.rst": (b"Leave\n=====\n\nThirty days.", "Leave\n=====\n\nThirty days.", None),
}


@pytest.mark.parametrize("name", OTHERS)
def test_documents_of_other_kinds_become_texts(read: Read, name: str) -> None:
    data, text, title = OTHERS[name]
    found = only(read(name, data))
    assert text in found.content
    assert found.metadata.get("title") == title or name == "letter.docx"
    if name == "page.html":
        assert found.content == text


@pytest.mark.parametrize("name", ["page.ipynb", "letter.docx", "paper.pdf"])
def test_a_damaged_document_is_told_and_no_more(read: Read, name: str) -> None:
    for data in (b"", b"\x00\xff nothing of the kind", OTHERS.get(name, (b'{"cells": 5}',))[0][:300]):
        (bad,) = read(name, data)
        assert isinstance(bad, BadRow)
        assert bad.reason.startswith(f"cannot be read as {name.partition('.')[2]}")
    if name.endswith("pdf"):
        assert reason(read(name, minimal_pdf(""))) == (1, "it holds no text: is it a scan?")


def test_what_is_left_out_of_a_directory_is_told_by_count_and_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.md", "b.png", "c.PNG", "d", "e.pdf"):
        (tmp_path / name).touch()
    told: list[str] = []
    assert [one.format for one in readers.inputs([str(tmp_path)], tell=told.append)] == ["md", "pdf"]
    assert told == [f"left out in {tmp_path}: 2 .png, 1 without extension: of no known format"]
    monkeypatch.setattr(converted, "find_spec", lambda name: None)
    told.clear()
    assert [one.format for one in readers.inputs([str(tmp_path)], tell=told.append)] == ["md"]
    assert told[1] == f"left out in {tmp_path}: 1 .pdf: pip install 'pgvec-admin[documents]' reads them"
    (named,) = readers.inputs([str(tmp_path / "e.pdf")])
    with pytest.raises(UsageError, match="needs libraries that are not installed"):
        list(readers.documents(named, Mapping()))
