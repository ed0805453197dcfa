"""pgvec-admin fit: vectors of words from the rows of a collection, for searches without a model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, open_target, print_json, progress, say, size
from pgvec_admin.fitting import run


def fit(
    collection: Annotated[str, typer.Argument(help="Name of the collection.")],
    sample: Annotated[int, typer.Option(min=100, help="Of a larger collection, about so many rows.")] = run.MOST_ROWS,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Fit vectors of words to the rows of a collection: texts are then searched without a model.

    Needs the extra `fit`. It reads the words and the vectors of the rows, whatever model they are of, and replaces
    what was fitted before at the end. `search` and `hybrid_search` without an embedding use it.

    Example:

    \b
      pgvec-admin fit documents
      pgvec-admin search "how do I reset my password" --no-model
    """
    with (
        database.connect(open_target(database_url), autocommit=True) as connection,
        progress(f"fit of {collection}", "steps") as report,
    ):
        done = run.fit(connection, collection, most_rows=sample, report=report)
    if as_json:
        print_json({"collection": collection, **asdict(done)})
    agreement = "" if done.agreement is None else f"; agreement with rows that were left out {done.agreement:.2f}"
    say(f"{done.lexemes:,} words of {done.rows:,} rows have a vector, {size(done.bytes)} in all{agreement}")
