"""A collection's rows to the vectors of its words, which take the place of earlier ones in one transaction."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.resources import query

if TYPE_CHECKING:
    from pgvec_admin.fitting.ridge import Rows

MOST_ROWS = 100_000
HEADER = 4  # bytes of pgvector's binary form before the numbers
GREATEST = 8.0  # of all numbers, which are stored with eleven bits: their scale has no meaning
COPY = "copy pgvec.lexeme_vectors (collection, lexeme, vector) from stdin (format binary)"

Report = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class Fit:
    """What was fitted: rows, lexemes, the bytes of their vectors, penalty and agreement (see `ridge.Fitted`)."""

    rows: int
    lexemes: int
    bytes: int
    penalty: float
    agreement: float | None


def fit(connection: Connection, collection: str, *, most_rows: int = MOST_ROWS, report: Report) -> Fit:
    """Fit vectors of words to a collection, or to a sample of about `most_rows` of its rows.

    Until it is done, searches use what was fitted before. Raises UsageError without scipy, DataRejectedError where no
    row has both words and a vector, PV006 where not everybody sees all rows.
    """
    try:
        from pgvec_admin.fitting import ridge
    except ImportError as error:
        raise UsageError("fitting needs scipy", "pip install 'pgvec-admin[fit]'") from error
    target = collections.get(connection, collection)
    rows = read(connection, target, most_rows, report)
    try:
        fitted = ridge.fit(rows, report)
    except ValueError as error:
        raise DataRejectedError(
            f"{collection} has {error}: nothing can be fitted",
            f"embed them first: pgvec-admin embed --collection {collection}",
        ) from error
    greatest = float(np.abs(fitted.vectors).max()) or 1.0
    halves = (fitted.vectors * (GREATEST / greatest)).astype(">f2")
    head = struct.pack(">HH", target.dimensions, 0)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            query("begin_fit"),
            {
                "collection": target.name,
                "model": target.model,
                "rows": fitted.rows,
                "lexemes": len(fitted.lexemes),
                "agreement": fitted.agreement,
                "length": fitted.length,
                "mean": vector_literal(fitted.mean),
            },
        )
        with cursor.copy(COPY) as copy:
            copy.set_types(["text", "text", "bytea"])  # bytes as they are
            for done, (lexeme, half) in enumerate(zip(fitted.lexemes, halves, strict=True)):
                copy.write_row((target.name, lexeme, head + half.tobytes()))
                if done % 1000 == 0:
                    report(done, len(fitted.lexemes), "store")
    return Fit(fitted.rows, len(fitted.lexemes), halves.nbytes, fitted.penalty, fitted.agreement)


def read(connection: Connection, target: collections.Collection, most_rows: int, report: Report) -> Rows:
    """The lexemes and vectors of the rows; 1.6 GB of them at 1,536 dimensions and 100,000 rows."""
    from scipy import sparse

    from pgvec_admin.fitting.ridge import Rows

    known: dict[str, int] = {}
    columns, times, firsts, ends = array("i"), array("f"), array("f"), array("q", [0])
    vectors = bytearray()
    with connection.transaction(), connection.cursor("fit_rows", binary=True) as cursor:
        cursor.itersize = 1000
        cursor.execute(query("fit_rows"), (target.name, most_rows))
        for words, often, first, embedding in cursor:
            columns.extend([known.setdefault(word, len(known)) for word in words.split("\x01")])
            times.extend(often)
            firsts.extend(first)
            ends.append(len(columns))
            vectors += embedding[HEADER:]
            if len(ends) % 1000 == 0:
                report(len(ends), None, "read")
    shape = (len(ends) - 1, len(known))

    def by_row(values: array[float]) -> sparse.csr_matrix:
        # with a structure of its own, since scipy sorts one in place
        return sparse.csr_matrix((np.array(values), np.array(columns), np.array(ends)), shape=shape)

    return Rows(
        lexemes=list(known),
        times=by_row(times),
        firsts=by_row(firsts),
        vectors=np.frombuffer(vectors, ">f4").astype(np.float32).reshape(shape[0], target.dimensions),
    )
