"""What must hold for the rows and the searches when everything has stopped."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgvec_admin.database import Connection
from soak.rows import ADOPTED, TENTHS, Key, Rows, State
from soak.searches import KEYWORD, VECTOR
from soak.world import COLLECTIONS, OWNER, READER, TENANTS, World, literal, source_of

EMBEDDED = (ADOPTED, "drafts")  # their vectors come from an embedder
SHOWN = 5
QUESTIONS = 200  # enough to know the recall of an index to half a hundredth
SEARCHED = 100  # so many rows that a search for a row finds it even where ef_search is tuned to be small
SCORED = 20
NO_TENANT = "00000000-0000-0000-0000-000000000000"

_ROWS = """
select id, {tenant}, content, metadata, embedding::extensions.vector::real[], embedded_hash, content_hash, source
  from {relation}
"""

# the counted words, and the actual ones
_COUNTED = """
with counted as (
       select tenant, lexeme, sum(documents) as documents from pgvec.lexemes
        where collection = %(name)s group by tenant, lexeme having sum(documents) <> 0),
     there as (
       select {tenant} as tenant, l.lexeme, count(*) as documents
         from {table} as d cross join lateral unnest(d.fts) as l group by 1, 2)
select tenant::text, lexeme, c.documents, t.documents
  from counted as c full join there as t using (tenant, lexeme)
 where c.documents is distinct from t.documents
"""
_TOTALS = """
with counted as (
       select tenant, sum(documents) as documents, sum(positions) as positions from pgvec.text_totals
        where collection = %(name)s group by tenant having sum(documents) <> 0),
     there as (
       select {tenant} as tenant, count(*) as documents,
              sum((select sum(coalesce(cardinality(l.positions), 1)) from unnest(d.fts) as l)) as positions
         from {table} as d group by 1)
select tenant::text, c.documents, t.documents, c.positions, t.positions
  from counted as c full join there as t using (tenant)
 where (c.documents, c.positions) is distinct from (t.documents, t.positions)
"""
_WEIGHTS = """
select d.id::text
  from {table} as d
  join pgvec.bm25_parameters as p on p.collection = %(name)s and p.tenant = {tenant}
 where d.bm25 is null
    or d.bm25 operator(extensions.<>) pgvec.bm25_vector(d.fts, p.average_length, p.k1, p.b)
"""
_LEXEMES = """
select id from {relation}
 where fts is distinct from pgvec.text_lexemes(coalesce(language, 'english')::regconfig, content)
    or content_hash is distinct from md5(content)
"""


@dataclass(frozen=True)
class Check:
    """What should hold at the end, whether it does, and what it was compared with, or the differences."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Found:
    """A row as it is in the database."""

    content: str
    metadata: dict[str, Any]
    vector: list[float] | None
    embedded_hash: str | None
    content_hash: str
    source: str | None


Stored = dict[Key, Found]


def check(name: str, differences: Sequence[str], held_against: str) -> Check:
    """Passed where there are no differences."""
    if not differences:
        return Check(name, True, held_against)
    more = f" and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
    return Check(name, False, "; ".join(differences[:SHOWN]) + more)


def data_checks(world: World) -> Iterator[Check]:
    """Rows, statistics, weights and answers."""
    with world.connect(OWNER) as owner:
        stored = {name: _stored(owner, name) for name in COLLECTIONS}
        for name in COLLECTIONS:
            yield check(f"rows of {name}", list(_differences(world, name, stored[name])), f"{len(stored[name]):,} rows")
        counted = [name for name in COLLECTIONS if _is_counted(owner, name)]
        yield check("words as counted by trigger", _miscounted(owner, counted), ", ".join(counted))
        for name in COLLECTIONS:
            # a tolerance that nothing is within: all weights are to be those of the present average
            owner.execute("select pgvec.refresh_statistics(%s, null)", (name,))
        yield check("words as counted anew", _miscounted(owner, COLLECTIONS), ", ".join(COLLECTIONS))
        for what, query in (("BM25 weights", _WEIGHTS), ("lexemes and hashes", _LEXEMES)):
            wrong = [
                f"{name} {row[0]}"
                for name in COLLECTIONS
                for row in owner.execute(_of(owner, name, query), {"name": name})
            ]
            yield check(f"{what} of every row", wrong, f"{sum(map(len, stored.values())):,} rows")
        for name in COLLECTIONS:
            for tenant in TENANTS[:2] if name == "members" else [""]:
                yield from _answers(world, owner, name, tenant, stored[name])


