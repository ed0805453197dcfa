"""Loading: again without a change, after an edit, past bad rows, and through a kill, with nothing lost or doubled."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command import COMMAND
from conftest import Connection
from pgvec_admin.errors import DataRejectedError, PgvecError
from pgvec_admin.loading import lanes, load, readers
from pgvec_admin.loading.chunk import Chunking
from pgvec_admin.loading.load import LoadResult
from pgvec_admin.loading.reading import LoadOptions
from pgvec_admin.loading.records import Record
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


# ---- bad rows


def test_bad_rows_are_told_with_file_and_line_and_the_others_are_stored(documents: Connection, tmp_path: Path) -> None:
    good = [{"id": f"good {n}", "content": "text", "embedding": [1, n, 0]} for n in range(6)]
    bad: list[Row | str] = [
        '{"id": 1, "content": "cut',
        {"id": 2, "content": "x", "embedding": [1, 2]},
        {"id": 3, "content": "x", "embedding": [1, float("nan"), 0]},
        {"id": 4, "content": "x", "embedding": [1e39, 0, 0]},
        {"id": 5, "content": "x", "embedding": [0, 0, 0]},
        {"id": 6, "content": "  "},
        {"id": 7, "content": "nul \u0000 inside"},
        {"id": "good 0", "content": "twice"},
        {"id": "i" * 3000 + os.urandom(2000).hex(), "content": "an id that no index can hold"},
        {"id": 10, "content": "x", "embedding": [10**400, 0, 0]},
    ]
    file = jsonl(tmp_path / "rows.jsonl", [*good[:4], *bad, *good[4:]])
    rejected: list[Rejected] = []
    result = load_paths(documents, file, rejected=rejected)
    assert (result.inserted, result.rejected) == (6, 10)
    assert [row[0] for row in rows(documents, "id")] == [f"good {n}" for n in range(6)]
    told = {bad.line: bad.reason for bad in rejected}
    assert sorted(told) == list(range(5, 15))
    assert str(next(bad for bad in rejected if bad.line == 5)).startswith(f"{file}:5: not JSON")
    expected = {
        6: "2 dimensions, collection 'documents' has 3",
        7: "NaN",
        8: "infinite",
        9: "zero vector",
        10: "content",
        11: "NUL",
        12: "id 'good 0' was in line 1 already",
        13: "index row",
        14: "infinite",
    }
    for line, part in expected.items():
        assert part in told[line], (line, told[line])


def test_a_constraint_of_the_users_own_rejects_its_row_alone(documents: Connection, tmp_path: Path) -> None:
    documents.execute("alter table documents add constraint polite check (content !~ 'damn')")
    file = jsonl(tmp_path / "rows.jsonl", [{"id": n, "content": "damn" if n == 5 else "well"} for n in range(9)])
    rejected: list[Rejected] = []
    assert load_paths(documents, file, rejected=rejected, batch=100).inserted == 8
    assert [(bad.line, bad.row["id"]) for bad in rejected] == [(6, "5")]
    assert "polite" in rejected[0].reason


def test_strict_stops_at_the_first_bad_row_and_keeps_the_batches_before(documents: Connection, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "rows.jsonl", [*({"content": f"t{n}"} for n in range(7)), "{", {"content": "after"}])
    with pytest.raises(DataRejectedError, match=re.escape(f"{file}:8: not JSON")):
        load_paths(documents, file, strict=True)
    assert len(rows(documents)) == 6
    jsonl(file, [{"content": f"t{n}"} for n in range(9)])
    assert counts(load_paths(documents, file, strict=True)) == (3, 0, 6, 0)


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


# ---- interrupted


def big_file(path: Path, number: int = 2000) -> Path:
    return jsonl(path, [{"content": f"text number {n}", "n": n, "embedding": [n + 1, 1, 0]} for n in range(number)])


def whole(connection: Connection, file: Path, number: int = 2000) -> bool:
    found = rows(connection, "id, metadata, embedding::text", "chunk_index")
    return found == [(f"{file}#{n}", {"n": n}, f"[{n + 1},1,0]") for n in range(number)]


def start(database: str, file: Path, scale: int = 1) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "load", file, "--batch", str(100 * scale), "--database-url", database, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def scale(lane_count: int) -> int:
    """The factor by which the files and batches of the command are larger, for two lanes."""
    return 10 if lane_count == 2 else 1


@pytest.fixture
def stopped(
    documents: Connection, database: str, tmp_path: Path, scale: int
) -> Callable[[int], tuple[subprocess.Popen[str], Path]]:
    """Starts a load that the database blocks in the middle, at the row of that number."""

    def begin(number: int) -> tuple[subprocess.Popen[str], Path]:
        documents.execute(
            """
            create function hold() returns trigger language plpgsql as $$
            begin
              if (new.metadata ->> 'n')::int = tg_argv[0]::int then perform pg_advisory_lock(4711); end if;
              return new;
            end $$
            """
        )
        documents.execute(
            f"create trigger hold before insert on documents for each row execute function hold({number})".encode()
        )
        documents.execute("select pg_advisory_lock(4711)")
        file = big_file(tmp_path / "big.jsonl", 2000 * scale)
        process = start(database, file, scale)
        held = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        before = number // (100 * scale) * 100 * scale
        while documents.execute(f"select ({held}), count(*) from documents".encode()).fetchone() != (1, before):
            assert process.poll() is None, process.communicate()
        return process, file

    return begin


def free(documents: Connection) -> None:
    """Remove the block."""
    documents.execute("select pg_advisory_unlock(4711)")
    documents.execute("drop trigger hold on documents")


def test_a_killed_load_goes_on_where_it_was_and_nothing_is_lost_or_doubled(
    documents: Connection, database: str, stopped: Callable[[int], tuple[subprocess.Popen[str], Path]], scale: int
) -> None:
    process, file = stopped(1234 * scale)
    process.kill()
    process.communicate()
    documents.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted")
    assert len(rows(documents)) == 1200 * scale
    free(documents)

    again = start(database, file, scale)
    out, err = again.communicate()
    told = json.loads(out)
    assert again.returncode == 0, err
    assert (told["resumed"], told["inserted"], told["unchanged"]) == (1200 * scale, 800 * scale, 0)
    assert whole(documents, file, 2000 * scale)
    assert documents.execute("select count(*) from pgvec.loads").fetchone() == (0,)


def test_a_resume_point_is_not_trusted_when_the_rows_are_gone_or_the_file_changed(
    documents: Connection, database: str, stopped: Callable[[int], tuple[subprocess.Popen[str], Path]], scale: int
) -> None:
    process, file = stopped(1234 * scale)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, "interrupted" in err) == (130, True)
    free(documents)
    assert documents.execute("select position from pgvec.resume_points('documents')").fetchone() == (1200 * scale,)

    documents.execute("truncate documents")
    out, _ = start(database, file, scale).communicate()
    assert (json.loads(out)["resumed"], json.loads(out)["inserted"]) == (0, 2000 * scale)
    assert whole(documents, file, 2000 * scale)


def test_a_connection_that_is_cut_is_told_with_exit_code_3_and_the_load_goes_on_later(
    documents: Connection, database: str, stopped: Callable[[int], tuple[subprocess.Popen[str], Path]], scale: int
) -> None:
    process, file = stopped(777 * scale)
    documents.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
    )
    _, err = process.communicate()
    assert process.returncode == 3, err
    assert len(err.splitlines()[-2:]) == 2
    assert err.splitlines()[-1].startswith("hint: run the same command again")
    free(documents)
    out, _ = start(database, file, scale).communicate()
    assert json.loads(out)["resumed"] == 700 * scale
    assert whole(documents, file, 2000 * scale)


def test_two_operators_who_load_the_same_file_at_once_do_not_disturb_each_other(
    documents: Connection, database: str, tmp_path: Path, scale: int
) -> None:
    file = big_file(tmp_path / "big.jsonl", 2000 * scale)
    ready = threading.Barrier(4)

    def run(_: int) -> LoadResult:
        with psycopg.connect(database, autocommit=True) as mine:
            ready.wait(60)
            return load_paths(mine, file, batch=100 * scale)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(4)))
    assert all(result.rows + result.resumed >= 2000 * scale for result in results)
    assert whole(documents, file, 2000 * scale)


def test_large_batches_of_new_rows_are_copied_two_at_a_time(
    documents: Connection, tmp_path: Path, lane_count: int
) -> None:
    documents.execute("alter table documents add column writer int default pg_backend_pid()")
    file = big_file(tmp_path / "big.jsonl", 100)
    assert counts(load_paths(documents, file, batch=10)) == (100, 0, 0, 0)
    assert documents.execute("select count(distinct writer) from documents").fetchone() == (lane_count,)
    assert whole(documents, file, 100)


def test_batches_that_are_in_each_others_way_are_stored_one_after_the_other(
    documents: Connection, tmp_path: Path
) -> None:
    documents.execute("create unique index on documents (content)")
    # the last row of a batch equals the first of the next
    lines: list[Any] = [{"id": str(n), "content": f"text {29 if n == 30 else n}"} for n in range(40)]
    rejected: list[Rejected] = []
    result = load_paths(documents, jsonl(tmp_path / "rows.jsonl", lines), batch=10, rejected=rejected)
    assert (result.inserted, [bad.line for bad in rejected]) == (39, [31])
    assert rows(documents, "id", "id::int") == [(str(n),) for n in range(40) if n != 30]


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


def test_many_small_files_share_their_transactions(documents: Connection, tmp_path: Path) -> None:
    documents.execute("alter table documents add column transaction text default pg_current_xact_id()::text")
    for n in range(200):
        (tmp_path / f"{n:03}.json").write_text(json.dumps({"content": f"text {n}"}))
    load_paths(documents, tmp_path, batch=100)
    assert documents.execute("select count(distinct transaction), count(*) from documents").fetchone() == (2, 200)
    assert load_paths(documents, tmp_path, batch=100).unchanged == 200


def test_the_table_is_analyzed_at_the_end(documents: Connection, tmp_path: Path) -> None:
    load_paths(documents, jsonl(tmp_path / "rows.jsonl", [{"content": f"text {n}"} for n in range(50)]))
    assert documents.execute("select reltuples from pg_class where oid = 'documents'::regclass").fetchone() == (50,)


def test_no_load_waits_for_the_index_that_is_built_and_would_wait_for_it(
    documents: Connection, database: str, tmp_path: Path
) -> None:
    """CREATE INDEX CONCURRENTLY holds this lock, and waits for every older snapshot."""
    with psycopg.connect(database) as builder:
        builder.execute("lock table documents in share update exclusive mode")
        documents.execute("set lock_timeout = '5s'")
        assert load_paths(documents, jsonl(tmp_path / "rows.jsonl", [{"content": "one"}])).inserted == 1


# ---- the command


def test_the_command_tells_what_it_did_and_writes_what_it_rejected(
    documents: Connection, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text(
        "nr,title,text,pay\n1,Cook,Cook for us.,30\n2,Clerk,,20\n3,Smith,Forge iron.,much\n4,Baker,Bake bread.,\n"
    )
    rejects = tmp_path / "rejected.jsonl"

    def run() -> subprocess.CompletedProcess[str]:
        options = ["--id", "nr", "--metadata", "title,pay:int", "--reject-to", str(rejects)]
        return subprocess.run(
            [COMMAND, "load", "jobs.csv", *options, "--database-url", database],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    first = run()
    assert (first.returncode, first.stdout) == (5, "")
    assert "jobs.csv:3: " in first.stderr
    assert "jobs.csv:4: pay: 'much' is not an int" in first.stderr
    assert "loaded into documents: 2 new in " in first.stderr
    assert first.stderr.splitlines()[-2:] == [
        "error: bad rows left out: 2",
        f"hint: they are in {rejects}, each with its reason",
    ]
    kept = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(bad["file"], bad["line"]) for bad in kept] == [("jobs.csv", 3), ("jobs.csv", 4)]
    assert kept[1]["row"]["title"] == "Smith"
    assert rows(documents, "id, content, metadata, source") == [
        ("1", "Cook for us.", {"title": "Cook", "pay": 30}, "jobs.csv"),
        ("4", "Bake bread.", {"title": "Baker", "pay": None}, "jobs.csv"),
    ]
    assert "2 unchanged" in run().stderr


def test_stdin_is_read_and_a_wrong_collection_or_file_is_a_usage_error(
    documents: Connection, database: str, tmp_path: Path
) -> None:
    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "load", *arguments, "--database-url", database],
            input=text,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert run("-", "--format", "jsonl", text='{"id": 1, "content": "from a pipe"}\n').returncode == 0
    assert rows(documents, "id, content, source") == [("1", "from a pipe", "-")]
    assert run("-").returncode == 2
    assert run("nowhere.csv").returncode == 2
    unknown = run("-", "--format", "jsonl", "-c", "nothing")
    assert (unknown.returncode, "there is no collection 'nothing'" in unknown.stderr) == (2, True)


def test_a_writer_may_load_and_a_reader_may_not(documents: Connection, as_role: Any, tmp_path: Path) -> None:
    file = jsonl(tmp_path / "rows.jsonl", [{"id": "a", "content": "x"}])
    with pytest.raises((psycopg.errors.InsufficientPrivilege, PgvecError)):
        load_paths(as_role("pgvec_reader"), file)
    assert load_paths(as_role("pgvec_writer"), file).inserted == 1


def test_records_of_a_program_are_stored_and_a_bad_one_is_refused(documents: Connection) -> None:
    made = [Record(id=f"r{n}", content=f"text {n}", metadata={"n": n}) for n in range(5)]
    assert counts(load.load_records(documents, "documents", made)) == (5, 0, 0, 0)
    assert counts(load.load_records(documents, "documents", made)) == (0, 0, 5, 0)
    with pytest.raises(DataRejectedError, match="2 dimensions"):
        load.load_records(documents, "documents", [Record(id="x", content="x", embedding=np.ones(2, np.float32))])
