"""Reading JSON and compressed files: what was written is read back, bad rows are told with line and reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgvec_admin.errors import DataRejectedError
from pgvec_admin.loading.columns import metadata_columns
from pgvec_admin.loading.records import Document
from reading import JSON, TEXT, Read, from_bytes, only, reader, reason, vector


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
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


def test_gzipped_files_are_unpacked_and_cut_ones_are_refused(read: Read) -> None:
    packed = gzip.compress(b"".join(b'{"content": "line %d"}\n' % n for n in range(5000)))
    assert len(read("rows.jsonl.gz", packed)) == 5000
    with pytest.raises(DataRejectedError, match=r"rows\.jsonl\.gz cannot be read"):
        read("rows.jsonl.gz", packed[: len(packed) // 2])


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 - 1, 2**64, 10**30 + 1, -(10**25) - 1])
def test_integers_keep_their_digits(read: Read, number: int) -> None:
    row = f'{{"id": {number}, "content": "x", "n": {number}, "deep": [{{"n": {number}}}]}}'
    for found in (only(read("rows.jsonl", row)), only(read("rows.json", f"[{row}]"))):
        assert (found.id, found.metadata) == (str(number), {"n": number, "deep": [{"n": number}]})
    found = only(read("rows.csv", f"id,content,n\n{number},x,{number}\n", metadata=metadata_columns("n:int")))
    assert (found.id, found.metadata) == (str(number), {"n": number})


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
