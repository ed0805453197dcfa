"""What people type: questions with typing errors, beginnings of words, synonyms; their quality and their cost.

    PGVEC_EVAL_DATA=... python benchmarks/typed_words.py [--rows 250000] [--postgres 18]

Quality on SciFact: each question with one random error (a letter left out, one too many, a wrong one, or two that
changed places) in one of its words of four letters or more, drawn three times. Cost over the chunks of keywords.py.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import string
import time
from collections.abc import Iterable, Iterator
from typing import Any

import ir_measures
import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from dataset import arguments, clustered, server
from keywords import DATA, DIMENSIONS, fill, texts
from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record
from pgvec_admin.quality.evaluate import read_qrels

DRAWN = 3
TENANTS = 10


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.set_defaults(rows=250_000)
    parser.add_argument("--only", choices=["quality", "cost"])
    given = parser.parse_args()
    if not (DATA / "scifact").exists():
        parser.error("PGVEC_EVAL_DATA has to name the folder of the judged collections")
    with server(given.postgres) as (where, _), psycopg.connect(where.conninfo, autocommit=True) as connection:
        if given.only != "cost":
            quality(connection)
        if given.only != "quality":
            cost(connection, given.rows)


def _lines(name: str) -> Iterator[dict[str, Any]]:
    file = next((DATA / "scifact").glob(name))
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        yield from map(json.loads, lines)


def mistyped(text: str, drawn: random.Random) -> str:
    """The text with one typing error."""
    words = list(re.finditer(r"[A-Za-z]{4,}", text))
    if not words:
        return text
    word = drawn.choice(words)
    at = drawn.randrange(word.start(), word.end())
    letter = drawn.choice(string.ascii_lowercase)
    kind = drawn.choice(["left out", "one too many", "wrong", "changed places"])
    if kind == "left out":
        return text[:at] + text[at + 1 :]
    if kind == "one too many":
        return text[:at] + letter + text[at:]
    if kind == "wrong":
        return text[:at] + letter + text[at + 1 :]
    at = min(at, word.end() - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def asked(
    connection: Connection, questions: dict[str, str], options: str
) -> tuple[dict[str, dict[str, float]], list[float]]:
    """What is found for each question, with its scores, and how long each took in ms."""
    found: dict[str, dict[str, float]] = {}
    times = []
    for id_, text in questions.items():
        started = time.perf_counter()
        rows = connection.execute(f"select id, score from keyword_search(%s, 10{options})".encode(), (text,)).fetchall()
        times.append((time.perf_counter() - started) * 1000)
        found[id_] = dict(rows)
    return found, times


def ndcg(qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]]) -> float:
    return float(ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)[ir_measures.nDCG @ 10])


def quality(connection: Connection) -> None:
    """SciFact with and without errors, with and without fuzzy."""
    collections.create(connection, "documents", 2)
    load.load_records(
        connection,
        "documents",
        (
            Record(id=row["id"], content=f"{row.get('title') or ''}\n{row['text']}", metadata={})
            for row in _lines("corpus*")
        ),
    )
    connection.execute("select pgvec.refresh_statistics('documents', 0)")
    connection.execute("vacuum analyze documents")
    connection.execute("vacuum analyze pgvec.lexemes")
    qrels = read_qrels(DATA / "scifact" / "qrels.tsv")
    clean = {row["id"]: row["text"] for row in _lines("queries*") if row["id"] in qrels}
    versions = [
        clean,
        *({id_: mistyped(text, random.Random(f"{n} {id_}")) for id_, text in clean.items()} for n in range(DRAWN)),
    ]
    asked(connection, clean, ", fuzzy => true")
    print("| SciFact, 300 questions | NDCG@10 | fuzzy | p50 ms | p95 ms | fuzzy p50 ms | p95 ms |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for number, version in enumerate(versions):
        plain, plain_times = asked(connection, version, "")
        fuzzy, fuzzy_times = asked(connection, version, ", fuzzy => true")
        figures = [*np.percentile(plain_times, [50, 95]), *np.percentile(fuzzy_times, [50, 95])]
        name = f"one error, draw {number}" if number else "as they are"
        print(
            f"| {name} | {ndcg(qrels, plain):.4f} | {ndcg(qrels, fuzzy):.4f} | "
            + " | ".join(f"{f:.1f}" for f in figures)
            + " |"
        )
        if not number:
            changed = [id_ for id_ in clean if plain[id_] != fuzzy[id_]]
            print(f"{len(changed)} of {len(clean)} clean questions change")
    collections.drop(connection, "documents")


def cost(connection: Connection, number: int) -> None:
    """Latencies over many chunks."""
    chunks = texts(number)
    rows, _ = clustered(number, DIMENSIONS, 1)
    fill(connection, chunks, rows.vectors)
    connection.execute("vacuum analyze documents")
    connection.execute("vacuum analyze pgvec.lexemes")
    told = connection.execute("select count(*), count(distinct lexeme) from pgvec.lexemes").fetchone()
    print(f"\n{number:,} chunks, {told} rows and lexemes\n")
    drawn = random.Random(3)
    words = [
        word
        for chunk in drawn.sample(chunks, 400)
        for word in drawn.sample(re.findall(r"[a-z]{5,}", chunk) or ["word"], 1)
    ]
    questions = {
        str(n): " ".join(drawn.sample(re.findall(r"[A-Za-z]{3,}", chunk), 5))
        for n, chunk in enumerate(drawn.sample(chunks, 300))
    }
    wrong = {id_: mistyped(text, drawn) for id_, text in questions.items()}
    print("| 5 words | p50 ms | p95 ms |")
    print("|---|---:|---:|")
    for name, asked_, options in (
        ("plain", questions, ""),
        ("one error", wrong, ""),
        ("fuzzy", questions, ", fuzzy => true"),
        ("one error, fuzzy", wrong, ", fuzzy => true"),
        ("last word cut, prefix", {k: v[:-2] for k, v in questions.items()}, ", prefix => true"),
    ):
        asked(connection, dict(list(asked_.items())[:20]), options)
        _, times = asked(connection, asked_, options)
        print("| {} | {:.1f} | {:.1f} |".format(name, *np.percentile(times, [50, 95])))
    for letters in (1, 2, 3, 4, 5):
        beginnings = [word[:letters] for word in words]
        report(
            f"suggest_completions, {letters} letters",
            connection,
            "select * from suggest_completions(%s, 5)",
            beginnings,
        )
    report("suggest_query", connection, "select suggest_query(%s)", list(wrong.values())[:100])
    plain = report(
        "before synonyms", connection, "select pgvec.keyword_query('documents', %s)::text", list(questions.values())
    )
    words = [
        word
        for word in words
        if connection.execute("select to_tsvector('english', %s) <> ''", (word,)).fetchone() == (True,)
    ]
    known = {f"{a} {b}" if n % 3 else a: [c] for n, (a, b, c) in enumerate(triples(words, 5000, drawn))}
    connection.execute("select pgvec.set_synonyms('documents', %s)", (Jsonb(known),))
    connection.execute("vacuum analyze pgvec.synonyms")
    more = report(
        f"with {len(known)} synonyms",
        connection,
        "select pgvec.keyword_query('documents', %s)::text",
        list(questions.values()),
    )
    print(f"synonyms cost {more - plain:.2f} ms at the median")


def triples(words: list[str], number: int, drawn: random.Random) -> Iterable[tuple[str, str, str]]:
    return (
        (f"{drawn.choice(words)}{'' if n < 400 else n}", drawn.choice(words), drawn.choice(words))
        for n in range(number)
    )


def report(name: str, connection: Connection, call: str, values: list[str]) -> float:
    """The median in ms."""
    times = []
    for value in values[:10] + values:
        started = time.perf_counter()
        connection.execute(call.encode(), (value,)).fetchall()
        times.append((time.perf_counter() - started) * 1000)
    p50, p95 = np.percentile(times[10:], [50, 95])
    print(f"| {name} | {p50:.2f} | {p95:.2f} |", flush=True)
    return float(p50)


if __name__ == "__main__":
    main()
