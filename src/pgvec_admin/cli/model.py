"""pgvec-admin model: change, status, finish, abort, drop-old."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgvec_admin import database
from pgvec_admin.cli.index import tuned
from pgvec_admin.cli.output import (
    ApiKey,
    BaseUrl,
    DatabaseUrl,
    Json,
    confirm,
    open_target,
    print_json,
    print_table,
    progress,
    say,
    shortened,
    size,
)
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections, index, model_change, search_log
from pgvec_admin.engine.model_change import Change
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.quality import evaluate as evaluation
from pgvec_admin.quality import replay

app = typer.Typer(
    no_args_is_help=True, help="The model of a collection: change it while searches go on, finish or abort that."
)

Name = Annotated[str, typer.Argument(help="Name of the collection.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def change(
    name: Name,
    to: Annotated[str, typer.Option("--to", help="The new model, provider:name.", show_default=False)],
    dimensions: Annotated[
        int | None, typer.Option("--dimensions", "-d", min=1, max=16_000, help="Of its vectors; else the model's own.")
    ] = None,
    column_type: Annotated[
        str | None, typer.Option(help="vector (4 bytes a dimension) or halfvec (2).", show_default="as now")
    ] = None,
    passage_prefix: Annotated[
        str | None,
        typer.Option(help="Text to put before each row's content.", show_default="what the model was trained with"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell the disk that it takes.")] = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Begin to change the model of a collection: a second column, which workers fill while searches go on.

    The same command again continues. `pgvec-admin embed` and workers embed for both models from now on.

    Example:

    \b
      pgvec-admin model change documents --to openai:text-embedding-3-large --dimensions 3072 --column-type halfvec
    """
    wanted = dimensions
    if wanted is None:
        from pgvec_admin import providers

        wanted = providers.provider(to, base_url=base_url, api_key=api_key).dimensions
    where = open_target(database_url)
    with database.connect(where, autocommit=True) as connection:
        if not model_change.changes(connection, name):
            needed = model_change.size(connection, name, wanted, column_type)
            say(
                f"disk: at most {size(round(needed.total_bytes))}: {size(round(needed.column_bytes))} of vectors,"
                f" {size(round(needed.rewritten_bytes))} of rows written once more,"
                f" {size(round(needed.index_bytes))} for their index"
            )
        if dry_run:
            return
        model_change.begin(where, name, to, wanted, storage=column_type, prefix=passage_prefix)
        (found,) = model_change.changes(connection, name)
    _tell(found)


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="Name of the collection.", show_default="all")] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Show the changes that go on, and the old models that are still there.

    Example:

    \b
      pgvec-admin model status
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        found = model_change.changes(connection, name)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    print_table(
        ["collection", "state", "model", "new model", "rows", "to embed", "failed", "index", "size"],
        [
            (
                *(one.name, one.state, one.model, one.new_model, one.rows, one.missing, one.dead),
                one.index or "no",
                size((one.column_bytes or 0) + (one.index_bytes or 0)),
            )
            for one in found
        ],
    )


