-- pgvec.adopted_metadata -- the column that is taken as the metadata of a table to adopt where none is named, or null.
-- The tables of the usual guides and libraries keep it in one column, metadata (Supabase, Spring AI), langchain_metadata or cmetadata
-- (langchain-postgres), or metadata_ (LlamaIndex), and clients filter by its keys. A table with several such columns has the rest of the row.
create or replace function pgvec.adopted_metadata(relation regclass, content_columns text[])
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case when count(*) = 1 then min(a.attname::text) filter (where a.attname in ('metadata', 'cmetadata', 'langchain_metadata', 'metadata_')) end
    from pg_catalog.pg_attribute as a
   where a.attrelid = adopted_metadata.relation
     and a.attnum > 0
     and not a.attisdropped
     and a.atttypid in ('jsonb'::regtype, 'json'::regtype)
     and a.attname <> all (content_columns)
$$;
comment on function pgvec.adopted_metadata(regclass, text[]) is
  'The only json or jsonb column of a table, if its name is metadata, cmetadata, langchain_metadata or metadata_; else null.';
revoke all on function pgvec.adopted_metadata(regclass, text[]) from public;