def _stored(owner: Connection, name: str) -> Stored:
    return {
        Key(name, row[1], row[0]): Found(row[2], *row[3:])
        for row in owner.execute(_of(owner, name, _ROWS, no_tenant="''", tenant="tenant_id::text"))
    }


def _of(
    owner: Connection, name: str, query: str, no_tenant: str = f"'{NO_TENANT}'::uuid", tenant: str = "tenant_id"
) -> bytes:
    row = owner.execute(
        "select relation::text, text_table::text from pgvec.collections where name = %s", (name,)
    ).fetchone()
    assert row
    belongs = tenant if name == "members" else no_tenant
    return query.format(relation=row[0], table=row[1], tenant=belongs).encode()


def _differences(world: World, name: str, stored: Stored) -> Iterator[str]:
    keys = world.ledger.keys(name)
    for key in keys:
        possible, found = world.ledger.possible(key), stored.get(key)
        told = " ".join(filter(None, (key.tenant, key.id)))
        if found is None:
            if None not in possible:
                yield f"{told} is lost"
        elif possible == {None}:
            yield f"{told} was deleted and is there"
        elif not any(_is_as(world.rows, key, state, found) for state in possible if state):
            held = (
                f"{found.metadata} {found.content[:40]!r} embedded as {found.embedded_hash}, {str(found.vector)[:40]}"
            )
            yield f"{told} holds {held}, which is none of {sorted(map(str, possible))}"
    for key in stored.keys() - set(keys):
        yield f"{key.tenant} {key.id} was written by nobody"


def _is_as(rows: Rows, key: Key, state: State, found: Found) -> bool:
    text = rows.text(key, state.text)
    if (found.content, found.metadata) != (text, rows.metadata(key, state.metadata)):
        return False
    if key.collection not in (ADOPTED, "papers") and found.source != source_of(key):
        return False
    made_of = text if key.collection in EMBEDDED else None if state.vector is None else rows.text(key, state.vector)
    if made_of is None:
        return found.vector is None and found.embedded_hash is None
    return (
        found.vector is not None
        and bool(np.array_equal(np.array(found.vector, dtype=np.float32), rows.embed(made_of)))
        and found.embedded_hash == hashlib.md5(made_of.encode()).hexdigest()
    )


def _is_counted(owner: Connection, name: str) -> bool:
    row = owner.execute("select uncounted from pgvec.keyword_statistics(%s)", (name,)).fetchone()
    return row is not None and row[0] == 0


def _miscounted(owner: Connection, names: Sequence[str]) -> list[str]:
    return [
        f"{name}: {row}"
        for name in names
        for query in (_COUNTED, _TOTALS)
        for row in owner.execute(_of(owner, name, query), {"name": name})
    ]


def _answers(world: World, owner: Connection, name: str, tenant: str, stored: Stored) -> Iterator[Check]:
    """Searches compared with the same ones computed by hand, over the rows read."""
    rows = sorted((key.id, found) for key, found in stored.items() if key.tenant == tenant)
    drawn = random.Random(f"{world.rows.seed} answers")
    told = f"{name} {tenant[-1:]}".strip()
    with world.connect(READER, **({"app__tenant_id": tenant} if tenant else {})) as reader:
        yield _nearest(world, reader, name, told, rows, drawn)
        yield _themselves(reader, name, told, rows, drawn)
        yield _scores(owner, reader, name, tenant, told, rows, drawn)


