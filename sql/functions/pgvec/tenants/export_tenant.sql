-- pgvec.export_tenant -- all rows of a tenant, as upsert_documents takes them.
create or replace function pgvec.export_tenant(tenant uuid)
  returns table (collection text, document jsonb)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c where c.access = 'tenant' and has_table_privilege(c.relation, 'select') is not null order by c.name
  loop
    return query execute format(
      $query$
      select $1, jsonb_strip_nulls(jsonb_build_object('id', d.id, 'source', d.source, 'chunk_index', d.chunk_index, 'language', d.language))
                 || jsonb_build_object('content', d.content, 'metadata', d.metadata, 'embedding', d.embedding::extensions.vector::text::jsonb)
        from %s as d
       where d.tenant_id = $2
       order by d.id
      $query$, item.relation)
      using item.name, tenant;
  end loop;
end
$$;
comment on function pgvec.export_tenant(uuid) is
  'The rows of a tenant in all collections, each as a JSON object with id, source, chunk_index, language, content, metadata and embedding.';
revoke all on function pgvec.export_tenant(uuid) from public;
