"""The plans of the statements within functions, as the server makes them, and what it believes for that."""

from __future__ import annotations

import re

import psycopg
from psycopg import sql

import installation
from conftest import Connection

_SCANS = re.compile(r"\{(?:INDEXSCAN|INDEXONLYSCAN|BITMAPINDEXSCAN)\b.*?:indexid\s+(\d+)", re.DOTALL)
_TABLES = re.compile(r"\{(?:RTE|RANGETBLENTRY)\b.*?:relid\s+(\d+)", re.DOTALL)


def scans(
    connection: Connection, statement: str, *parameters: object, before: str = ""
) -> list[tuple[set[str], set[str]]]:
    """Of each plan in a statement and in the functions that it calls: the tables it reads, and the indexes it uses.

    A plan with a sequential scan has `seq scan` among its indexes. debug_print_plan shows plans to every user, but not
    those that the session has cached, hence a new connection. `before` is run on it first.
    """
    plans: list[tuple[str, str]] = []
    with psycopg.connect(connection.info.dsn, autocommit=True) as asking:
        asking.add_notice_handler(lambda notice: plans.append((notice.context or "", notice.message_detail or "")))
        asking.execute(before)
        asking.execute("set debug_print_plan = on; set debug_pretty_print = off; set client_min_messages = log")
        asking.execute(sql.SQL(statement), parameters)
    names = {
        str(oid): name for oid, name in connection.execute("select oid, oid::regclass::text from pg_class").fetchall()
    }
    told = []
    for context, plan in plans:
        if context.startswith('SQL statement "explain'):
            continue  # an EXPLAIN, not run
        tables = {names[oid] for oid in _TABLES.findall(plan) if oid in names}
        indexes = {names[oid] for oid in _SCANS.findall(plan) if oid in names}
        told.append((tables, indexes | ({"seq scan"} if "{SEQSCAN" in plan else set())))
    return told


def believe(url: str, table: str, rows: int) -> None:
    """Let the planner believe that a table has so few rows, or so many, and know nothing of what is in them."""
    with installation.connect(installation.as_superuser(url)) as connection:
        connection.execute("delete from pg_statistic where starelid = %s::regclass", (table,))
        connection.execute(
            "update pg_class set relpages = greatest(1, pg_relation_size(oid) / 8192), reltuples = %s"
            " where oid = %s::regclass",
            (rows, table),
        )
