"""Keyword search in many languages and of what people type: recall at 1, 5 and 10, and exclusions that exclude.

    PGVEC_EVAL_DATA=... python benchmarks/languages.py [--postgres 18] [--only xquad,tldr] [--folded] [--dictionary]

xquad: 240 passages and 1,190 questions in each of twelve languages; jaquad: 1,431 Japanese passages, 1,500 questions;
korean: passages of our own (korean.py); tldr: the English pages, asked by their example commands as typed; exclusions:
exclusions.txt over the English passages of xquad, of whose results none may have the excluded words. --folded asks
xquad without accents too, and collections with fold_accents; --dictionary asks jaquad of bm25s with a dictionary
(pip install fugashi unidic-lite).
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

import korean as korean_set
from dataset import arguments, server
from pgvec_admin.database import Connection

DATA = Path(os.environ.get("PGVEC_EVAL_DATA", "."))
CONFIGURATIONS = {
    "en": "english", "es": "spanish", "de": "german", "el": "greek", "ru": "russian", "tr": "turkish", "ar": "arabic",
    "hi": "hindi", "ro": "romanian", "vi": "simple", "zh": "simple", "th": "simple",
}  # fmt: skip
ACCENTED = ("vi", "tr", "es", "de", "ro", "el", "ar")

Queries = Sequence[tuple[str, set[str]]]


def main() -> None:
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--folded", action="store_true")
    parser.add_argument("--dictionary", action="store_true")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    if not (DATA / "xquad").exists():
        parser.error("PGVEC_EVAL_DATA has to name the folder of the judged collections")
    wanted = set(filter(None, given.only.split(",")))
    with server(given.postgres) as (where, _), psycopg.connect(where.conninfo, autocommit=True) as connection:
        print("| set | queries | recall@1 | recall@5 | recall@10 | without a result | p50 ms |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for name, measure in SETS.items():
            if not wanted or name in wanted:
                measure(connection)
        if given.folded:
            folded(connection)
    if given.dictionary:
        dictionary()


def rows(name: str, file: str) -> list[dict[str, Any]]:
    """The lines of a file of a judged collection."""
    found = next((DATA / name).glob(file))
    with gzip.open(found, "rt") if found.suffix == ".gz" else found.open() as lines:
        return [json.loads(line) for line in lines]


def judged(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Mapping[str, set[str]]]:
    """Passages, queries, and the ids of the passages that answer each."""
    relevant: dict[str, set[str]] = defaultdict(set)
    for line in (DATA / name / "qrels.tsv").read_text().splitlines()[1:]:
        query, passage, _ = line.split("\t")
        relevant[query].add(passage)
    return rows(name, "corpus.jsonl*"), rows(name, "queries.jsonl*"), relevant


def fill(connection: Connection, name: str, texts: Mapping[str, str], language: str, *, folded: bool = False) -> None:
    """A collection of these texts."""
    connection.execute("select pgvec.create_collection(%s, 3, language => %s)", (name, language))
    if folded:
        connection.execute(
            """update pgvec.collections set settings = '{"fold_accents": true}' where name = %s""", (name,)
        )
    with connection.cursor() as cursor:
        cursor.executemany(f"insert into {name} (id, content) values (%s, %s)".encode(), list(texts.items()))
    connection.execute("select pgvec.refresh_statistics(%s)", (name,))
    connection.execute(f"vacuum analyze {name}".encode())


def recall(connection: Connection, shown: str, collection: str, queries: Queries) -> None:
    """Prints a line of the table."""
    found = {1: 0, 5: 0, 10: 0}
    nothing = 0
    times = []
    for text, relevant in queries:
        started = time.perf_counter()
        ids = [
            row[0]
            for row in connection.execute(
                "select id from keyword_search(%s, 10, collection => %s)", (text, collection)
            ).fetchall()
        ]
        times.append(time.perf_counter() - started)
        nothing += not ids
        for depth in found:
            found[depth] += bool(relevant & set(ids[:depth]))
    shares = " | ".join(f"{count / len(queries):.3f}" for count in found.values())
    print(
        f"| {shown} | {len(queries):,} | {shares} | {nothing} | {1000 * sorted(times)[len(times) // 2]:.1f} |",
        flush=True,
    )


def language_of(language: str) -> tuple[dict[str, str], list[tuple[str, set[str]]]]:
    """The passages of xquad in a language, and its questions."""
    corpus, queries, relevant = judged("xquad")
    texts = {row["id"]: row["text"] for row in corpus if row["language"] == language}
    return texts, [(row["text"], relevant[row["id"]]) for row in queries if row["language"] == language]


def xquad(connection: Connection) -> None:
    """Each language by itself."""
    for language, configuration in CONFIGURATIONS.items():
        texts, asked = language_of(language)
        fill(connection, f"xquad_{language}", texts, configuration)
        recall(connection, f"xquad {language}", f"xquad_{language}", asked)


def folded(connection: Connection) -> None:
    """xquad with fold_accents, and asked without accents."""
    for language in ACCENTED:
        texts, asked = language_of(language)
        bare = [(unaccented(text), found) for text, found in asked]
        fill(connection, f"plain_{language}", texts, CONFIGURATIONS[language])
        fill(connection, f"folded_{language}", texts, CONFIGURATIONS[language], folded=True)
        recall(connection, f"{language}, without accents", f"plain_{language}", bare)
        recall(connection, f"{language}, without accents, fold_accents", f"folded_{language}", bare)
        recall(connection, f"{language}, as written, fold_accents", f"folded_{language}", asked)


def unaccented(text: str) -> str:
    """As people type who have no keys for accents."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return bare.translate(str.maketrans("đĐıøł", "dDiol"))


