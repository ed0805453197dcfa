"""Judged collections for tests of quality: documents, queries and grades, with precomputed vectors.

`PGVEC_EVAL_DATA` names their folder. They are not part of this repository: without the variable the tests that need
them are skipped, and with it none is.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgvec_admin.loading.records import Record
from pgvec_admin.quality import evaluate
from pgvec_admin.quality.evaluate import Query

DATA = os.environ.get("PGVEC_EVAL_DATA")
NAMES = ("scifact", "cranfield", "cisi", "npl")

needs_judgements = pytest.mark.skipif(
    DATA is None, reason="PGVEC_EVAL_DATA names no folder of judged collections: see CONTRIBUTING.md"
)


@dataclass(frozen=True)
class Judged:
    """Documents with their vectors, queries with theirs, and grades by query and document."""

    records: list[Record]
    queries: list[Query]
    qrels: dict[str, dict[str, int]]


def read(name: str) -> Judged:
    """One of the collections."""
    assert DATA is not None
    folder = Path(DATA) / name
    vectors = np.load(folder / "minilm.npz")
    of_document = dict(zip(map(str, vectors["ids"]), vectors["E"].astype(np.float32), strict=True))
    of_query = dict(zip(map(str, vectors["qids"]), vectors["Q"].astype(np.float32), strict=True))
    records = [
        Record(
            id=row["id"],
            content=f"{row.get('title') or ''}\n{row['text']}",
            metadata={},
            embedding=of_document[row["id"]],
        )
        for row in _rows(folder / "corpus.jsonl.gz")
    ]
    queries = [
        Query(row["id"], row["text"], of_query[row["id"]].tolist())
        for row in _rows(next(folder.glob("queries.jsonl*")))
        if row["id"] in of_query
    ]
    return Judged(records, queries, evaluate.read_qrels(folder / "qrels.tsv"))


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        yield from map(json.loads, lines)
