"""What a search looks up in the statistics of words is looked up by index, whatever the planner believes of them."""

from __future__ import annotations

import re

import psycopg

from conftest import Connection, copied, filled
from every_call import FILL, LATER, TENANT, calls
from plans import believe

LEXEMES = "pgvec.lexemes"


def _fill(connection: Connection) -> None:
    connection.execute((FILL + LATER).encode())


with_collections = filled("looked_up", _fill)
database = copied("with_collections")


def test_no_call_of_a_reader_reads_all_lexemes(connection: Connection, database: str) -> None:
    """A table that was analysed when it was nearly empty, and filled since: all of it was read for each lexeme."""
    believe(database, LEXEMES, 1)
    connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
    reading, looking, before = set(), set(), _scans(connection)
    for name, call in calls(connection, "pgvec_reader"):
        if re.search("'(l1|l2|inner_product)'", call):
            continue  # how vectors are compared has no part in what is looked up of words
        with connection.transaction(force_rollback=True):
            try:
                with connection.transaction():
                    connection.execute(call.encode())
            except psycopg.Error:
                continue
            now = _scans(connection)
            reading |= {name} if now[0] != before[0] else set()
            looking |= {name} if now[1] != before[1] else set()
        before = _scans(connection)
    assert reading == set()
    assert looking >= {
        f"public.{name}"
        for name in ("keyword_search", "hybrid_search", "search", "suggest_query", "suggest_completions")
    }


def _scans(connection: Connection) -> tuple[int, int]:
    """Scans of the table, and of its indexes, by this session, which nobody has been told of yet."""
    found = connection.execute(
        "select seq_scan, idx_scan from pg_stat_xact_user_tables where relid = %s::regclass", (LEXEMES,)
    ).fetchone()
    return found or (0, 0)
