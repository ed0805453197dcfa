-- depends: 0002.loads
-- Collections over tables that are there already: the table that holds the rows may be another relation than the one
-- that is searched, which is then a view over it.

alter table pgvec.collections add column if not exists base regclass;
alter table pgvec.collections add column if not exists embedding_column name not null default 'embedding';

update pgvec.collections set base = relation where base is null;

alter table pgvec.collections alter column base set not null;

comment on column pgvec.collections.relation         is 'What is searched: the table that holds the rows, or a view over an adopted one. Follows a rename.';
comment on column pgvec.collections.base             is 'The table that holds the rows and their indexes.';
comment on column pgvec.collections.embedding_column is 'The column of base that holds the vector.';

create table if not exists pgvec.adoptions (
  collection      text primary key references pgvec.collections (name) on update cascade on delete cascade,
  id_column       name not null,
  id_type         text not null,
  content_columns name[] not null check (cardinality(content_columns) > 0),
  metadata_column name,
  side            regclass,
  added_columns   name[] not null default '{}',
  created_at      timestamptz not null default now()
);

comment on table  pgvec.adoptions                 is 'Collections over tables that were there before, and what was added to them.';
comment on column pgvec.adoptions.collection      is 'The collection.';
comment on column pgvec.adoptions.id_column       is 'The column of the table whose text is the id.';
comment on column pgvec.adoptions.id_type         is 'Its type, as format_type gives it.';
comment on column pgvec.adoptions.content_columns is 'The columns that make up the content, in order.';
comment on column pgvec.adoptions.metadata_column is 'The jsonb column that is the metadata; null for the rest of the row.';
comment on column pgvec.adoptions.side            is 'The table of lexemes and hashes, keyed by the id; null where they were added to the table itself.';
comment on column pgvec.adoptions.added_columns   is 'Columns that adoption added to the table, and release removes.';
comment on column pgvec.adoptions.created_at      is 'When it was adopted.';

revoke all on table pgvec.adoptions from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('anon', 'authenticated', 'service_role', 'pgvec_reader', 'pgvec_writer')
  loop
    execute format('grant select on table pgvec.adoptions to %I', role_name);
  end loop;
end
$$;
