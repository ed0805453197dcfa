"""Whether a load fits on the disk of the server, where that can be seen: a server on this machine."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pgvec_admin.database import Connection
from pgvec_admin.errors import CheckFailedError
from pgvec_admin.loading.sources import COMPRESSIBLE, Input

# a table takes at least this share of a file of rows: vectors as text shrink to a third of it and less
LEAST_SHARE = 0.25
SEEN = 0.01  # the share of the input after which its growth tells what the rest will take
PAUSE = 2.0  # seconds between looks


class Space:
    """Compares what a load takes with what the disk has left; knows nothing of servers elsewhere."""

    def __init__(self, connection: Connection, collection: str) -> None:
        self._connection, self._collection = connection, collection
        self._directory = data_directory(connection)
        self._size = self._before = self._measured() if self._directory else 0
        self._next = 0.0
        self._begun: float | None = None  # the share of the input that was read when its rows began to be stored

    def check_files(self, inputs: Sequence[Input]) -> None:
        """Raises CheckFailedError for files of rows that cannot fit, whatever is in them."""
        rows = sum(one.size for one in inputs if one.format in (*COMPRESSIBLE, "parquet"))
        self._check(LEAST_SHARE * rows - self._size, "at least")

    def check(self, done: float | None, *, now: bool = False) -> None:
        """After a batch, by what the rows up to it took: `done` is the share of the input that was read."""
        if self._directory is None or done is None or (not now and time.monotonic() < self._next):
            return
        self._next = time.monotonic() + PAUSE
        if self._begun is None:
            self._begun, self._before = done, self._measured()
            return
        grown = self._measured() - self._before
        if done - self._begun >= SEEN or now:
            self._check(grown / max(done - self._begun, 1e-12) * (1 - done), "about")

    def _check(self, needed: float, how: str) -> None:
        if self._directory is None:
            return
        free = shutil.disk_usage(self._directory).free
        if needed > free:
            left = f"the disk of the server has {free / 1e9:,.1f} GB left"
            raise CheckFailedError(
                f"the load needs {how} {needed / 1e9:,.1f} GB more; {left}",
                "make room and run the same command again: it goes on where it stopped",
            )

    def _measured(self) -> int:
        row = self._connection.execute(
            "select coalesce(sum(pg_total_relation_size(p)), 0)"
            " from pgvec.partitions((pgvec.collection(%s)).base) as p",
            (self._collection,),
        ).fetchone()
        return int(row[0]) if row else 0


def data_directory(connection: Connection) -> Path | None:
    """The data directory of the server, if it runs on this machine and both it and its place may be seen.

    A directory of that name may be another server's: the pid file in it tells the port and the time of the start.
    """
    row = connection.execute(
        "select case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end,"
        " current_setting('port'), extract(epoch from pg_postmaster_start_time())::float8"
    ).fetchone()
    if row is None or row[0] is None:
        return None
    directory = Path(row[0])
    try:
        lines = (directory / "postmaster.pid").read_text().splitlines()
        same = lines[3].strip() == row[1] and abs(int(lines[2]) - row[2]) <= 5
    except (OSError, ValueError, IndexError):
        return None
    return directory if same else None
