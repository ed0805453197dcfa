"""A tenant that has most of the rows of a collection is answered by one look along the index, like any other."""

from __future__ import annotations

import installation
from installation import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import index

LARGE, SMALL = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
FILL = """
insert into notes (tenant_id, id, content, embedding)
select case when i %% 3 < 2 then %(large)s else %(small)s end::uuid, i::text, 'row ' || i,
       array[sin(i * 7919.0), cos(i * 104729.0), sin(i * 1299709.0)]::float4[]::extensions.vector
  from generate_series(1, 15000) as i
"""
EXACT = """
select id
  from notes
 where tenant_id = %s
 order by (embedding operator(extensions.<=>) %s::extensions.vector) + 0, id
 limit %s
"""
LOOKED = """
select cardinality(pgvec.look_in_tenant(c, %s, %s::extensions.vector, %s))
  from pgvec.collections as c
 where c.name = 'notes'
"""


def _found(connection: Connection, vector: str, count: int, tenant: str | None = None) -> list[str]:
    statement = "select id from match_documents(%s, %s, collection => 'notes', for_tenant => %s)"
    return [row[0] for row in connection.execute(statement, (vector, count, tenant)).fetchall()]


def test_whatever_its_share_a_tenant_gets_its_own_nearest_rows(connection: Connection, database: str) -> None:
    connection.execute("select pgvec.create_collection('notes', 3, access => 'tenant')")
    connection.execute(FILL, {"large": LARGE, "small": SMALL})
    # a flood of equal rows: which of them are returned must not depend on the index
    connection.execute(
        "insert into notes (tenant_id, id, content, embedding) select %s, 'same' || i, 'x', '[1,2,3]'"
        " from generate_series(1, 40) as i",
        (LARGE,),
    )
    index.create(Target(database, "the test"), "notes", method="hnsw", storage="vector")
    connection.execute("vacuum analyze notes")
    vectors = ["[1,2,3]", "[0.3,-0.9,0.1]", "[-0.5,0.4,0.8]", "[0.1,0.1,-1]", "[0.7,0.7,0.2]"]
    looks = [connection.execute(LOOKED, (LARGE, vector, 10)).fetchone() for vector in vectors]
    assert looks == [(None,), *[(11,)] * 4]  # a tie at LIMIT is for the whole search
    assert connection.execute(LOOKED, (SMALL, vectors[1], 10)).fetchone() == (None,)
    for tenant in (LARGE, SMALL):
        with installation.connect(database, "pgvec_reader") as member:
            member.execute("select set_config('app.tenant_id', %s, false)", (tenant,))
            for vector in vectors:
                for count in (1, 10, 300):
                    wanted = [row[0] for row in connection.execute(EXACT, (tenant, vector, count)).fetchall()]
                    for found in (_found(member, vector, count), _found(connection, vector, count, tenant)):
                        assert len(found) == count
                        assert len(set(found) & set(wanted)) >= 0.95 * count, (tenant, vector, count)
                        if vector == "[1,2,3]" and count == 10 and tenant == LARGE:
                            assert found == wanted
