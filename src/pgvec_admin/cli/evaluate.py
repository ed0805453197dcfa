"""pgvec-admin evaluate: search quality against judgements, or the answers to logged searches against each other."""

from __future__ import annotations

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgvec_admin import database
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
    shortened,
)
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections, search_log
from pgvec_admin.errors import UsageError
from pgvec_admin.quality import evaluate as evaluation
from pgvec_admin.quality import replay


def evaluate(
    collection: Annotated[str, typer.Argument(help="Name of the collection.")],
    queries: Annotated[
        Path | None,
        typer.Option(
            help='JSON lines: {"_id": ..., "text": ...}, perhaps with "embedding".', exists=True, dir_okay=False
        ),
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(help="Judgements: query, document and grade, separated by tabs.", exists=True, dir_okay=False),
    ] = None,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Repeat logged searches, and compare the answers.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            help="What to compare with: ef_search=200, fusion=rrf, ranking=ts_rank, collection=NAME,"
            " version=match_documents:1; several with commas.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Save the logged searches and their answers in this file.", dir_okay=False)
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(help="Repeat the searches of that file, and compare.", exists=True, dir_okay=False),
    ] = None,
    since: Annotated[str, typer.Option(help="How far back in the log.")] = "30 days",
    limit: Annotated[int, typer.Option(min=1, help="Logged searches, the most frequent first.")] = 100,
    model: Annotated[
        str | None, typer.Option(help="Embedding model of the queries.", show_default="the collection's")
    ] = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    png: Annotated[Path | None, typer.Option("--png", help="Draw the figures into this file (extra plot).")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Measure how well each way to search answers judged queries: by vector, each ranking and each fusion.

    Needs the extra `evaluate`. The documents judged have to be loaded under their ids.
    With --from-log, --save or --compare there are no judgements: it shows which answers to logged searches change.

    Example:

    \b
      pgvec-admin evaluate documents --queries queries.jsonl --qrels qrels.tsv --png documents.png
      pgvec-admin evaluate documents --from-log --against ef_search=200
      pgvec-admin evaluate documents --from-log --save before.json
      pgvec-admin evaluate documents --compare before.json
    """
    options = embed.ProviderOptions(model=model, base_url=base_url, api_key=api_key)
    if from_log or against or save or compare:
        if queries or qrels or png:
            raise UsageError("logged searches have no judgements", "leave out --queries, --qrels and --png")
        _replay(collection, against, save, compare, since, limit, options, database_url, as_json)
        return
    if queries is None or qrels is None:
        raise UsageError("evaluate what?", "--queries and --qrels for judged queries, --from-log for logged searches")
    check_picture(png)
    asked, judged = evaluation.read_queries(queries), evaluation.read_qrels(qrels)
    with database.connect(open_target(database_url), autocommit=True) as connection:
        search_log.without(connection)
        target = collections.get(connection, collection)
        embedder: evaluation.Embed | None = None
        if (target.model or model) and any(query.embedding is None for query in asked):
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


def _replay(
    collection: str,
    against: str | None,
    save: Path | None,
    compare: Path | None,
    since: str,
    limit: int,
    options: embed.ProviderOptions,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Repeat logged or saved searches now, and compare with the saved answers or with another setting."""
    if sum(map(bool, (against, save, compare))) != 1:
        raise UsageError("compare with what?", "one of --against SETTING, --save FILE and --compare FILE")
    other = replay.parse(against) if against else replay.Setting()
    with (
        database.connect(open_target(database_url), autocommit=True) as connection,
        progress("searches", "searches") as report,
    ):
        searches, saved = replay.load(compare) if compare else (replay.logged(connection, collection, since, limit), [])

        def answers(setting: replay.Setting) -> list[replay.Ranking | None]:
            target = collections.get(connection, setting.collection or collection)
            # loading a model takes seconds, and most runs need none
            provider = functools.cache(lambda: embed.provider_for(target, options))
            embedder = (lambda text: provider().embed_query(text)) if target.model or options.model else None
            return replay.run(connection, collection, searches, setting, embed=embedder, report=report)

        now = answers(replay.Setting())
        if save:
            replay.save(save, searches, now)
            say(f"{len(searches)} searches and their answers saved in {save}")
            return
        if compare:
            found = replay.compare(searches, (str(compare), saved), ("now", now))
        else:
            found = replay.compare(searches, ("now", now), (other.name, answers(other)))
    if as_json:
        print_json(asdict(found))
        return
    print_table(
        ["", "p50 ms", "p95 ms"],
        [
            [found.before, f"{found.before_p50_ms:.1f}", f"{found.before_p95_ms:.1f}"],
            [found.after, f"{found.after_p50_ms:.1f}", f"{found.after_p95_ms:.1f}"],
        ],
    )
    changed = [one for one in found.changes if one.rbo < 1][:10]
    if changed:
        print_table(
            ["most changed", "function", "overlap@10", "rank-biased", "gone", "come"],
            [
                [
                    shortened(one.search.label, 40),
                    one.search.function,
                    f"{one.overlap:.2f}",
                    f"{one.rbo:.2f}",
                    shortened(" ".join(one.gone), 30),
                    shortened(" ".join(one.come), 30),
                ]
                for one in changed
            ],
        )
    say(
        f"{found.searches} searches, {found.unchanged} answered the same:"
        f" overlap@10 {found.overlap:.3f}, rank-biased overlap {found.rbo:.3f}"
    )
    if found.left_out:
        say(f"{found.left_out} more could not be made in both: their vector is missing, or of another model")
