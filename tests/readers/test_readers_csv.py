"""Reading CSV: what was written is read back; delimiters and encodings are found out, and bad rows told."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.loading import readers
from pgvec_admin.loading.columns import Mapping, MetadataColumn, metadata_columns
from pgvec_admin.loading.records import BadRow, Document
from reading import TEXT, Read, from_bytes, only, reader, reason, vector


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
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
