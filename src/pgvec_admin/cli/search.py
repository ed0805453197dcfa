"""pgvec-admin search: one query, as a table or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from pgvec_admin import collections, database, embed
from pgvec_admin import search as searches
from pgvec_admin.cli.output import ApiKey, BaseUrl, DatabaseUrl, Json, open_target, print_json, print_table, say
from pgvec_admin.errors import UsageError


class Mode(StrEnum):
    """Which function answers."""

    vector = "vector"
    keyword = "keyword"


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "documents",
    mode: Annotated[
        Mode, typer.Option(help="Search by vector (match_documents) or keyword (keyword_search).")
    ] = Mode.vector,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Rows to show.")] = 10,
    filter_: Annotated[
        str | None, typer.Option("--filter", help="""Filter on metadata: '{"lang": "en", "year": {"$gte": 2020}}'.""")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Least similarity (vector).")] = None,
    distance: Annotated[
        str | None, typer.Option(help="Another distance than the collection's own (vector; scans all rows).")
    ] = None,
    ranking: Annotated[str | None, typer.Option(help="ts_rank or ts_rank_cd (keyword).")] = None,
    model: Annotated[
        str | None, typer.Option(help="Embedding model of the query.", show_default="the collection's")
    ] = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    query_prefix: Annotated[
        str | None,
        typer.Option(help="Text to put before the query.", show_default="what the model was trained with"),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how the search was answered too (vector).")] = False,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Search a collection.

    Example:

    \b
      pgvec-admin search "How do I read command line options?"
      pgvec-admin search "remote job" -c jobs --filter '{"location": "Remote"}' --mode keyword
    """
    wanted = parse_filter(filter_)
    with database.connect(open_target(database_url), autocommit=True) as connection:
        explanation: searches.Explanation | None = None
        if mode is Mode.vector:
            options = embed.ProviderOptions(model=model, base_url=base_url, api_key=api_key, query_prefix=query_prefix)
            embedder = embed.provider_for(collections.get(connection, collection), options)
            embedding = embedder.embed_query(text)
            hits = searches.by_vector(
                connection,
                text,
                embedding,
                collection=collection,
                match_count=limit,
                filter=wanted,
                match_threshold=threshold,
                distance=distance,
            )
            if explain:
                explanation = searches.explain(
                    connection,
                    embedding,
                    collection=collection,
                    match_count=limit,
                    filter=wanted,
                    distance=distance,
                )
        else:
            hits = searches.by_keyword(
                connection, text, collection=collection, match_count=limit, filter=wanted, ranking=ranking
            )
    if as_json:
        print_json([asdict(hit) for hit in hits])
    else:
        print_hits(hits, "similarity" if mode is Mode.vector else "score")
    if explanation:
        facts = asdict(explanation)
        plan = facts.pop("plan")
        say(", ".join(f"{name} {value}" for name, value in facts.items() if value is not None))
        say(plan)


def parse_filter(text: str | None) -> dict[str, Any] | None:
    """The JSON object of --filter; UsageError for anything else."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"--filter is not JSON: {error}", """for example --filter '{"lang": "en"}'""") from error
    if not isinstance(value, dict):
        raise UsageError("--filter is not a JSON object", """for example --filter '{"lang": "en"}'""")
    return value


def print_hits(hits: list[searches.Hit], score: str, *, title: str | None = None) -> None:
    """A table of rank, score, id and the headline with its matches marked."""
    print_table(
        ["rank", score, "id", "snippet"],
        [[rank, f"{hit.score:.3f}", hit.id, _snippet(hit.headline)] for rank, hit in enumerate(hits, 1)],
        title=title,
    )


def _snippet(headline: str, width: int = 160) -> Text:
    text = Text()
    for number, part in enumerate(" ".join(headline.split()).split("<mark>")):
        marked, _, plain = part.rpartition("</mark>") if number else ("", "", part)
        text.append(marked, style="bold")
        text.append(plain)
    text.truncate(width, overflow="ellipsis")
    return text
