-- pgvec.foreign_columns -- the columns of a collection's table whose type is not the one the engine gave them.
-- A table's owner may give a column a type with casts of the owner's own, which run as the role that reads or assigns the
-- column.
create or replace function pgvec.foreign_columns(collection pgvec.collections)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array(
           select format('column %I is of type %s', a.attname, format_type(a.atttypid, a.atttypmod))
             from pg_catalog.pg_attribute as a
             left join lateral pgvec.adopted((foreign_columns.collection).name) as x on true
            cross join lateral (
                  select case
                           when case when x.collection is null then a.attname = (foreign_columns.collection).embedding_column else a.attnum = x.embedding_number end
                             then array['extensions.vector'::regtype, 'extensions.halfvec'::regtype]
                           when x.collection is not null and a.attnum = x.id_number
                             then '{smallint,integer,bigint,uuid,text,varchar}'::regtype[]
                           when x.collection is not null and a.attnum <> all (x.added_numbers) then null
                           when a.attname in ('fts') then '{tsvector}'::regtype[]
                           when a.attname in ('bm25') then array['extensions.sparsevec'::regtype]
                           when x.collection is null and a.attname in ('embedding_next', 'embedding_old')
                             then array['extensions.vector'::regtype, 'extensions.halfvec'::regtype]
                           when x.collection is null and a.attname in ('embedded_by', 'embedded_by_next', 'embedded_by_old') then '{integer}'::regtype[]
                           when x.collection is null and a.attname in ('embedded_hash_next', 'embedded_hash_old') then '{text}'::regtype[]
                           when a.attname in ('content_hash', 'embedded_hash') then '{text}'::regtype[]
                           when x.collection is not null then null
                           when a.attname in ('id', 'source', 'content', 'language') then '{text}'::regtype[]
                           when a.attname in ('tenant_id') then '{uuid}'::regtype[]
                           when a.attname in ('chunk_index') then '{integer}'::regtype[]
                           when a.attname in ('metadata') then '{jsonb}'::regtype[]
                           when a.attname in ('created_at', 'updated_at') then '{timestamptz}'::regtype[]
                         end as types) as expected
            where a.attrelid = (foreign_columns.collection).base
              and a.attnum > 0
              and not a.attisdropped
              and a.atttypid::regtype <> all (expected.types)
            order by a.attnum)
$$;
comment on function pgvec.foreign_columns(pgvec.collections) is
  'The columns that the engine reads or writes by itself and whose type is not the original one, each as a phrase; of an adopted table its key, its embedding and '
  'the columns that adoption added. Empty where all types are the original ones.';
revoke all on function pgvec.foreign_columns(pgvec.collections) from public;
