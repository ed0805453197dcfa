"""What load and its command tell and refuse: bad rows, roles, the way they are called."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from command import COMMAND
from conftest import Connection
from pgvec_admin.errors import DataRejectedError, PgvecError
from pgvec_admin.loading import lanes, load, readers
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


def test_a_text_that_is_indexed_in_part_is_stored_and_named(documents: Connection, tmp_path: Path) -> None:
    long = " ".join(f"w{number:06}" for number in range(160_000))
    file = jsonl(tmp_path / "long.jsonl", [{"id": "long", "content": long}, {"id": "short", "content": "tea"}])
    ran = subprocess.run(
        [COMMAND, "load", file, "--no-chunk", "--database-url", documents.info.dsn], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "row 'long' of documents has more words than can be indexed" in ran.stderr
    assert rows(documents, "id, length(content)") == [("long", len(long)), ("short", 3)]
    found = documents.execute("select id from keyword_search('w000001')").fetchall()
    assert found == [("long",)]
