-- pgvec.merge_staged -- merges the staged rows into a collection; loading the same rows again changes nothing.
-- Identical rows are left alone. Changed ones are updated, and keep their embedding until there is a new one (it is stale then,
-- exactly where the text changed). A chunk that only moved within its source takes its embedding along, and leaves none to the
-- chunk that has its number now. Rows are locked in the order of their ids, so that two loads of the same rows wait for each other instead of deadlocking.
drop function if exists pgvec.merge_staged(text, text[], int[], boolean);

create or replace function pgvec.merge_staged(
    collection text,
    complete_sources text[] default '{}',
    chunk_counts int[] default '{}',
    reuse_embeddings boolean default false,
    for_tenant uuid default null)
  returns table (inserted bigint, updated bigint, unchanged bigint, removed bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- a batch is sorted in memory
  set work_mem = '64MB'
as $$
declare
  request pgvec.search_request := pgvec.writable(merge_staged.collection, for_tenant);
  target  pgvec.collections := request.collection;
  own     text := pgvec.of_tenant(request, 'r');
  tenant  text := quote_literal(request.tenants[1]) || ', ';
  moved   text[] := array[]::text[];  -- rows whose embedding is that of a text which has another number now
begin
  if to_regclass('pg_temp.staged_documents') is null then
    raise exception using
      errcode = 'PV004',
      message = 'nothing is staged',
      hint    = format('select pgvec.begin_staging(%L), then fill pg_temp.staged_documents in the same transaction', target.name);
  end if;
  unchanged := pgvec.skip_unchanged(request);

  -- rows are looked up one by one, by key: the planner has no statistics of a table that was just filled, nor of a tenant
  execute format(
    $query$
    select
      from (select s.id from pg_temp.staged_documents as s order by s.id) as s
     cross join lateral (select from %1$s as r where r.id = s.id %2$s for update) as d
    $query$, target.relation, own);
  get diagnostics updated = row_count;

  if reuse_embeddings then
    moved := pgvec.reuse_embeddings(request);
  end if;

  -- an existing row conflicts, and is updated: it is found by the key's index, whatever the planner estimates
  execute format(
    $query$
    insert into %1$s as d (%3$s id, source, chunk_index, content, metadata, embedding)
    select %4$s s.id, s.source, s.chunk_index, s.content, s.metadata, s.embedding::extensions.%2$I
      from pg_temp.staged_documents as s
     order by s.id
        on conflict (%3$s id) do update
       set source = excluded.source,
           chunk_index = excluded.chunk_index,
           content = excluded.content,
           metadata = excluded.metadata,
           embedding = coalesce(excluded.embedding, case when excluded.id <> all ($1) then d.embedding end),
           embedded_hash = case when excluded.embedding is not null then md5(excluded.content) when excluded.id <> all ($1) then d.embedded_hash end,
           embedded_by = case when excluded.embedding is null then d.embedded_by end
    $query$, target.relation, target.storage, case when tenant is not null then 'tenant_id,' end, tenant)
    using moved;
  get diagnostics inserted = row_count;
  inserted := inserted - updated;

  -- only chunks that a load has numbered: a row with any other id is not one of them; and what is chunks now is no whole row
  execute format(
    $query$
    delete from %1$s as d
     using unnest($1, $2) as c (source, chunks)
     cross join lateral (
           select r.* from %1$s as r
            where r.source = c.source
              and r.chunk_index >= c.chunks
              and r.id = r.source || '#' || r.chunk_index %2$s
            union all
           select r.* from %1$s as r where r.id = c.source and c.chunks > 0 and r.chunk_index is null %2$s
           offset 0) as f
     where d.id = f.id %3$s
    $query$, target.relation, own, case when tenant is not null then 'and d.tenant_id = f.tenant_id' end)
    using complete_sources, chunk_counts;
  get diagnostics removed = row_count;

  truncate pg_temp.staged_documents;
  return next;
end
$$;
comment on function pgvec.merge_staged(text, text[], int[], boolean, uuid) is
  'Upserts the rows of the temporary table staged_documents (pgvec.begin_staging) into a collection by id, empties it, and counts: inserted, updated, unchanged, removed. '
  'complete_sources with chunk_counts: sources that end here and how many chunks each has; chunks numbered beyond are removed, and '
  'where it has chunks, the row with the source as its id: the same document, stored whole. '
  'reuse_embeddings: a row without an embedding takes that of a row of the same source with the same content. '
  'for_tenant: whose rows they are, where rows belong to tenants. '
  'Raises PV001 for an unknown collection, PV006 for a tenant that is not the caller''s, PV005 for a zero vector, 22000 for other dimensions.';
revoke all on function pgvec.merge_staged(text, text[], int[], boolean, uuid) from public;
select pgvec.grant_execute('pgvec.merge_staged(text, text[], int[], boolean, uuid)', 'writer');
