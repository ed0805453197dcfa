-- pgvec.index_sources -- the index by which chunks of a source are found.
-- The source comes first even where rows belong to tenants: the planner has no statistics of tenants (pgvec.hide_statistics),
-- and of two indexes that begin with the tenant it used this one, the smaller, to look up a row by its key.
create or replace function pgvec.index_sources(collection text, relation regclass, access text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('create index %I on %s (source, %s chunk_index)', index_sources.collection || '_source_idx', relation,
                 case access when 'tenant' then 'tenant_id,' end);
end
$$;
comment on function pgvec.index_sources(text, regclass, text) is
  'Makes the index NAME_source_idx on the table of a collection: of source and chunk_index, between them the tenant for access tenant.';
revoke all on function pgvec.index_sources(text, regclass, text) from public;
