"""Operators: the real command, run as people and schedulers run it, interrupted and killed while it works."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from soak.commands import Ran, command
from soak.measure import Recorder
from soak.rows import Key, State
from soak.world import OWNER, World
from soak.writers import DELETE_SOURCE, Accounting

FILE_ROWS = 4000
_STILL_LOADING = """
select from pg_stat_activity
 where application_name = 'pgvec-admin' and state <> 'idle' and query ~ 'copy|staged|commit'
"""


class Operator(Accounting):
    """Runs commands as the owner of the database."""

    def __init__(self, world: World, recorder: Recorder, name: str) -> None:
        super().__init__(world, recorder, name, OWNER)

    def command(self, kind: str, *arguments: str, **how: Any) -> Ran:
        """See `commands.command`. It takes long: a loss of this worker's own connection would be noticed too late."""
        ran = command(self.world, self.recorder, kind, *arguments, **how)
        self.close()
        return ran

    def sees(self, query: str, *parameters: Any) -> bool:
        """Whether a query finds anything; not while the server is gone."""
        try:
            return self.connection().execute(query.encode(), parameters).rowcount > 0
        except psycopg.Error:
            return False


class Loader(Operator):
    """Loads files, often killed and resumed; then other texts for their rows; and deletes the rows of earlier ones."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        super().__init__(world, recorder, "loader")
        self._files: list[tuple[Path, list[Key]]] = []
        self._number = 0

    def step(self) -> None:
        """One file, from nothing to its second version."""
        self._number += 1
        path = self.world.folder / f"papers-{self._number}.jsonl"
        keys = [Key("papers", "", f"paper{self._number}-{place}") for place in range(FILE_ROWS)]
        self._files.append((path, keys))
        self._load(path, keys, 1)
        if not self.ended.is_set():
            self._load(path, keys, 2)
        if len(self._files) > 2 and not self.ended.is_set():
            old, gone = self._files.pop(0)
            parameters = (str(old), "papers", None)
            self.write("delete a file", gone, lambda _: None, lambda: self.execute(DELETE_SOURCE, parameters))
            old.unlink()

    def _load(self, path: Path, keys: list[Key], version: int) -> None:
        """Repeat until it runs to its end: only then is it certain what is stored."""
        with path.open("w") as file:
            for key in keys:
                document = self.world.document(key, version, version)
                del document["source"]
                file.write(json.dumps(document) + "\n")
        state = State(version, version, version)
        self.world.ledger.unknown(keys, lambda _: state)
        while not self.ended.is_set():
            faults = len(self.recorder.faults)
            wanted = self._resume_point(path)
            ran = self.command(
                "load", "load", str(path), "-c", "papers", "--batch", "1000", "--json",
                end_when=self._stored(path, self.drawn.randint(1, 3) * 1000) if self.drawn.random() < 0.5 else None,
            )  # fmt: skip
            if ran.well:
                self.world.ledger.acknowledged(keys, lambda _: state)
                resumed = json.loads(ran.output)["resumed"]
                if wanted is not None and resumed != wanted and len(self.recorder.faults) == faults:
                    self.recorder.answered_wrongly(f"load went on behind row {resumed}, and not behind {wanted}")
                return
            self.ended.wait(0.2)

    def _stored(self, path: Path, documents: int) -> Callable[[], bool]:
        """A condition: the load of a file has come so far."""
        query = "select from pgvec.resume_points('papers') where source = %s and position >= %s"
        return lambda: self.sees(query, str(path), documents)

    def _resume_point(self, path: Path) -> int | None:
        """Where the load has to continue; None where that is unknown."""
        try:
            connection = self.connection()
            while self.sees(_STILL_LOADING):  # a killed load may still be committing
                time.sleep(0.05)
            row = connection.execute(
                "select position from pgvec.resume_points('papers') where source = %s", (str(path),)
            ).fetchone()
        except psycopg.Error:
            return None
        return int(row[0]) if row else 0


class Indexer(Operator):
    """Builds, tunes and drops vector indexes, cancels builds, and counts words again."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        super().__init__(world, recorder, "indexer")

    def step(self) -> None:
        """One turn with one collection."""
        collection = self.drawn.choice(("papers", "papers", "notes", "members", "jobs"))
        lot = self.drawn.random()
        if lot < 0.5:
            by = signal.SIGINT if lot < 0.3 else signal.SIGKILL
            self.command("index create", "index", "create", collection, end_when=self._is_building, by=by)
        if self.ended.is_set():
            return
        storage = self.drawn.choice(((), (), ("--method", "hnsw", "--storage", "halfvec")))
        built = self.command("index create", "index", "create", collection, *storage).well
        # tuning searches, and the owner is of no tenant
        if built and collection != "members" and not self.ended.is_set():
            # more than is required in the end, since other questions measure it; not always reached, since rows
            # change between the exact answers and the searches that are compared with them
            tune = ("index", "tune", collection, "--queries", "100", "--recall", "0.99")
            self.command("index tune", *tune, verdict="is not reached")
        if not self.ended.is_set():
            self.command("collection refresh", "collection", "refresh", collection)
        if not self.ended.is_set() and self.drawn.random() < 0.7:
            self._drop(collection)

    def _is_building(self) -> bool:
        return self.sees("select from pg_stat_progress_create_index")

    def _drop(self, collection: str) -> None:
        with self.recorder.timed("vector_indexes"):
            rows = self.connection().execute("select name from pgvec.vector_indexes(%s)", (collection,)).fetchall()
        for (name,) in rows:
            self.command("index drop", "index", "drop", collection, name)


class Upgrader(Operator):
    """Applies releases with other functions, two operators at once; edits functions and rolls them back."""

    def __init__(self, world: World, recorder: Recorder, releases: Sequence[Path]) -> None:
        super().__init__(world, recorder, "upgrader")
        self._releases = releases
        self._turn = 0

    def step(self) -> None:
        """One release after the other; and between them, drift."""
        self._turn += 1
        release = self._releases[self._turn % len(self._releases)]
        with ThreadPoolExecutor(2) as pool:
            migrate = partial(self.command, "migrate", "migrate", "--overwrite-drift", checkout=release)
            for operator in [pool.submit(migrate) for _ in range(2)]:
                operator.result()
        if self.ended.is_set():
            return
        self._drift()
        self.command("migrate over drift", "migrate", "--overwrite-drift", checkout=release)
        rollback = ("functions", "rollback", "match_documents", "--yes")
        for _ in range(2):  # there, and back again
            if not self.ended.is_set():
                self.command("functions rollback", *rollback, checkout=release)

    def _drift(self) -> None:
        """Edit a function in the database, as a person in a hurry would."""
        connection = self.connection()
        with self.recorder.timed("edit a function"):
            row = connection.execute(
                "select pg_get_functiondef(oid) from pg_proc where oid = 'public.match_documents'::regproc"
            ).fetchone()
            assert row
            text = str(row[0]).replace("\nbegin\n", f"\nbegin\n  -- edited {self._turn}\n", 1)
            connection.execute("select '[1]'::extensions.vector")
            connection.execute(text.encode())
