"""verify says where a collection's table is distributed by Citus.

Citus is in no registry of packages: the table of its catalog that is read is made by hand.
"""

from __future__ import annotations

from conftest import Connection

CATALOG = """
set allow_system_table_mods = on;
create table pg_catalog.pg_dist_partition (logicalrelid regclass primary key, partmethod "char");
reset allow_system_table_mods
"""
DISTRIBUTED = """
insert into pg_dist_partition
select p, 'h' from pgvec.partitions('notes') as p union select 'plain'::regclass, 'h'
"""
CHECKED = "select result, found from pgvec.verify_distribution()"


def test_a_distributed_table_is_told(connection: Connection, administrator: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 3, access => 'tenant', partition => 2)")
    connection.execute("select pgvec.create_collection('plain', 3)")
    assert administrator.execute(CHECKED).fetchall() == []  # without Citus there is nothing to say
    administrator.execute(CATALOG)
    assert [row[0] for row in administrator.execute(CHECKED)] == ["ok"]
    administrator.execute(DISTRIBUTED)
    [(status, message)] = administrator.execute(CHECKED).fetchall()
    assert status == "fail"
    assert "of collection 'notes' is distributed" in message
    assert "plain of collection 'plain' is distributed" in message