def jaquad(connection: Connection) -> None:
    """Japanese."""
    corpus, queries, relevant = judged("jaquad")
    fill(connection, "jaquad", {row["id"]: row["text"] for row in corpus}, "simple")
    recall(connection, "jaquad", "jaquad", [(row["text"], relevant[row["id"]]) for row in queries])


def dictionary() -> None:
    """jaquad by bm25s and a Japanese dictionary, beside which ours should be as good."""
    bm25s, fugashi = importlib.import_module("bm25s"), importlib.import_module("fugashi")

    corpus, queries, relevant = judged("jaquad")
    tagger = fugashi.Tagger()
    index = bm25s.BM25(k1=1.2, b=0.75)
    index.index([[word.surface for word in tagger(row["text"])] for row in corpus], show_progress=False)
    found = {1: 0, 5: 0}
    for row in queries:
        words = [word.surface for word in tagger(row["text"]) if word.surface in index.vocab_dict]
        best, _ = index.retrieve([words], k=5, show_progress=False)
        ids = [corpus[place]["id"] for place in best[0]]
        for depth in found:
            found[depth] += bool(relevant[row["id"]] & set(ids[:depth]))
    shares = " | ".join(f"{count / len(queries):.3f}" for count in found.values())
    print(f"| jaquad, bm25s with fugashi | {len(queries):,} | {shares} | | | |")


def tldr(connection: Connection) -> None:
    """The English pages, asked by their own example commands, placeholders without their braces."""
    pages = {row["id"]: row for row in rows("tldr_pages", "corpus.jsonl*") if row["language"] == "en"}
    fill(connection, "tldr", {id_: f"{row['title']}\n{row['text']}" for id_, row in pages.items()}, "english")
    commands: dict[str, set[str]] = defaultdict(set)
    for id_, row in pages.items():
        for command in re.findall(r"^`(.+)`$", row["text"], flags=re.M):
            commands[typed(command)].add(id_)
    every = sorted(commands.items())
    recall(connection, "tldr, examples as typed", "tldr", every[::8])


def typed(command: str) -> str:
    """An example as it is typed: of an option with two names the short one, and no braces."""
    short = re.sub(r"\{\{\[([^|\]]*)\|[^\]]*\]\}\}", r"\1", command)
    return re.sub(r"\{\{(.*?)\}\}", r"\1", short)


def exclusions(connection: Connection) -> None:
    """Queries with true exclusions over the English passages."""
    fill(connection, "passages", language_of("en")[0], "english")
    asked = Path(__file__).with_name("exclusions.txt").read_text().splitlines()
    search = "select content from keyword_search(%s, 50, collection => 'passages')"
    has = "select to_tsvector('english', %s) @@ phraseto_tsquery('english', %s)"
    kept = pointless = 0
    for query in asked:
        words = [quoted or word for quoted, word in re.findall(r'(?<=\s)-(?:"([^"]+)"|(\S+))', query)]
        without = re.sub(r'\s-("[^"]+"|\S+)', "", query)

        def share(found: list[Any], words: list[str] = words) -> int:
            return sum(connection.execute(has, (row[0], word)).fetchone() == (True,) for row in found for word in words)

        pointless += share(connection.execute(search, (without,)).fetchall()) == 0
        kept += share(connection.execute(search, (query,)).fetchall()) > 0
    print(f"\n{len(asked)} queries with exclusions: {len(asked) - kept} exclude, {pointless} had nothing to exclude")


def korean(connection: Connection) -> None:
    """Korean: nouns with particles."""
    passages, queries = korean_set.made()
    fill(connection, "korean", passages, "simple")
    recall(connection, "Korean, our own", "korean", queries)


SETS: dict[str, Callable[[Connection], None]] = {
    "xquad": xquad,
    "jaquad": jaquad,
    "korean": korean,
    "tldr": tldr,
    "exclusions": exclusions,
}

if __name__ == "__main__":
    main()
