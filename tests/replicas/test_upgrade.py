"""The upgrade of an embedded server from 16 to 18: the same rows and answers, by the same index; back, and for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import every_call
import installation
from installation import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import index
from pgvec_admin.errors import CheckFailedError, PgvecError, UsageError
from pgvec_admin.quality import verification
from pgvec_admin.server import upgrade as module
from pgvec_admin.server.embedded import Instance
from pgvec_admin.server.upgrade import Upgrade

ROWS = """
select pgvec.create_collection('many', 8);
insert into many (id, content, metadata, embedding)
select i::text, 'row number ' || i, jsonb_build_object('n', i % 10),
       array(select sin(i * j * 0.37) from generate_series(1, 8) as j)::real[]::extensions.vector
  from generate_series(1, 3000) as i;
select pgvec.log_searches('many', sample => 1);
"""
SEARCHES = (
    "match_documents(array[1, 2, 3, 4, 5, 6, 7, 8]::real[]::extensions.vector, 20, collection => 'many')",
    "match_documents(array[1, 2, 3, 4, 5, 6, 7, 8]::real[]::extensions.vector, 20, '{\"n\": 3}', collection => 'many')",
    "keyword_search('number 17', 20, collection => 'many')",
    "hybrid_search('number 17', array[1, 2, 3, 4, 5, 6, 7, 8]::real[]::extensions.vector, 20, collection => 'many')",
    "match_documents('[1,2]', 20)",
    "match_documents('[1,2]', 20, collection => 'jobs')",
    "keyword_search('red fish', 20, collection => 'jobs')",
    "search('red fish', 20)",
)
# everything in the registry that is the oid of something
OIDS = """
select format('select %L, array(select t.%I::oid || '' '' || t.%I::oid::regclass from pgvec.%I as t order by 1)',
              r.relname || '.' || a.attname, a.attname, a.attname, r.relname)
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_class as r on r.oid = a.attrelid
 where r.relnamespace = 'pgvec'::regnamespace and r.relkind = 'r' and a.attnum > 0
   and a.atttypid in ('oid'::regtype, 'regclass'::regtype)
 order by 1
"""


def oids(connection: Connection) -> dict[str, list[str]]:
    asked = [query for (query,) in connection.execute(OIDS).fetchall()]
    rows = [connection.execute(query.encode()).fetchone() for query in asked]
    return {row[0]: row[1] for row in rows if row}


def answers(connection: Connection) -> list[list[tuple[Any, ...]]]:
    connection.execute("set enable_seqscan = off")  # the index, though so few rows would be scanned
    return [connection.execute(f"select * from public.{search}".encode()).fetchall() for search in SEARCHES]


def planned(connection: Connection) -> tuple[Any, ...] | None:
    return connection.execute(
        "select route, index from"
        " pgvec.explain_search('many', array[1, 2, 3, 4, 5, 6, 7, 8]::real[]::extensions.vector)"
    ).fetchone()


@pytest.fixture
def old() -> Iterator[Instance]:
    with installation.own_server(16) as instance:
        try:
            yield instance
        finally:
            Instance(18, _new(instance)).stop()


def _new(old: Instance) -> Path:
    return old.directory.with_name("new")


def test_an_upgrade_keeps_rows_answers_oids_and_settings_and_can_be_undone(old: Instance) -> None:
    url = old.start().url()
    installation.install(url)
    with installation.connect(url) as connection:
        connection.execute(f"{every_call.FILL};{every_call.LATER};{ROWS}".encode())
        connection.execute("create database other")
        connection.execute("create role reporter login in role pgvec_reader")
    index.create(Target(url, "the tests"), "many", method="hnsw", storage="vector")
    with installation.connect(url) as connection:
        connection.execute("alter system set work_mem = '7MB'")
        connection.execute("analyze")
        before, known, plan = answers(connection), oids(connection), planned(connection)
    assert plan == ("index", "many_embedding_hnsw_cosine_idx")
    assert known["collections.search_index_oid"]
    with (old.data / "postgresql.conf").open("a") as file:
        file.write("log_min_duration_statement = 1234\n")
    with (old.data / "pg_hba.conf").open("a") as file:
        file.write("host all reporter 127.0.0.1/32 reject\n")

    upgrade = Upgrade(old, directory=_new(old))
    server = upgrade.run()
    with installation.connect(server.url()) as connection:
        assert connection.info.server_version >= 180000
        assert oids(connection) == known
        assert answers(connection) == before
        assert planned(connection) == plan
        shown = [connection.execute(f"show {name}".encode()).fetchone() for name in _SHOWN]
        assert shown == [("7MB",), ("1234ms",), ("on",)]
        assert connection.execute("select count(*) from pg_database where datname = 'other'").fetchone() == (1,)
        connection.execute("insert into many (id, content) values ('new', 'since')")
    assert "host all reporter 127.0.0.1/32 reject" in (upgrade.data / "pg_hba.conf").read_text()
    assert server.password == (old.directory / "password").read_text().strip()
    # time for two hundred queries of a collection: of fewer, recall is found to be less than it is by chance
    options = verification.Options(seconds=2, wanted_recall=0.9)
    checks = list(verification.run(Target(server.url(), "the tests"), options))
    assert [one for one in checks if one.result == "fail"] == []
    analyzed = next(one for one in checks if (one.area, one.check_name) == ("many", "analyze"))
    assert str(analyzed.found).startswith("analyzed just now")

    with pytest.raises(UsageError, match="was upgraded, and this is its data from before"):
        old.start()
    with pytest.raises(UsageError, match="was upgraded already"):
        upgrade.run()
    again = upgrade.undo()
    assert again.version == 16
    with installation.connect(again.url()) as connection:
        assert answers(connection) == before
        assert connection.execute("select count(*) from many").fetchone() == (3000,)
    assert not upgrade.exists()


_SHOWN = ("work_mem", "log_min_duration_statement", "data_checksums")


def test_an_upgrade_that_cannot_be_is_refused_and_leaves_the_old_server_as_it_was(
    old: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = Upgrade(old, directory=_new(old))
    with pytest.raises(UsageError, match="there is no PostgreSQL 16 to upgrade"):
        upgrade.run()
    with psycopg.connect(old.start().url(), autocommit=True) as connection:
        # a type whose oids another version may number otherwise: pg_upgrade takes none
        connection.execute("create table names as select 'pg_catalog'::regnamespace as name")
    with pytest.raises(UsageError, match="no upgrade of PostgreSQL 16 waits to be confirmed"):
        upgrade.confirm()
    with pytest.raises(PgvecError, match=r"pg_upgrade failed:(.|\n)*reg\*(.|\n)*public.names.name") as refusal:
        upgrade.run()
    assert "db start --postgres 16" in str(refusal.value.hint)
    assert (upgrade.exists(), upgrade.unconfirmed) == (False, False)
    monkeypatch.setattr(module, "_SPARE", 1 << 60)
    with pytest.raises(CheckFailedError, match="an upgrade copies the data"):
        upgrade.run()
