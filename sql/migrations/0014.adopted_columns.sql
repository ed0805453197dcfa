-- depends: 0013.embedding
-- An adopted table is its application's: its columns are known by number, what is read of it is a text that follows them,
-- and nothing of ours refers to it but triggers.

alter table pgvec.collections add column if not exists source text;
alter table pgvec.collections add column if not exists plain_source text;
alter table pgvec.collections add column if not exists source_columns text;

-- a search reads the row, and would have to unpack its texts
alter table pgvec.collections set (toast_tuple_target = 8160);

comment on column pgvec.collections.source         is 'Of an adopted table: the FROM item that searches read, with the columns of a collection; null for a table of our own.';
comment on column pgvec.collections.plain_source   is 'source for searches without a filter, which need none of the table''s own columns.';
comment on column pgvec.collections.source_columns is
  'A hash of the name and columns of the adopted table that source was made for (pgvec.column_state); where they are others now, each search makes it anew.';
comment on column pgvec.collections.relation       is 'The table that holds the rows; of an adopted one a view for psql, which searches do not read. Follows a rename.';

alter table pgvec.adoptions add column if not exists base_oid oid;
alter table pgvec.adoptions add column if not exists id_number int2;
alter table pgvec.adoptions add column if not exists content_numbers int2[];
alter table pgvec.adoptions add column if not exists metadata_number int2;
alter table pgvec.adoptions add column if not exists embedding_number int2;
alter table pgvec.adoptions add column if not exists added_numbers int2[];

comment on column pgvec.adoptions.base_oid         is 'The oid of the table that the numbers are of; in a restored database it has another, and its columns are known by name.';
comment on column pgvec.adoptions.id_number        is 'pg_attribute.attnum of id_column, which may have been renamed since.';
comment on column pgvec.adoptions.content_numbers  is 'Those of content_columns.';
comment on column pgvec.adoptions.metadata_number  is 'That of metadata_column.';
comment on column pgvec.adoptions.embedding_number is 'That of the vector.';
comment on column pgvec.adoptions.added_numbers    is 'Those of added_columns.';
comment on column pgvec.adoptions.id_type          is 'Its type when it was adopted, as format_type gives it.';
comment on column pgvec.adoptions.metadata_column  is 'The json or jsonb column that is the metadata; null for the rest of the row.';

-- columns of tables that were adopted by earlier releases, whose views kept them from being dropped
update pgvec.adoptions as a
   set base_oid         = c.base,
       id_number        = (select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = c.base and t.attname = a.id_column),
       content_numbers  = array(select t.attnum from unnest(a.content_columns) with ordinality as u (name, place)
                                  join pg_catalog.pg_attribute as t on t.attrelid = c.base and t.attname = u.name order by u.place),
       metadata_number  = (select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = c.base and t.attname = a.metadata_column),
       embedding_number = (select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = c.base and t.attname = c.embedding_column),
       added_numbers    = array(select t.attnum from pg_catalog.pg_attribute as t where t.attrelid = c.base and t.attname = any (a.added_columns))
  from pgvec.collections as c
 where c.name = a.collection
   and a.base_oid is null;

-- an average of no words divided by zero
update pgvec.bm25_parameters set average_length = null where average_length = 0;
