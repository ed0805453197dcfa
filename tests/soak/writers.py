"""Writers: each has its own rows and records them; some compete for the same ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from soak.ledger import Change
from soak.measure import Recorder
from soak.rows import ADOPTED, Key, State
from soak.workers import Worker
from soak.world import INSERT_ADOPTED, OWNER, UPSERT, WRITER, World, literal, source_of

ROWS = 400
DELETE_IDS = "select public.delete_documents(ids => %s, collection => %s, for_tenant => %s)"
DELETE_SOURCE = "select public.delete_documents(source => %s, collection => %s, for_tenant => %s)"


class Accounting(Worker):
    """A worker that records its operations in the ledger."""

    def write(self, kind: str, keys: Iterable[Key], change: Change, work: Callable[[], Any]) -> None:
        """Do it, and record it as done or as unknown; what the server refused is not done."""
        keys = list(keys)
        self.connection()  # without one, nothing is sent
        try:
            with self.recorder.timed(kind):
                work()
        except psycopg.Error as error:
            if error.diag.severity_nonlocalized != "ERROR":
                self.world.ledger.unknown(keys, change)
            raise
        self.world.ledger.acknowledged(keys, change)

    def execute(self, query: str, parameters: Any) -> None:
        """A statement, and so a transaction."""
        self.connection().execute(query.encode(), parameters)


class Writer(Accounting):
    """Upserts, updates and deletes in a collection made by create_collection."""

    def __init__(
        self, world: World, recorder: Recorder, name: str, collection: str, tenant: str = "", *, embeds: bool = True
    ) -> None:
        settings = {"app__tenant_id": tenant} if tenant else {}
        super().__init__(world, recorder, f"writer {name} of {collection} {tenant}", WRITER, **settings)
        self.collection = collection
        self.tenant = tenant
        self._embeds = embeds
        self._keys = [Key(collection, tenant, f"{name}-{number}") for number in range(ROWS)]
        self._version = 0

    def step(self) -> None:
        """An operation by lot."""
        self._version += 1
        work = (self._upsert, self._retext, self._update, self._delete, self._forget, self._together)
        self.drawn.choices(work, (12, 4, 4, 2, 1, 1))[0]()

    def _some(self, most: int) -> list[Key]:
        return self.drawn.sample(self._keys, self.drawn.randint(1, most))

    def _documents(self, keys: list[Key], *, embedded: bool) -> str:
        version = self._version
        return json.dumps([self.world.document(key, version, version if embedded else None) for key in keys])

    def _upsert(self) -> None:
        version, keys, tenant = self._version, self._some(20), self.tenant or None
        documents = self._documents(keys, embedded=self._embeds)

        def change(state: State | None) -> State:
            return State(version, version, version if self._embeds else state.vector if state else None)

        self.write("upsert", keys, change, lambda: self.execute(UPSERT, (documents, self.collection, tenant)))

    def _retext(self) -> None:
        """Another text; the embedding stays as it was."""
        version, keys, tenant = self._version, self._some(5), self.tenant or None
        documents = self._documents(keys, embedded=False)

        def change(state: State | None) -> State:
            return State(version, version, state.vector if state else None)

        self.write(
            "upsert, text alone", keys, change, lambda: self.execute(UPSERT, (documents, self.collection, tenant))
        )

    def _update(self) -> None:
        """Other metadata, by plain SQL."""
        version, (key,) = self._version, self._some(1)
        query = f"update public.{self.collection} set metadata = %s where id = %s"
        parameters = (json.dumps(self.world.rows.metadata(key, version)), key.id)

        def change(state: State | None) -> State | None:
            return state and State(state.text, version, state.vector)

        self.write("update", [key], change, lambda: self.execute(query, parameters))

    def _delete(self) -> None:
        keys = self._some(5)
        parameters = ([key.id for key in keys], self.collection, self.tenant or None)
        self.write("delete by id", keys, _gone, lambda: self.execute(DELETE_IDS, parameters))

    def _forget(self) -> None:
        source = source_of(self.drawn.choice(self._keys))
        keys = [key for key in self._keys if source_of(key) == source]
        parameters = (source, self.collection, self.tenant or None)
        self.write("delete by source", keys, _gone, lambda: self.execute(DELETE_SOURCE, parameters))

    def _together(self) -> None:
        """Two statements in one transaction: rows are deleted, and inserted again with another text."""
        version, keys, tenant = self._version, self._some(5), self.tenant or None
        documents = self._documents(keys, embedded=self._embeds)

        def work() -> None:
            with self.connection().transaction():
                self.execute(DELETE_IDS, ([key.id for key in keys], self.collection, tenant))
                self.execute(UPSERT, (documents, self.collection, tenant))

        self.write("transaction", keys, lambda _: State(version, version, version if self._embeds else None), work)


class AdoptedWriter(Accounting):
    """Plain SQL on the adopted table, whose rows another worker embeds."""

    def __init__(self, world: World, recorder: Recorder, first: int) -> None:
        super().__init__(world, recorder, f"writer of {ADOPTED} {first}", WRITER)
        self._keys = [Key(ADOPTED, "", str(first + number)) for number in range(ROWS)]
        self._version = 0

    def step(self) -> None:
        """An operation by lot."""
        self._version += 1
        self.drawn.choices((self._insert, self._update, self._delete), (3, 2, 1))[0]()

    def _insert(self) -> None:
        version, key = self._version, self.drawn.choice(self._keys)
        parameters = self.world.adopted(key, version, None)

        def change(state: State | None) -> State:
            return State(version, version, state.vector if state else None)

        self.write("insert, adopted", [key], change, lambda: self.execute(INSERT_ADOPTED, parameters))

    def _update(self) -> None:
        version, key = self._version, self.drawn.choice(self._keys)
        query = f"update public.{ADOPTED} set title = %(title)s, body = %(body)s where id = %(id)s"

        def change(state: State | None) -> State | None:
            return state and State(version, state.metadata, state.vector)

        self.write(
            "update, adopted", [key], change, lambda: self.execute(query, self.world.adopted(key, version, None))
        )

    def _delete(self) -> None:
        key = self.drawn.choice(self._keys)
        query = f"delete from public.{ADOPTED} where id = %s"
        self.write("delete, adopted", [key], _gone, lambda: self.execute(query, (key.id,)))


class Embedder(Worker):
    """Gives stale rows a vector, made from the text that was read; a row whose text changed meanwhile stays stale."""

    def __init__(self, world: World, recorder: Recorder, name: str, collections: list[str]) -> None:
        super().__init__(world, recorder, f"embedder {name}", OWNER)
        self._collections = collections

    def step(self) -> None:
        """A batch of one collection."""
        if not self.embed(self.drawn.choice(self._collections)):
            self.ended.wait(0.05)

    def embed(self, collection: str) -> int:
        """How many rows were stale."""
        connection = self.connection()
        with self.recorder.timed("stale_documents"):
            stale = connection.execute(
                "select id, content, content_hash from pgvec.stale_documents(%s, %s)", (collection, 50)
            ).fetchall()
        if stale:
            vectors = "{" + ",".join(f'"{literal(self.world.rows.embed(row[1]).tolist())}"' for row in stale) + "}"
            with self.recorder.timed("store_embeddings"):
                connection.execute(
                    "select pgvec.store_embeddings(%s, %s, %s, %s)",
                    (collection, [row[0] for row in stale], [row[2] for row in stale], vectors),
                )
        return len(stale)


class Rival(Worker):
    """One of several writers of the same rows, many at a time: they may wait for each other, and must not deadlock."""

    def __init__(self, world: World, recorder: Recorder, number: int) -> None:
        super().__init__(world, recorder, f"rival {number}", WRITER)
        self._keys = [Key("board", "", f"board-{place}") for place in range(40)]
        self._number = number
        self._version = number

    def step(self) -> None:
        """An upsert of some rows, a delete of some by id or source, or an update of some by a condition."""
        self._version += 100  # no other rival has this one
        version = self._version
        keys = self.drawn.sample(self._keys, 10)
        kind = self.drawn.choices(("upsert", "delete", "source", "filter"), (6, 1, 1, 1))[0]
        if kind == "upsert":
            self.world.ledger.contested(keys, State(version, version, version))
            documents = json.dumps([self.world.document(key, version, version) for key in keys])
            self._do("upsert, contested", UPSERT, (documents, "board", None))
        elif kind == "delete":
            self._do("delete by id, contested", DELETE_IDS, ([key.id for key in keys], "board", None))
        elif kind == "source":
            self._do("delete by source, contested", DELETE_SOURCE, (source_of(keys[0]), "board", None))
        else:
            filter_ = json.dumps({"fixed": False, "tenth": self.drawn.randrange(10)})
            query = "select public.delete_documents(filter => %s, collection => 'board')"
            self._do("delete by filter, contested", query, (filter_,))

    def _do(self, kind: str, query: str, parameters: Any) -> None:
        connection = self.connection()
        with self.recorder.timed(kind):
            connection.execute(query.encode(), parameters)


class Counter(Worker):
    """Counts the words of the rivals' rows again, and renews all their weights, while they compete."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        super().__init__(world, recorder, "counter", OWNER)

    def step(self) -> None:
        """Now and then."""
        connection = self.connection()
        with self.recorder.timed("refresh_statistics, contested"):
            connection.execute("select pgvec.refresh_statistics('board', null)")
        self.ended.wait(self.drawn.uniform(0.2, 2))


def _gone(_: State | None) -> None:
    return None
