"""Loads that are killed, cut off, and made two at a time: nothing is lost or doubled."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from command import COMMAND
from conftest import Connection
from pgvec_admin.loading import lanes, load, readers
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


# ---- interrupted


def big_file(path: Path, number: int) -> Path:
    return jsonl(path, [{"content": f"text number {n}", "n": n, "embedding": [n + 1, 1, 0]} for n in range(number)])


def whole(connection: Connection, file: Path, number: int) -> bool:
    found = rows(connection, "id, metadata, embedding::text", "chunk_index")
    return found == [(f"{file}#{n}", {"n": n}, f"[{n + 1},1,0]") for n in range(number)]


def start(database: str, file: Path, batch: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "load", file, "--batch", str(batch), "--database-url", database, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def batch(lane_count: int) -> int:
    """Rows of a batch of the command, which loads only large ones in two lanes; its files have eight batches."""
    return 1000 if lane_count == 2 else 100


@pytest.fixture
def stopped(
    documents: Connection, database: str, tmp_path: Path, batch: int
) -> Callable[[int], tuple[subprocess.Popen[str], Path]]:
    """Starts a load that the database blocks after so many batches, in the middle of the next."""

    def begin(batches: int) -> tuple[subprocess.Popen[str], Path]:
        documents.execute(
            """
            create function hold() returns trigger language plpgsql as $$
            begin
              if (new.metadata ->> 'n')::int = tg_argv[0]::int then perform pg_advisory_lock(4711); end if;
              return new;
            end $$
            """
        )
        before = batches * batch
        number = before + batch // 3
        documents.execute(
            f"create trigger hold before insert on documents for each row execute function hold({number})".encode()
        )
        documents.execute("select pg_advisory_lock(4711)")
        file = big_file(tmp_path / "big.jsonl", 8 * batch)
        process = start(database, file, batch)
        held = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while documents.execute(f"select ({held}), count(*) from documents".encode()).fetchone() != (1, before):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        return process, file

    return begin


def free(documents: Connection) -> None:
    """Remove the block."""
    documents.execute("select pg_advisory_unlock(4711)")
    documents.execute("drop trigger hold on documents")


def test_a_killed_load_goes_on_where_it_was_and_nothing_is_lost_or_doubled(
    documents: Connection, database: str, stopped: Callable[[int], tuple[subprocess.Popen[str], Path]], batch: int
) -> None:
    process, file = stopped(5)
    process.kill()
    process.communicate()
    documents.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted")
    assert len(rows(documents)) == 5 * batch
    free(documents)

    again = start(database, file, batch)
    out, err = again.communicate()
    told = json.loads(out)
    assert again.returncode == 0, err
    assert (told["resumed"], told["inserted"], told["unchanged"]) == (5 * batch, 3 * batch, 0)
    assert whole(documents, file, 8 * batch)
    assert documents.execute("select count(*) from pgvec.loads").fetchone() == (0,)


def test_a_resume_point_is_not_trusted_when_the_rows_are_gone_or_the_file_changed(
    documents: Connection, database: str, stopped: Callable[[int], tuple[subprocess.Popen[str], Path]], batch: int
) -> None:
    process, file = stopped(5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, "interrupted" in err) == (130, True)
    free(documents)
    assert documents.execute("select position from pgvec.resume_points('documents')").fetchone() == (5 * batch,)

    documents.execute("truncate documents")
    out, _ = start(database, file, batch).communicate()
    assert (json.loads(out)["resumed"], json.loads(out)["inserted"]) == (0, 8 * batch)
    assert whole(documents, file, 8 * batch)


def test_a_connection_that_is_cut_is_told_with_exit_code_3_and_the_load_goes_on_later(
    documents: Connection, database: str, stopped: Callable[[int], tuple[subprocess.Popen[str], Path]], batch: int
) -> None:
    process, file = stopped(3)
    documents.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
    )
    _, err = process.communicate()
    assert process.returncode == 3, err
    assert len(err.splitlines()[-2:]) == 2
    assert err.splitlines()[-1].startswith("hint: run the same command again")
    free(documents)
    out, _ = start(database, file, batch).communicate()
    assert json.loads(out)["resumed"] == 3 * batch
    assert whole(documents, file, 8 * batch)


def test_two_operators_who_load_the_same_file_at_once_do_not_disturb_each_other(
    documents: Connection, database: str, tmp_path: Path
) -> None:
    file = big_file(tmp_path / "big.jsonl", 2000)
    ready = threading.Barrier(4)

    def run(_: int) -> LoadResult:
        with psycopg.connect(database, autocommit=True) as mine:
            ready.wait(60)
            return load_paths(mine, file, batch=100)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(4)))
    assert all(result.rows + result.resumed >= 2000 for result in results)
    assert whole(documents, file, 2000)


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


def test_many_small_files_share_their_transactions(documents: Connection, tmp_path: Path) -> None:
    documents.execute("alter table documents add column transaction text default pg_current_xact_id()::text")
    for n in range(200):
        (tmp_path / f"{n:03}.json").write_text(json.dumps({"content": f"text {n}"}))
    load_paths(documents, tmp_path, batch=100)
    assert documents.execute("select count(distinct transaction), count(*) from documents").fetchone() == (2, 200)
    assert load_paths(documents, tmp_path, batch=100).unchanged == 200
