"""Readers: searches whose answers are compared with known ones, where they can be known beforehand."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx
import numpy as np

from soak.measure import Recorder
from soak.rows import ANCHORS, FIXED, TENTHS, Rows, Vector, fixed_keys
from soak.workers import Worker
from soak.world import READER, World, literal, token

VECTOR = "select id, similarity, metadata from public.match_documents(%s, %s, %s, collection => %s)"
KEYWORD = "select id, score, metadata from public.keyword_search(%s, %s, %s, collection => %s)"
HYBRID = "select id, score, metadata from public.hybrid_search(%s, %s, %s, filter => %s, collection => %s)"

Found = Sequence[tuple[str, float, dict[str, Any]]]


@dataclass(frozen=True)
class Known:
    """The fixed rows of a collection, or of a tenant in it, which always exist."""

    collection: str
    tenant: str
    ids: list[str]
    vectors: Vector

    @classmethod
    def of(cls, rows: Rows, collection: str, tenant: str = "") -> Known:
        """Those of a collection."""
        keys = fixed_keys(collection, tenant)
        return cls(collection, tenant, [key.id for key in keys], np.stack([rows.vector(key, 0) for key in keys]))

    def nearest(self, question: Vector, tenths: list[int], count: int) -> list[str]:
        """The ids of the fixed rows of these tenths nearest to a question."""
        places = [place for place in range(FIXED) if place % TENTHS in tenths]
        order = np.argsort(-(self.vectors[places] @ question), kind="stable")[:count]
        return [self.ids[places[place]] for place in order]

    def anchored(self, anchor: int) -> set[str]:
        """The ids of the rows with this anchor in their text."""
        return {id_ for place, id_ in enumerate(self.ids) if place % ANCHORS == anchor}


class Reader(Worker):
    """Searches one collection in all ways, as a role that may only read."""

    def __init__(self, world: World, recorder: Recorder, collection: str, tenant: str = "") -> None:
        settings = {"app__tenant_id": tenant} if tenant else {}
        super().__init__(world, recorder, f"reader of {collection} {tenant}", READER, **settings)
        self.known = Known.of(world.rows, collection, tenant)

    def step(self) -> None:
        """A search of a random kind."""
        self.drawn.choice((self._nearest, self._filtered, self._filtered, self._keywords, self._anchored, self._both))()

    def _ask(self, kind: str, query: str, *parameters: Any) -> Found:
        connection = self.connection()
        with self.recorder.timed(f"{kind}, {self.known.collection}"):
            found: Found = connection.execute(query.encode(), parameters).fetchall()
        check_rows(self.recorder, self.known, kind, found)
        return found

    def _nearest(self) -> None:
        question, count = self.world.rows.question(self.drawn), self.drawn.choice((1, 10, 50))
        found = self._ask("vector", VECTOR, literal(question.tolist()), count, "{}", self.known.collection)
        check_count(self.recorder, self.known, "vector", found, count)

    def _filtered(self) -> None:
        question, count = self.world.rows.question(self.drawn), self.drawn.choice((10, 100))
        tenths = self.drawn.sample(range(TENTHS), self.drawn.choice((1, 3)))
        told = json.dumps({"fixed": True, "tenth": tenths[0] if len(tenths) == 1 else {"$in": tenths}})
        found = self._ask("vector, filter", VECTOR, literal(question.tolist()), count, told, self.known.collection)
        check_nearest(self.recorder, self.known, "vector, filter", found, self.known.nearest(question, tenths, count))

    def _keywords(self) -> None:
        words = self.world.rows.words(self.drawn, 6)
        self._ask("keyword", KEYWORD, words, 10, "{}", self.known.collection)

    def _anchored(self) -> None:
        anchor = self.drawn.randrange(ANCHORS)
        found = self._ask("keyword, known", KEYWORD, f"anchor{anchor}", 100, "{}", self.known.collection)
        if {row[0] for row in found} != self.known.anchored(anchor):
            self.recorder.answered_wrongly(
                f"anchor{anchor} in {self.known.collection}: {sorted(row[0] for row in found)}"
            )

    def _both(self) -> None:
        words, question = self.world.rows.words(self.drawn, 6), literal(self.world.rows.question(self.drawn).tolist())
        found = self._ask("hybrid", HYBRID, words, question, 10, "{}", self.known.collection)
        check_count(self.recorder, self.known, "hybrid", found, 10)


class HttpReader(Worker):
    """The same through the HTTP service or PostgREST."""

    def __init__(self, world: World, recorder: Recorder, by: str, address: str) -> None:
        super().__init__(world, recorder, f"reader by {by}", READER)
        self.known = Known.of(world.rows, "notes")
        self._by = by
        signed_in = {"authorization": f"Bearer {token()}"}
        self._client = httpx.Client(base_url=address, headers=signed_in, timeout=30, verify=False)

    def step(self) -> None:
        """A vector search by a filter."""
        question, tenth = self.world.rows.question(self.drawn), self.drawn.randrange(TENTHS)
        filter_ = {"fixed": True, "tenth": tenth}
        if self._by == "service":
            path = "/search"
            body = {"query_embedding": question.tolist(), "top_k": 10, "filter": filter_, "collection": "notes"}
        else:
            path = "/rpc/match_documents"
            body = {"query_embedding": question.tolist(), "match_count": 10, "filter": filter_, "collection": "notes"}
        kind, begun = f"vector, filter, by {self._by}", time.monotonic()
        try:
            answer = self._client.post(path, json=body)
        except httpx.TransportError as error:
            self.recorder.failed(kind, "lost", repr(error), begun, is_loss=False)
            return
        if answer.status_code != 200:
            # PostgREST has no error code for a session that ended in the middle of an answer
            gone = answer.status_code == 503 or '"57P' in answer.text or '"code":""' in answer.text
            self.recorder.failed(kind, f"http {answer.status_code}", answer.text, begun, is_loss=gone)
            self.ended.wait(0.1)
            return
        self.recorder.took(kind, time.monotonic() - begun)
        found = answer.json()["results"] if self._by == "service" else answer.json()
        ids = [(row["id"], 0.0, row["metadata"]) for row in found]
        check_nearest(self.recorder, self.known, kind, ids, self.known.nearest(question, [tenth], 10))


def check_rows(recorder: Recorder, known: Known, kind: str, found: Found) -> None:
    """What holds for every answer: no row twice, best first, and no other tenant's."""
    if len({row[0] for row in found}) != len(found):
        recorder.answered_wrongly(f"{kind} in {known.collection}: a row twice")
    if any(one[1] < other[1] for one, other in pairwise(found)):
        recorder.answered_wrongly(f"{kind} in {known.collection}: not best first")
    if known.tenant and any(row[2]["tenant"] != known.tenant for row in found):
        recorder.answered_wrongly(f"{kind} in {known.collection}: a row of another tenant")


def check_count(recorder: Recorder, known: Known, kind: str, found: Found, wanted: int) -> None:
    """At least the fixed rows exist, so an answer must be complete."""
    if len(found) != wanted:
        recorder.answered_wrongly(f"{kind} in {known.collection}: {len(found)} of {wanted} rows")


def check_nearest(recorder: Recorder, known: Known, kind: str, found: Found, nearest: list[str]) -> None:
    """As many as exist; how many of them are the nearest is a matter of recall."""
    check_count(recorder, known, kind, found, len(nearest))
    recorder.recalls.append(len({row[0] for row in found} & set(nearest)) / len(nearest))
