"""Three collections in which verify finds nothing, and how they are damaged."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

import installation
from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.quality.verification import Check, Options
from pgvec_admin.server import embedded

QUICK = Options(seconds=0.005)

VECTOR = "array[i % 97, i % 89, i % 7, i % 3, 1, 2, 3, i % 5]::real[]::extensions.vector"
FILL = f"""
select pgvec.create_collection('documents', 8);
select pgvec.create_collection('notes', 8, access => 'tenant', partition => 2);
create table jobs (id int primary key, title text, embedding extensions.vector(8));
insert into jobs select i, 'job number ' || i, {VECTOR} from generate_series(1, 30) as i;
select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{{title}}');
select pgvec.create_collection_api('jobs');
insert into documents (id, content, metadata, embedding)
select i, format('text number %s about fish', i), '{{"lang": "en"}}', {VECTOR} from generate_series(1, 300) as i;
insert into notes (tenant_id, id, content, metadata, embedding)
select format('00000000-0000-0000-0000-00000000000%s', i % 2)::uuid, i, 'note ' || i, '{{"lang": "en"}}', {VECTOR}
  from generate_series(1, 40) as i;
create index documents_embedding_idx on documents using hnsw (embedding extensions.vector_cosine_ops);
select pgvec.note_index('documents');
"""
ADD_ROWS = f"""
create function pg_temp.add_rows(wanted int, how text default 'm = 16') returns void language plpgsql as $$
begin
  drop index documents_embedding_idx;
  insert into documents (id, content, embedding)
  select 'more ' || i, 'word' || i, {VECTOR} from generate_series(1, wanted) as i;
  execute 'create index documents_embedding_idx on documents using hnsw (embedding extensions.vector_cosine_ops) with ('
          || how || ')';
  perform pgvec.note_index('documents'), pgvec.refresh_statistics('documents');
end
$$
"""


def fill(connection: Connection) -> None:
    connection.execute(FILL)
    connection.execute("vacuum analyze")


def damage(where: Target, *statements: str) -> None:
    """Run these as a superuser; pg_temp.add_rows(n) makes n rows more in `documents`, and its index anew."""
    superuser = make_conninfo(where.conninfo, user=embedded.SUPERUSER)
    with installation.connect(superuser) as connection:
        connection.execute(ADD_ROWS)
        for statement in statements:
            connection.execute(statement)
            # or what it counted comes after a VACUUM that has seen it
            connection.execute("select pg_stat_force_next_flush()")
            if "add_rows" in statement:
                connection.execute("vacuum analyze documents")
        connection.execute("select pg_stat_force_next_flush()")


def known(check: Check) -> bool:
    """The findings about the machine that the tests run on: it may be busy, and Debian's pgvector is 0.8.0."""
    old = check.check_name == "pgvector" and "can corrupt HNSW indexes" in (check.found or "")
    return old or (check.check_name == "latency" and check.result == "warn")
