"""pgvec-admin demo: from nothing to search results."""

from __future__ import annotations

import time
from itertools import zip_longest

from pgvec_admin import database, demo, providers
from pgvec_admin.cli.output import DatabaseUrl, echo, print_table, progress, say
from pgvec_admin.cli.search import print_hits
from pgvec_admin.database import Target
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections, index
from pgvec_admin.engine import search as searches
from pgvec_admin.errors import UsageError
from pgvec_admin.install import migrate
from pgvec_admin.loading import load


def command(database_url: DatabaseUrl = None) -> None:
    """From nothing to search results: a server, a real corpus, real embeddings, an index, three questions.

    The corpus is the documentation of this Python's standard library. Run it again and it finds everything there.

    Example:

    \b
      pgvec-admin demo
    """
    started = time.monotonic()
    where = (database.target(database_url) if database_url else None) or _embedded_server()
    report = migrate.migrate(where, report=say)
    say(f"engine: {report.summary()}")
    provider = providers.provider(demo.MODEL)
    _fill(where, provider)
    with progress("index", "blocks") as report_blocks:
        build = index.create(where, demo.COLLECTION, report=report_blocks)
    say(f"index: {build.name} {'was there' if build.existed else 'built'}")
    _ask(where, provider)
    _same_elsewhere(where)
    say(f"done in {time.monotonic() - started:.0f} s")


def _embedded_server() -> Target:
    from pgvec_admin.server import embedded

    instance = embedded.default_instance()
    running = instance.status()
    server = running or instance.start()
    say(f"server: PostgreSQL {server.version} {'was running' if running else 'started'} in {server.directory}")
    return Target(server.url(), "the embedded server")


def _fill(where: Target, provider: providers.Provider) -> None:
    with database.connect(where, autocommit=True) as connection:
        known = {found.name: found for found in collections.status(connection)}
        if demo.COLLECTION not in known:
            collections.create(connection, demo.COLLECTION, demo.DIMENSIONS, model=demo.MODEL)
            say(f"collection: {demo.COLLECTION} created, {demo.DIMENSIONS} dimensions, {demo.MODEL}")
        elif known[demo.COLLECTION].model != demo.MODEL:
            raise UsageError(
                f"there is a collection {demo.COLLECTION!r} already, which is not the demo's",
                "run the demo on another database: --database-url",
            )
        else:
            say(f"collection: {demo.COLLECTION} was there, {known[demo.COLLECTION].rows or 0:,} rows")

        with progress("load", "rows") as report:
            loaded = load.load_records(connection, demo.COLLECTION, demo.records(), report=report)
        say(f"load: {loaded.inserted:,} new, {loaded.updated:,} changed, {loaded.unchanged:,} unchanged")
        with progress("embed", "rows") as report:
            done = embed.embed(connection, demo.COLLECTION, provider, report=report)
        say(f"embed: {done.embedded:,} rows" if done.embedded else "embed: nothing to do")


def _ask(where: Target, provider: providers.Provider) -> None:
    with database.connect(where, autocommit=True) as connection:
        for question in demo.QUESTIONS:
            embedding = provider.embed_query(question)
            modes = (
                searches.by_vector(connection, question, embedding, collection=demo.COLLECTION, match_count=5),
                searches.by_keyword(connection, question, collection=demo.COLLECTION, match_count=5),
                searches.by_hybrid(connection, question, embedding, collection=demo.COLLECTION, match_count=5),
            )
            print_table(
                ["rank", "vector", "keyword", "hybrid"],
                [
                    [rank, *(f"{hit.score:.3f} {hit.id}" if hit else "" for hit in row)]
                    for rank, row in enumerate(zip_longest(*modes), 1)
                ],
                title=f"\n{question}",
            )
        print_hits(modes[-1], "score", title="\nthe last again, hybrid")


def _same_elsewhere(where: Target) -> None:
    """The same searches by psql and by RPC, for copying."""
    psql = "pgvec-admin db psql" if where.origin == "the embedded server" else "psql ..."
    words = demo.QUESTIONS[1]
    echo(
        f"""
the same in psql ({psql}), nearest to a row that is there:

  select id, similarity
    from match_documents((select embedding from documents where id = 'argparse'), match_count => 5);
  select id, score from keyword_search('{words}', match_count => 5);
  select id, score, similarity, keyword_score
    from hybrid_search('{words}', (select embedding from documents where id = 'tempfile'), match_count => 5);

and through Supabase, from any language:

  supabase.rpc("match_documents", {{"query_embedding": [...], "match_count": 5, "filter": {{"kind": "module"}}}})
  supabase.rpc("keyword_search", {{"query_text": "{words}", "match_count": 5}})
  supabase.rpc("hybrid_search", {{"query_text": "{words}", "query_embedding": [...], "match_count": 5}})

ask your own: pgvec-admin search "how do I parse JSON" --mode hybrid
""",  # noqa: S608 - shown, not run
        lines=True,
    )
