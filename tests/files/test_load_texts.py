"""Folders of texts are loaded in chunks that know their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import Connection
from pgvec_admin.loading import lanes, load, readers
from pgvec_admin.loading.chunk import Chunking
from pgvec_admin.loading.load import LoadResult
from pgvec_admin.loading.reading import LoadOptions
from pgvec_admin.loading.staging import Rejected

Row = dict[str, Any]


@pytest.fixture
def documents(connection: Connection) -> Connection:
    """A connection to a database with an empty collection `documents` of three dimensions."""
    connection.execute("select pgvec.create_collection('documents', 3)")
    return connection


def rows(connection: Connection, columns: str = "*", order: str = "id") -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from documents order by {order}".encode()).fetchall()


def jsonl(path: Path, lines: list[Row | str]) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


@pytest.fixture(autouse=True, params=[1, 2], ids=["one lane", "two lanes"])
def lane_count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Everything is loaded in batches too small for two lanes, and again as if they were large enough."""
    if request.param == 2:
        monkeypatch.setattr(lanes, "LEAST_ROWS", 1)
    return int(request.param)


def load_paths(
    connection: Connection, *paths: Path, rejected: list[Rejected] | None = None, **options: Any
) -> LoadResult:
    """Load files with small batches; bad rows go to `rejected`, or fail the test."""
    behaviour = {key: options.pop(key) for key in ("restart", "strict", "tell") if key in options}

    def reject(bad: Rejected) -> None:
        assert rejected is not None, bad
        rejected.append(bad)

    info = connection.info
    with psycopg.connect(info.dsn, password=info.password, autocommit=True) as second:
        return load.load_files(
            connection,
            "documents",
            readers.inputs([str(path) for path in paths], None),
            LoadOptions(**{"batch": 3, **options}),
            reject=reject,
            another=lambda: second,
            **behaviour,
        )


def counts(result: LoadResult) -> tuple[int, int, int, int]:
    return result.inserted, result.updated, result.unchanged, result.removed


# ---- texts


def handbook(directory: Path, **texts: str) -> Path:
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / f"{name}.md").write_text(text)
    return directory


PARAGRAPHS = [f"Paragraph {n} is about {word} and nothing else at all." for n, word in enumerate(
    ["tea", "coffee", "bread", "cheese", "wine", "salt"]
)]  # fmt: skip
SMALL = Chunking(60, 0)


def test_a_folder_of_texts_becomes_chunks_that_know_their_place(documents: Connection, tmp_path: Path) -> None:
    folder = handbook(tmp_path / "handbook", food="# Food\n\n" + "\n\n".join(PARAGRAPHS), other="# Other\n\nShort.")
    load_paths(documents, folder, chunking=SMALL)
    found = rows(documents, "id, source, chunk_index, metadata->>'path', metadata->>'title'", "source, chunk_index")
    food, other = str(folder / "food.md"), str(folder / "other.md")
    assert found[-1] == (f"{other}#0", other, 0, other, "Other")
    assert [row[:3] for row in found[:-1]] == [(f"{food}#{n}", food, n) for n in range(len(found) - 1)]
    assert len(found) >= 7
    text = " ".join(row[0] for row in rows(documents, "content", "source, chunk_index"))
    assert all(paragraph in text for paragraph in PARAGRAPHS)


def test_an_edited_file_replaces_exactly_its_own_chunks_and_keeps_the_vectors_of_those_that_moved(
    documents: Connection, tmp_path: Path
) -> None:
    folder = handbook(tmp_path / "handbook", food="\n\n".join(PARAGRAPHS), other="Untouched, whole and short.")
    load_paths(documents, folder, chunking=SMALL)
    documents.execute("update documents set embedding = array[1, chunk_index + 1, 0]::extensions.vector")
    other = rows(documents, "xmin, *", "id")[-1]

    handbook(folder, food="\n\n".join(["A new paragraph comes first and is quite new here.", *PARAGRAPHS[1:]]))
    result = load_paths(documents, folder, chunking=SMALL)
    assert counts(result) == (0, 1, 6, 0)

    handbook(folder, food="\n\n".join(PARAGRAPHS[2:]))
    result = load_paths(documents, folder, chunking=SMALL)
    assert (result.removed, result.updated) == (2, 4)
    found = rows(documents, "content, embedding::text, embedded_hash = content_hash", "source, chunk_index")
    # the remaining four moved up by two, each with the vector of its own text
    assert found[:4] == [(PARAGRAPHS[n], f"[1,{n + 1},0]", True) for n in range(2, 6)]
    assert rows(documents, "xmin, *", "id")[-1] == other


def test_texts_may_stay_whole_and_rows_of_tables_may_be_cut(documents: Connection, tmp_path: Path) -> None:
    folder = handbook(tmp_path / "handbook", food="\n\n".join(PARAGRAPHS))
    assert load_paths(documents, folder, chunking=None).inserted == 1
    file = jsonl(
        tmp_path / "rows.jsonl", [{"id": "d", "content": "\n\n".join(PARAGRAPHS), "n": 1}, {"content": PARAGRAPHS[0]}]
    )
    assert load_paths(documents, file, chunking=SMALL, chunk_rows=True).inserted == 7
    assert rows(documents, "id, source, metadata", "id")[-6:] == [(f"d#{n}", "d", {"n": 1}) for n in range(6)]
    jsonl(file, [{"id": "d", "content": "\n\n".join(PARAGRAPHS[:2]), "n": 1}, {"content": PARAGRAPHS[0]}])
    assert counts(load_paths(documents, file, chunking=SMALL, chunk_rows=True)) == (0, 0, 3, 4)
