-- document_context -- a chunk with its neighbours: what comes before and after it in its source.
create or replace function public.document_context(
    document_id text,
    before int default 1,
    after int default 1,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, source text, chunk_index int, content text, metadata jsonb, is_hit boolean)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(coalesce(document_context.collection, 'documents'), for_tenant);
  target pgvec.collections := request.collection;
begin
  return query execute format(
    $query$
    select n.id, n.source, n.chunk_index, n.content, n.metadata, n.id = i.id
      from (select $1 as id) as i
      join %1$s as d on d.id = i.id
     cross join lateral (
           select r.id, r.source, r.chunk_index, r.content, r.metadata
             from %2$s as r
            where r.source = d.source
              and r.chunk_index between d.chunk_index::bigint - $2 and d.chunk_index::bigint + $3
              and r.id <> d.id %3$s
            union all
           select d.id, d.source, d.chunk_index, d.content, d.metadata) as n
     order by n.chunk_index, n.id
    $query$, pgvec.rows_of(request, by_key => 'i.id'), coalesce(target.source, target.relation::text), case when request.tenants is not null then 'and r.tenant_id = d.tenant_id' end)
    using document_id, least(greatest(coalesce(before, 1), 0), 1000), least(greatest(coalesce(after, 1), 0), 1000);
end
$$;
comment on function public.document_context(text, int, int, text, uuid) is
  'The row with this id and the chunks of its source from before places before it to after places behind it (0 to 1000), in order. is_hit marks the row itself. No '
  'rows for an unknown id. Errors: PV001 unknown collection, PV006 tenant.';
revoke all on function public.document_context(text, int, int, text, uuid) from public;
select pgvec.grant_execute('public.document_context(text, int, int, text, uuid)', 'reader');
