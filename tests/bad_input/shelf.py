"""The database of the bad input: see bad_input/shelf.sql."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

import bad_input
from conftest import Connection
from pgvec_admin.server import embedded

# the state that no refused call may change
STATE = """
select (select count(*) from pg_catalog.pg_proc), (select count(*) from pg_catalog.pg_class where relname !~ '^pg_'),
       (select md5(string_agg(c::text, ',' order by c.name)) from pgvec.collections as c),
       (select md5(string_agg(d::text, ',' order by d.id)) from documents as d),
       (select md5(string_agg(d::text, ',' order by d.id)) from halves as d),
       (select md5(string_agg(d::text, ',' order by d.id)) from notes as d),
       (select md5(string_agg(d::text, ',' order by d.id)) from jobs as d),
       (select count(*) from private), (select sum(t.changes) from pgvec.text_totals as t where t.collection <> 'heap')
"""


@contextmanager
def fill(server: embedded.Server, template: str, name: str) -> Iterator[Connection]:
    """A new database with the engine and the objects of the cases, and a connection to it."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        statement = sql.SQL("create database {} template {} strategy file_copy")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        connection.execute((bad_input.FOLDER / "shelf.sql").read_bytes())
        connection.execute("set statement_timeout = '30s'")
        yield connection
