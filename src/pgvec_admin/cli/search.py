"""pgvec-admin search: one query, as a table or as JSON."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from html import unescape
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from pgvec_admin import database
from pgvec_admin.cli.output import (
    ApiKey,
    BaseUrl,
    DatabaseUrl,
    Json,
    Tenant,
    harmless,
    open_target,
    print_json,
    print_table,
    say,
)
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections
from pgvec_admin.engine import search as searches
from pgvec_admin.engine.choices import DEFAULT_FUSION, DEFAULT_RANKING, FUSIONS, RANKINGS, either
from pgvec_admin.errors import UsageError


class Mode(StrEnum):
    """Which function answers."""

    vector = "vector"
    keyword = "keyword"
    hybrid = "hybrid"


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "documents",
    mode: Annotated[
        Mode, typer.Option(help="By vector (match_documents), keyword (keyword_search) or both (hybrid_search).")
    ] = Mode.vector,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Rows to show.")] = 10,
    filter_: Annotated[
        str | None, typer.Option("--filter", help="""Filter on metadata: '{"lang": "en", "year": {"$gte": 2020}}'.""")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Least similarity (vector, hybrid).")] = None,
    distance: Annotated[
        str | None, typer.Option(help="Another distance than the collection's own (vector; scans all rows).")
    ] = None,
    ranking: Annotated[
        str | None, typer.Option(help=f"{either(RANKINGS)} (keyword, hybrid).", show_default=DEFAULT_RANKING)
    ] = None,
    fusion: Annotated[
        str | None, typer.Option(help=f"{either(FUSIONS)} (hybrid).", show_default=DEFAULT_FUSION)
    ] = None,
    group_by: Annotated[
        str | None, typer.Option(help="Only the best of each source, or value of a metadata key (hybrid).")
    ] = None,
    syntax: Annotated[
        str | None,
        typer.Option(
            help='web: "phrases" and -words; plain: no operators (keyword, hybrid).',
            show_default=searches.AS_IT_IS.syntax,
        ),
    ] = None,
    fuzzy: Annotated[
        bool, typer.Option("--fuzzy", help="Words that no row has are taken for typing errors (keyword, hybrid).")
    ] = False,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="The last word may be the beginning of one (keyword, hybrid).")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="Embedding model of the query.", show_default="the collection's")
    ] = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    query_prefix: Annotated[
        str | None,
        typer.Option(help="Text to put before the query.", show_default="what the model was trained with"),
    ] = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="By both, with the vectors of words that pgvec-admin fit has learned.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how vectors were searched too.")] = False,
    tenant: Tenant = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Search a collection by meaning, by words or by both, as every client does; print a table, or JSON.

    Example:

    \b
      pgvec-admin search "How do I read command line options?" --mode hybrid
      pgvec-admin search "remote job" -c jobs --filter '{"location": "Remote"}' --mode keyword
      pgvec-admin search "How do I read command line options?" --no-model
    """
    if no_model:
        _check_no_model(
            {
                "--mode": mode if mode is not Mode.vector else None,
                "--distance": distance,
                "--model": model,
                "--ranking": ranking,
                "--fusion": fusion,
                "--syntax": syntax,
                "--fuzzy": fuzzy or None,
                "--prefix": prefix or None,
                "--query-prefix": query_prefix,
                "--explain": explain or None,
            }
        )
        mode = Mode.hybrid
    _check_options(
        mode,
        {
            "--threshold": (threshold, (Mode.vector, Mode.hybrid)),
            "--distance": (distance, (Mode.vector,)),
            "--ranking": (ranking, (Mode.keyword, Mode.hybrid)),
            "--fusion": (fusion, (Mode.hybrid,)),
            "--syntax": (syntax, (Mode.keyword, Mode.hybrid)),
            "--fuzzy": (fuzzy or None, (Mode.keyword, Mode.hybrid)),
            "--prefix": (prefix or None, (Mode.keyword, Mode.hybrid)),
            "--group-by": (group_by, (Mode.hybrid,)),
            "--explain": (explain or None, (Mode.vector, Mode.hybrid)),
        },
    )
    wanted = parse_filter(filter_)
    reading = searches.Reading(syntax or searches.AS_IT_IS.syntax, fuzzy, prefix)
    with database.connect(open_target(database_url), autocommit=True, tenant=tenant) as connection:
        explanation: searches.Explanation | None = None
        embedding = None
        if mode is not Mode.keyword and not no_model:
            options = embed.ProviderOptions(model=model, base_url=base_url, api_key=api_key, query_prefix=query_prefix)
            embedder = embed.provider_for(collections.get(connection, collection), options)
            embedding = embedder.embed_query(text)
            if embedder.truncated:
                say(f"the query is longer than {embedder.spec} reads: it is searched by its beginning only")
        if no_model:
            if not searches.is_fitted(connection, collection):
                say(
                    f"nothing is fitted to {collection}, it is searched by keyword alone:"
                    f" run pgvec-admin fit {collection}"
                )
            hits = searches.by_text(
                connection,
                text,
                collection=collection,
                match_count=limit,
                filter=wanted,
                match_threshold=threshold,
                group_by=group_by,
            )
        elif embedding is None:
            hits = searches.by_keyword(
                connection,
                text,
                collection=collection,
                match_count=limit,
                filter=wanted,
                ranking=ranking,
                reading=reading,
            )
        elif mode is Mode.hybrid:
            hits = searches.by_hybrid(
                connection,
                text,
                embedding,
                collection=collection,
                match_count=limit,
                filter=wanted,
                match_threshold=threshold,
                ranking=ranking,
                fusion=fusion,
                group_by=group_by,
                reading=reading,
            )
        else:
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
        if explain and embedding is not None:
            explanation = searches.explain(
                connection,
                embedding,
                collection=collection,
                match_count=limit,
                filter=wanted,
                distance=distance,
            )
        if embedding is not None and (missing := searches.count_missing(connection, collection)):
            say(
                f"{missing:,} rows of {collection} have no embedding yet, and no search by vector finds them:"
                f" run pgvec-admin embed --collection {collection}"
            )
    if as_json:
        print_json([_facts(hit, mode) for hit in hits])
    else:
        print_hits(hits, "similarity" if mode is Mode.vector else "score")
    if explanation:
        facts = asdict(explanation)
        plan = facts.pop("plan")
        say(", ".join(f"{name} {value}" for name, value in facts.items() if value is not None))
        say(plan, lines=True)


