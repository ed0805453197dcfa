-- pgvec.counts_live -- whether a collection is small enough to count its words with every statement.
create or replace function pgvec.counts_live(collection pgvec.collections, tenant uuid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(t.documents), 0) <= coalesce((counts_live.collection).settings ->> 'live_statistics', '10000')::bigint
    from pgvec.text_totals as t
   where t.collection = (counts_live.collection).name
     and t.tenant = counts_live.tenant
$$;
comment on function pgvec.counts_live(pgvec.collections, uuid) is
  'Whether the collection, or a tenant''s part, has no more rows than its setting live_statistics (default 10,000).';
revoke all on function pgvec.counts_live(pgvec.collections, uuid) from public;
