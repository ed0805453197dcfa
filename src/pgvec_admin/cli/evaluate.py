"""pgvec-admin evaluate: search quality against judgements."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgvec_admin import collections, database, embed
from pgvec_admin import evaluate as evaluation
from pgvec_admin.cli.output import (
    ApiKey,
    BaseUrl,
    DatabaseUrl,
    Json,
    check_picture,
    open_target,
    print_json,
    print_table,
    progress,
    say,
)


def evaluate(
    collection: Annotated[str, typer.Argument(help="Name of the collection.")],
    queries: Annotated[
        Path,
        typer.Option(
            help='JSON lines: {"_id": ..., "text": ...}, perhaps with "embedding".', exists=True, dir_okay=False
        ),
    ],
    qrels: Annotated[
        Path,
        typer.Option(help="Judgements: query, document and grade, separated by tabs.", exists=True, dir_okay=False),
    ],
    model: Annotated[
        str | None, typer.Option(help="Embedding model of the queries.", show_default="the collection's")
    ] = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    png: Annotated[Path | None, typer.Option("--png", help="Draw the figures into this file (extra plot).")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Measure how well each way to search answers judged queries: vector, keyword (3 rankings), hybrid (4 fusions).

    Needs ir-measures: pip install 'pgvec-admin[evaluate]'. The documents judged have to be loaded under their ids.

    Example:

    \b
      pgvec-admin evaluate documents --queries queries.jsonl --qrels qrels.tsv --png documents.png
    """
    check_picture(png)
    asked, judged = evaluation.read_queries(queries), evaluation.read_qrels(qrels)
    with database.connect(open_target(database_url), autocommit=True) as connection:
        target = collections.get(connection, collection)
        embedder: evaluation.Embed | None = None
        if (target.model or model) and any(query.embedding is None for query in asked):
            options = embed.ProviderOptions(model=model, base_url=base_url, api_key=api_key)
            embedder = embed.provider_for(target, options).embed_query
        with progress(f"evaluation of {collection}", "queries") as report:
            result = evaluation.run(connection, collection, asked, judged, embed=embedder, report=report)
    if png:
        evaluation.plot(result, png)
    if as_json:
        print_json(asdict(result))
    else:
        print_table(
            ["mode", "NDCG@10", "95 %", "difference", "MRR@10", "recall@100", "p50 ms", "p95 ms"],
            [
                [
                    one.mode,
                    f"{one.ndcg10:.3f}",
                    f"{one.ndcg10_low:.3f} to {one.ndcg10_high:.3f}",
                    "" if one.mode == result.better_leg else f"{one.difference:+.3f}{'*' if one.significant else ''}",
                    f"{one.mrr10:.3f}",
                    f"{one.recall100:.3f}",
                    f"{one.p50_ms:.1f}",
                    f"{one.p95_ms:.1f}",
                ]
                for one in result.results
            ],
        )
        say(f"{result.queries} queries; difference from {result.better_leg}, * significant (95 %, paired bootstrap)")
    for line in evaluation.advice(result):
        say(line)