def _nearest(
    world: World, reader: Connection, name: str, told: str, rows: list[tuple[str, Found]], drawn: random.Random
) -> Check:
    embedded = [(id_, found) for id_, found in rows if found.vector is not None]
    vectors = np.array([found.vector for _, found in embedded], dtype=np.float32)
    tenths = np.array([found.metadata.get("tenth", -1) for _, found in embedded])
    wrong, recalls = [], []
    for place in range(QUESTIONS):
        question, tenth = world.rows.question(drawn), drawn.randrange(TENTHS) if place % 2 else None
        matches = np.flatnonzero(tenths == tenth) if tenth is not None else np.arange(len(embedded))
        order = matches[np.argsort(-(vectors[matches] @ question))][:10]
        filter_ = "{}" if tenth is None else f'{{"tenth": {tenth}}}'
        found = reader.execute(VECTOR.encode(), (literal(question.tolist()), 10, filter_, name)).fetchall()
        if len(found) != len(order):
            wrong.append(f"{len(found)} of {len(order)} rows by {filter_}")
        recalls.append(len({row[0] for row in found} & {embedded[at][0] for at in order}) / max(len(order), 1))
    recall = sum(recalls) / len(recalls)
    if recall < 0.98:
        wrong.append(f"recall {recall:.3f}")
    return check(f"nearest rows of {told}", wrong, f"{QUESTIONS} searches, recall {recall:.3f}")


def _themselves(reader: Connection, name: str, told: str, rows: list[tuple[str, Found]], drawn: random.Random) -> Check:
    """A row that an index has lost does not find itself."""
    embedded = [(id_, found.vector) for id_, found in rows if found.vector is not None]
    sample = drawn.sample(embedded, min(100, len(embedded)))
    missed = [
        f"{id_} does not find itself"
        for id_, vector in sample
        if [row[0] for row in reader.execute(VECTOR.encode(), (literal(vector), SEARCHED, "{}", name))][:1] != [id_]
    ]
    # a graph may miss one now and then
    return check(
        f"rows of {told} find themselves", missed if len(missed) > 0.02 * len(sample) else [], f"{len(sample)} rows"
    )


def _scores(
    owner: Connection,
    reader: Connection,
    name: str,
    tenant: str,
    told: str,
    rows: list[tuple[str, Found]],
    drawn: random.Random,
) -> Check:
    """BM25 by its formula, from the texts."""
    row = owner.execute(
        "select average_length, k1, b from pgvec.bm25_parameters where collection = %s and tenant = %s",
        (name, tenant or NO_TENANT),
    ).fetchone()
    assert row
    average, k1, b = row
    texts = [Counter(found.content.split()) for _, found in rows]
    frequencies = Counter(word for text in texts for word in text)
    wrong = []
    for _ in range(SCORED):
        # not the commonest, which add to the score but select no rows
        words = {f"w{int(20 * 100 ** drawn.random())}" for _ in range(4)}
        scores = []
        for text in texts:
            if not words.isdisjoint(text):
                norm = k1 * (1 - b + b * text.total() / average)
                scores.append(
                    sum(
                        math.log(1 + (len(texts) - frequencies[word] + 0.5) / (frequencies[word] + 0.5))
                        * text[word] / (text[word] + norm)
                        for word in words & text.keys()
                    )
                )  # fmt: skip
        wanted = sorted(scores, reverse=True)[:10]
        found = [row[1] for row in reader.execute(KEYWORD.encode(), (" ".join(sorted(words)), 10, "{}", name))]
        if len(found) != len(wanted) or not np.allclose(found, wanted, rtol=1e-3):
            wrong.append(f"{sorted(words)}: {found} instead of {wanted}")
    return check(f"BM25 scores of {told}", wrong, f"{SCORED} searches")
