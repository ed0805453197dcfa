-- pgvec.holds_postings -- whether the postings of a tenant's rows still stand for them.
-- Rows written since are noted beside them (pgvec.posting_changes). Beyond a quarter nobody notes any more, and searches do
-- without either until pgvec.refresh_statistics has made the postings anew; it is due at a tenth.
create or replace function pgvec.holds_postings(collection text, tenant uuid, more bigint default 0)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(t.uncounted) + holds_postings.more <= 0.25 * sum(t.documents), false)
    from pgvec.text_totals as t
   where t.collection = holds_postings.collection
     and t.tenant = holds_postings.tenant
$$;
comment on function pgvec.holds_postings(text, uuid, bigint) is
  'Whether at most a quarter of the rows of a collection, or of a tenant, has been written since they were counted, with so many more.';
revoke all on function pgvec.holds_postings(text, uuid, bigint) from public;
