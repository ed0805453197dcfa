"""Loading: again without a change, after an edit, past bad rows, and through a kill, with nothing lost or doubled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import Connection
from pgvec_admin.loading import lanes, load, readers
from pgvec_admin.loading.chunk import Chunking
from pgvec_admin.loading.load import LoadResult
from pgvec_admin.loading.reading import LoadOptions
from pgvec_admin.loading.staging import Rejected
from traces import traces

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


# ---- rows of tables


def test_rows_arrive_with_their_metadata_ids_and_vectors(documents: Connection, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "rows.jsonl",
        [
            {"id": "a", "content": "tea", "lang": "en", "year": 2020, "embedding": [1, 0.5, 0]},
            {
                "id": 7,
                "content": "Tee \u2615 'quoted'\ttab",
                "lang": "de",
                "tags": ["x", {"y": None}],
                "embedding": None,
            },
        ],
    )
    assert counts(load_paths(documents, file)) == (2, 0, 0, 0)
    assert rows(
        documents, "id, source, chunk_index, content, metadata, embedding::text, embedded_hash = content_hash"
    ) == [
        ("7", str(file), None, "Tee \u2615 'quoted'\ttab", {"lang": "de", "tags": ["x", {"y": None}]}, None, None),
        ("a", str(file), None, "tea", {"lang": "en", "year": 2020}, "[1,0.5,0]", True),
    ]


def test_loading_the_same_again_changes_nothing_at_all(documents: Connection, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "rows.jsonl", [{"content": f"text {n}", "n": n, "embedding": [n, 1, 0]} for n in range(10)])
    assert counts(load_paths(documents, file)) == (10, 0, 0, 0)
    before = rows(documents, "xmin, ctid, *")
    assert counts(load_paths(documents, file)) == (0, 0, 10, 0)
    assert rows(documents, "xmin, ctid, *") == before


def test_a_changed_row_is_updated_and_its_embedding_is_stale_exactly_when_its_text_changed(
    documents: Connection, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    vector = {"embedding": [1, 0, 0]}
    jsonl(file, [{"id": i, "content": f"text {i}", "n": 1} | vector for i in "abcd"])
    load_paths(documents, file)
    jsonl(
        file,
        [
            {"id": "a", "content": "text a", "n": 1},
            {"id": "b", "content": "another text", "n": 1},
            {"id": "c", "content": "text c", "n": 2},
            {"id": "d", "content": "new text and vector", "n": 1, "embedding": [0, 1, 0]},
        ],
    )
    assert counts(load_paths(documents, file)) == (0, 3, 1, 0)
    assert rows(documents, "id, content, metadata->'n', embedding::text, embedded_hash = content_hash") == [
        ("a", "text a", 1, "[1,0,0]", True),
        ("b", "another text", 1, "[1,0,0]", False),
        ("c", "text c", 2, "[1,0,0]", True),
        ("d", "new text and vector", 1, "[0,1,0]", True),
    ]


def test_rows_without_an_id_are_numbered_and_a_shorter_file_removes_what_it_lost(
    documents: Connection, tmp_path: Path
) -> None:
    file = jsonl(tmp_path / "rows.jsonl", [{"content": f"text {n}"} for n in range(8)])
    documents.execute(
        "insert into documents (id, source, chunk_index, content) values ('mine', %s, 99, 'x')", (str(file),)
    )
    load_paths(documents, file)
    assert rows(documents, "id", "chunk_index") == [(f"{file}#{n}",) for n in range(8)] + [("mine",)]
    jsonl(file, [{"content": f"text {n}"} for n in range(5)])
    assert counts(load_paths(documents, file)) == (0, 0, 5, 3)
    assert rows(documents, "id", "chunk_index") == [(f"{file}#{n}",) for n in range(5)] + [("mine",)]


def test_rows_with_ids_of_their_own_are_never_removed(documents: Connection, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "rows.jsonl", [{"id": n, "content": f"text {n}"} for n in range(8)])
    load_paths(documents, file)
    jsonl(file, [{"id": 8, "content": "a new one"}])
    assert counts(load_paths(documents, file)) == (1, 0, 0, 0)
    assert len(rows(documents)) == 9


def test_parquet_vectors_arrive_exactly(documents: Connection, tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    file = tmp_path / "rows.parquet"
    table = pa.table(
        {
            "id": range(50),
            "text": [f"t{n}" for n in range(50)],
            "embedding": pa.array(list(vectors), pa.list_(pa.float32())),
        }
    )
    pq.write_table(table, file)
    assert counts(load_paths(documents, file)) == (50, 0, 0, 0)
    stored = np.array([json.loads(row[0]) for row in rows(documents, "embedding::text", "id::int")], dtype=np.float32)
    assert np.array_equal(stored, vectors)
    assert counts(load_paths(documents, file)) == (0, 0, 50, 0)


def test_half_precision_is_the_same_when_it_is_loaded_again(connection: Connection, tmp_path: Path) -> None:
    connection.execute("select pgvec.create_collection('documents', 3, storage => 'halfvec')")
    rejected: list[Rejected] = []
    file = jsonl(
        tmp_path / "rows.jsonl",
        [
            {"id": "a", "content": "a", "embedding": [0.1, 0.2, 0.3]},
            {"id": "b", "content": "b", "embedding": [1e6, 0, 0]},
            {"id": "c", "content": "c", "embedding": [1e-9, 0, 0]},
        ],
    )
    assert counts(load_paths(connection, file, rejected=rejected)) == (1, 0, 0, 0)
    assert [(bad.line, bad.reason) for bad in rejected] == [
        (2, "its embedding has an infinite value, or one too large for halfvec"),
        (3, "its embedding is a zero vector"),
    ]
    assert counts(load_paths(connection, file, rejected=rejected)) == (0, 0, 1, 0)


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


# ---- what changed in the files, and what is gone from them


@pytest.mark.parametrize("chunked", [False, True])
def test_a_row_without_an_id_keeps_its_vector_wherever_others_are_inserted(
    documents: Connection, tmp_path: Path, chunked: bool
) -> None:
    options: dict[str, Any] = {"chunk_rows": chunked, "chunking": Chunking(200, 0)}
    texts = [f"text {n}" for n in range(10)]
    file = jsonl(tmp_path / "rows.jsonl", [{"content": text} for text in texts])
    load_paths(documents, file, **options)
    documents.execute("update documents set embedding = array[1, chunk_index + 1, 0]::extensions.vector")
    before = dict(rows(documents, "content, array[id, embedding::text]"))
    for place, new in ((0, "above"), (4, "between"), (12, "below")):
        texts.insert(place, new)
        jsonl(file, [{"content": text} for text in texts])
        result = load_paths(documents, file, **options)
        assert (result.inserted, result.updated, result.removed) == (1, 0, 0)
    after = dict(rows(documents, "content, array[id, embedding::text]"))
    assert {text: after[text] for text in before} == before
    assert [after[text][1] for text in ("above", "between", "below")] == [None] * 3
    # one is removed, one is there twice
    texts.remove("text 3")
    jsonl(file, [{"content": text} for text in [*texts, "text 5"]])
    result = load_paths(documents, file, **options)
    assert (result.inserted, result.updated, result.removed) == (1, 0, 1)
    assert sorted(row[0] for row in rows(documents, "content")) == sorted([*texts, "text 5"])


def test_an_inserted_paragraph_has_no_vector_of_another_text(documents: Connection, tmp_path: Path) -> None:
    folder = handbook(tmp_path / "handbook", food="\n\n".join(PARAGRAPHS))
    load_paths(documents, folder, chunking=SMALL)
    documents.execute("update documents set embedding = array[1, chunk_index + 1, 0]::extensions.vector")
    handbook(folder, food="\n\n".join(["A new paragraph comes first and is quite new here.", *PARAGRAPHS]))
    load_paths(documents, folder, chunking=SMALL)
    assert rows(documents, "embedding::text", "chunk_index") == [(None,)] + [(f"[1,{n},0]",) for n in range(1, 7)]
    # the text that took the place of another one keeps that one's vector until there is its own
    handbook(folder, food="\n\n".join(["An edited paragraph comes first and is edited here.", *PARAGRAPHS[1:]]))
    documents.execute("update documents set embedding = '[0,0,1]' where embedding is null")
    load_paths(documents, folder, chunking=SMALL)
    first = rows(documents, "embedding::text, embedded_hash = content_hash", "chunk_index")[0]
    assert first == ("[0,0,1]", False)


def test_rows_that_are_gone_from_a_file_are_told_and_pruned(documents: Connection, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "rows.jsonl", [{"id": n, "content": f"text {n}"} for n in range(5)])
    documents.execute("insert into documents (id, source, chunk_index, content) values ('mine', 'x', 1, 'mine')")
    load_paths(documents, file)
    jsonl(file, [{"id": 0, "content": ""}, {"id": 1, "content": "text 1"}, {"id": 2, "content": "text 2"}])
    told: list[str] = []
    rejected: list[Rejected] = []
    result = load_paths(documents, file, tell=told.append, rejected=rejected)
    assert (result.gone, result.removed, len(rejected)) == (3, 0, 1)
    assert told == [f"{file}: 3 stored rows are no longer in it"]
    result = load_paths(documents, file, rejected=rejected, prune=True)
    assert (result.gone, result.removed) == (0, 3)
    assert [row[0] for row in rows(documents, "id")] == ["1", "2", "mine"]
    jsonl(file, ["{broken", {"id": 1, "content": "text 1"}])
    assert load_paths(documents, file, rejected=rejected, prune=True).gone == 1
    assert len(rows(documents)) == 3


def test_files_that_are_gone_or_empty_are_told_and_pruned(
    documents: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = handbook(Path("handbook"), food=PARAGRAPHS[0], drink=PARAGRAPHS[1], salt=PARAGRAPHS[2])
    jsonl(folder / "rows.jsonl", [{"id": "a", "content": "a"}])
    jsonl(folder / "more.jsonl", [{"content": "b"}])
    documents.execute("insert into documents (id, source, content) values ('x', 'handbook/of.another', 'x')")
    load_paths(documents, folder)
    (folder / "food.md").unlink()
    (folder / "rows.jsonl").unlink()
    (folder / "drink.md").write_text("")
    told: list[str] = []
    rejected: list[Rejected] = []
    assert load_paths(documents, folder, tell=told.append, rejected=rejected).gone == 3
    assert sorted(line.split(":")[0] for line in told) == [
        "handbook/drink.md",
        "handbook/food.md",
        "handbook/rows.jsonl",
    ]
    assert load_paths(documents, folder, prune=True, rejected=rejected).removed == 3
    assert [row[0] for row in rows(documents, "source")] == [
        "handbook/more.jsonl",
        "handbook/salt.md",
        "handbook/of.another",
    ]


def test_what_is_pruned_leaves_nothing_of_itself(
    documents: Connection, administrator: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither rows nor words, nor what waited to be embedded or had failed, nor how far its file was loaded."""
    documents.execute("select pgvec.bind_model('documents', 'openai:test', 3)")
    monkeypatch.chdir(tmp_path)
    folder = handbook(Path("handbook"), food=PARAGRAPHS[0], drink=PARAGRAPHS[1])
    secret = "the zilpzalp sings"
    (folder / "zilpzalp.md").write_text("\n\n".join(f"{secret} number {n} of many songs." for n in range(20)))
    jsonl(folder / "rows.jsonl", [{"id": "zilpzalp", "content": secret}, {"id": "b", "content": "b"}])
    for large in (False, True):
        load_paths(documents, folder, chunking=SMALL)
        # a row that has failed for good, and a load that was interrupted
        documents.execute(
            "select pgvec.fail_jobs('documents', array['zilpzalp'], array[md5(%s)], array[%s])", (secret, secret)
        )
        documents.execute("update pgvec.embedding_jobs set due_at = 'infinity' where id = 'zilpzalp'")
        last = rows(documents, "max(id) filter (where id like '%/zilpzalp.md#%')", "1")[0][0]
        documents.execute("select pgvec.note_load('documents', 'handbook/zilpzalp.md', 'f', 5, %s)", (last,))
        if large:
            documents.execute("update pgvec.collections set settings = '{\"live_statistics\": 0}'")
            documents.execute("select pgvec.set_owner('documents', 'people')")
            documents.execute("select pgvec.refresh_statistics('documents')")
        assert {"documents", "pgvec.embedding_jobs", "pgvec.lexemes", "pgvec.loads"} <= traces(
            administrator, "zilpzalp"
        ).keys()
        (folder / "zilpzalp.md").rename(tmp_path / "away.md")
        jsonl(folder / "rows.jsonl", [{"id": "b", "content": "b"}])
        load_paths(documents, folder, chunking=SMALL, prune=True)
        assert traces(administrator, "zilpzalp") == {}
        assert len(rows(documents)) > 2
        (tmp_path / "away.md").rename(folder / "zilpzalp.md")
        jsonl(folder / "rows.jsonl", [{"id": "zilpzalp", "content": secret}, {"id": "b", "content": "b"}])
        documents.execute("create table if not exists people (id uuid primary key)")