def _check_options(mode: Mode, options: dict[str, tuple[object, tuple[Mode, ...]]]) -> None:
    """UsageError for an option that the mode has no use for: whoever gives it expects something of it."""
    for name, (given, modes) in options.items():
        if given is not None and mode not in modes:
            raise UsageError(f"{name} means nothing in mode {mode}", f"it is for --mode {' or '.join(modes)}")


def _check_no_model(options: dict[str, object]) -> None:
    """UsageError for an option that says how a model is asked, or that `search` does not have."""
    for name, given in options.items():
        if given is not None:
            raise UsageError(f"{name} means nothing with --no-model", "leave out one of them")


def parse_filter(text: str | None, option: str = "--filter") -> dict[str, Any] | None:
    """The JSON object of an option; UsageError for anything else."""
    if text is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{option} is not JSON: {error}", f"""for example {option} '{{"lang": "en"}}'""") from error
    if not isinstance(value, dict):
        raise UsageError(f"{option} is not a JSON object", f"""for example {option} '{{"lang": "en"}}'""")
    return value


def _facts(hit: searches.Hit, mode: Mode) -> dict[str, Any]:
    facts = asdict(hit)
    if mode is not Mode.hybrid:
        del facts["similarity"], facts["keyword_score"]
    return facts


def print_hits(hits: list[searches.Hit], score: str, *, title: str | None = None) -> None:
    """A table of rank, score, what a fused score is made of, id and the headline with its matches marked."""
    fused = any(hit.similarity is not None or hit.keyword_score is not None for hit in hits)
    print_table(
        ["rank", score, *(["similarity", "keyword"] if fused else []), "id", "snippet"],
        [
            [
                rank,
                f"{hit.score:.3f}",
                *([_number(hit.similarity), _number(hit.keyword_score)] if fused else []),
                hit.id,
                _snippet(hit.headline),
            ]
            for rank, hit in enumerate(hits, 1)
        ],
        title=title,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _snippet(headline: str, width: int = 160) -> Text:
    """A headline, which is HTML, as text with its marks in bold."""
    text = Text()
    for number, part in enumerate(" ".join(headline.split()).split("<mark>")):
        marked, _, plain = part.rpartition("</mark>") if number else ("", "", part)
        text.append(harmless(unescape(marked)), style="bold")
        text.append(harmless(unescape(plain)))
    text.truncate(width, overflow="ellipsis")
    return text