@app.command()
def finish(
    name: Name,
    allow_missing: Annotated[int, typer.Option(min=0, help="So many rows may have no vector yet.")] = 0,
    recall: Annotated[float, typer.Option(min=0, max=1, help="Recall that searches by the new model need.")] = 0.98,
    queries: Annotated[
        Path | None, typer.Option(help="Judged queries, which either model answers first.", exists=True, dir_okay=False)
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Their judgements, as for evaluate.", exists=True, dir_okay=False)
    ] = None,
    lose: Annotated[float, typer.Option(min=0, max=1, help="So much less NDCG@10 is accepted.")] = 0.01,
    from_log: Annotated[
        bool, typer.Option("--from-log", help="Tell how answers to logged texts change: NDCG@10 by the old answers.")
    ] = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Build the index of the new model, check it, and make it the active one; the old one stays until drop-old.

    With judged queries, both models answer them by vector (extra `evaluate`), and a new one that is worse is refused.
    With a log, it tells how much of the old answers the new model gives.

    Example:

    \b
      pgvec-admin model finish documents
      pgvec-admin model finish documents --queries queries.jsonl --qrels qrels.tsv
    """
    if (queries is None) != (qrels is None):
        raise UsageError("judged queries are two files", "--queries and --qrels, or neither")
    where = open_target(database_url)
    with database.connect(where, autocommit=True) as connection:
        pending = any(one.state == "pending" for one in model_change.changes(connection, name))
        if pending:
            with progress("index", "blocks") as report:
                built = model_change.build(where, name, report)
            if built:
                say(f"index {built.name} is built")
            checks = model_change.check(connection, name, recall)
            print_table(["check", "result", "found"], [(one.check_name, one.result, one.found) for one in checks])
            _compare(connection, name)
            failed = [
                one for one in checks if one.result == "fail" and not (one.check_name == "embedded" and allow_missing)
            ]
            if failed:
                raise CheckFailedError(f"not finished: {failed[0].found}", failed[0].hint)
            if queries and qrels:
                _judge(connection, name, queries, qrels, lose, base_url, api_key)
            if from_log:
                _compare_logged(connection, name, base_url, api_key)
        model_change.finish(connection, name, allow_missing)
        (found,) = model_change.changes(connection, name)
        kept = index.keep_recall(connection, name, only_due=False) if pending else None
    if kept:
        say(tuned(name, kept))
    _tell(found)


@app.command()
def abort(name: Name, yes: Yes = False, database_url: DatabaseUrl = None) -> None:
    """End a change that is not finished: the column of the new model goes, with its vectors.

    Example:

    \b
      pgvec-admin model abort documents --yes
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        confirm(f"drop all vectors of the new model of {name}?", yes=yes)
        model_change.abort(connection, name)
        known = collections.get(connection, name)
    say(f"collection {name} stays with {known.model}")


@app.command("drop-old")
def drop_old(name: Name, yes: Yes = False, database_url: DatabaseUrl = None) -> None:
    """Remove the vectors of the old model, once no client searches by it any more.

    Example:

    \b
      pgvec-admin model drop-old documents --yes
    """
    with database.connect(open_target(database_url), autocommit=True) as connection:
        confirm(f"drop all vectors of the old model of {name}?", yes=yes)
        left = model_change.drop_old(connection, name)
        known = collections.get(connection, name)
    say(f"collection {name} has vectors of {known.model} alone")
    say(
        f"about {size(left)} of old vectors stay in the table until their rows are written again;"
        f" at once, while nothing reads or writes it: vacuum full {known.relation}"
    )


def _compare(connection: database.Connection, name: str) -> None:
    compared = model_change.compare(connection, name)
    if not compared:
        return
    shared = sum(one.shared for one in compared) / len(compared)
    say(f"side by side, of the 10 rows nearest to each of {len(compared)}: {shared:.1f} are the same by both models")
    least = min(compared, key=lambda one: one.shared)
    say(f"least alike, {least.shared} of 10: {least.id}: {shortened(least.content)}")


def _judge(
    connection: database.Connection,
    name: str,
    queries: Path,
    qrels: Path,
    lose: float,
    base_url: str | None,
    api_key: str | None,
) -> None:
    """Answer the queries by both models; CheckFailedError where the new one is worse."""
    search_log.without(connection)
    asked = [evaluation.Query(one.id, one.text) for one in evaluation.read_queries(queries)]
    judged = evaluation.read_qrels(qrels)
    (found,) = model_change.changes(connection, name)
    ndcg = {}
    options = embed.ProviderOptions(base_url=base_url, api_key=api_key)
    for model, searched in ((found.model, name), (found.new_model, found.second)):
        embedder = embed.provider_for(collections.get(connection, searched), options).embed_query
        with progress(f"queries by {model}", "queries") as report:
            (result,) = evaluation.run(
                connection, searched, asked, judged, embed=embedder, report=report, only=["vector"]
            ).results
        ndcg[model] = result.ndcg10
        say(
            f"by {model}: NDCG@10 {result.ndcg10:.3f} ({result.ndcg10_low:.3f} to {result.ndcg10_high:.3f}),"
            f" recall@100 {result.recall100:.3f}"
        )
    lost = ndcg[found.model] - ndcg[found.new_model]
    if lost > lose:
        raise CheckFailedError(
            f"not finished: by {found.new_model}, NDCG@10 is {lost:.3f} less",
            f"--lose {lost + 0.005:.2f} accepts that; pgvec-admin model abort {name} stays with {found.model}",
        )


def _compare_logged(connection: database.Connection, name: str, base_url: str | None, api_key: str | None) -> None:
    """Tell how much of the old model's answers to logged texts the new one gives."""
    search_log.without(connection)
    texts = dict.fromkeys(one.text for one in replay.logged(connection, name) if one.text)
    if not texts:
        raise UsageError(f"the log of {name} has no texts", f"pgvec-admin log on {name} --texts, and let people search")
    asked = [evaluation.Query(str(number), text) for number, text in enumerate(texts)]
    (found,) = model_change.changes(connection, name)
    options = embed.ProviderOptions(base_url=base_url, api_key=api_key)
    old, new = (
        embed.provider_for(collections.get(connection, searched), options).embed_query
        for searched in (name, found.second)
    )
    given = evaluation.answers(connection, name, asked, old)
    with progress(f"logged texts by {found.new_model}", "texts") as report:
        (result,) = evaluation.run(
            connection, found.second, asked, given, embed=new, report=report, only=["vector"]
        ).results
    say(
        f"of {len(asked)} logged texts, the answers by {found.new_model} have NDCG@10 {result.ndcg10:.3f},"
        f" judged by those of {found.model}"
    )


def _tell(found: Change) -> None:
    if found.state == "pending":
        say(
            f"collection {found.name}: from {found.model} ({found.dimensions} dimensions)"
            f" to {found.new_model} ({found.new_dimensions}), {found.missing:,} of {found.rows:,} rows to embed"
        )
        first = f"pgvec-admin embed --collection {found.name}; then " if found.missing else ""
        say(f"next: {first}pgvec-admin model finish {found.name}")
    else:
        say(f"collection {found.name} is searched by {found.new_model} ({found.new_dimensions} dimensions)")
        say(
            f"queries of {found.model} ({found.dimensions} dimensions) are answered until:"
            f" pgvec-admin model drop-old {found.name}"
        )