def test_one_id_in_two_files_is_told(documents: Connection, tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", [{"id": n, "content": f"one {n}"} for n in range(5)])
    two = jsonl(tmp_path / "two.jsonl", [{"id": n, "content": f"two {n}"} for n in range(3, 9)])
    told: list[str] = []
    load_paths(documents, one, two, tell=told.append)
    assert told == [f"2 ids of {two} are in {one} too: the rows of the later file count"]
    assert len(rows(documents)) == 9


def test_a_row_is_never_stored_both_whole_and_in_chunks(documents: Connection, tmp_path: Path) -> None:
    lines: list[Row | str] = [{"id": n, "content": "\n\n".join(PARAGRAPHS)} for n in range(5)]
    file = jsonl(tmp_path / "rows.jsonl", lines)
    for _ in range(2):
        load_paths(documents, file)
        assert [row[0] for row in rows(documents, "id")] == list("01234")
        load_paths(documents, file, chunking=SMALL, chunk_rows=True)
        assert sorted({row[0] for row in rows(documents, "id")}) == [f"{n}#{k}" for n in range(5) for k in range(6)]


def test_what_is_refused_leaves_its_earlier_version_whole(documents: Connection, tmp_path: Path) -> None:
    text = tmp_path / "long.md"
    text.write_text("\n\n".join(f"paragraph {number} " + "of words " * 20 for number in range(20)))
    table = jsonl(tmp_path / "rows.jsonl", [{"content": f"row {number}"} for number in range(3)])
    load_paths(documents, text, chunking=Chunking(300, 0))
    load_paths(documents, table)
    before = rows(documents, "id, content")
    assert len(before) > 10
    documents.execute("alter table documents add check (length(content) < 400 and content <> 'other') not valid")
    rejected: list[Rejected] = []
    load_paths(documents, text, rejected=rejected, chunking=None)
    assert len(rejected) == 1
    assert rows(documents, "id, content") == before

    # one chunk of several is refused
    text.write_text(text.read_text() + "\n\nother")
    documents.execute("alter table documents add check (content !~ 'other') not valid")
    assert load_paths(documents, text, rejected=rejected, chunking=Chunking(200, 0)).inserted == 0
    assert rows(documents, "id, content") == before

    # a row without an id, whose text is another now
    jsonl(table, [{"content": "row 0"}, {"content": "other"}, {"content": "row 2"}])
    load_paths(documents, table, rejected=rejected, prune=True)
    assert rows(documents, "id, content") == before


def test_a_file_of_a_folder_that_cannot_be_read_is_told_and_the_others_are_loaded(
    documents: Connection, tmp_path: Path
) -> None:
    jsonl(tmp_path / "a.jsonl", [{"content": "a"}])
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "c.csv").write_text("no,text of ours\n1,2\n")
    (tmp_path / "d.json").write_text("[")
    jsonl(tmp_path / "e.jsonl", [{"content": "e"}])
    rejected: list[Rejected] = []
    result = load_paths(documents, tmp_path, rejected=rejected)
    assert (result.inserted, result.rejected) == (2, 3)
    assert [(Path(bad.file).name, bad.line) for bad in rejected] == [("b.parquet", 0), ("c.csv", 0), ("d.json", 0)]
    assert all(bad.reason.startswith(("cannot be read", "has no column")) for bad in rejected)


def test_the_table_is_analyzed_at_the_end(documents: Connection, tmp_path: Path) -> None:
    load_paths(documents, jsonl(tmp_path / "rows.jsonl", [{"content": f"text {n}"} for n in range(50)]))
    assert documents.execute("select reltuples from pg_class where oid = 'documents'::regclass").fetchone() == (50,)
