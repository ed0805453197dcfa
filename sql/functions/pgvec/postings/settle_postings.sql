-- pgvec.settle_postings -- after the words of a collection were counted: forgets the postings of tenants that have no rows any more, and notes
-- in the registry whether there are any, so that searches in other collections do not look for them.
create or replace function pgvec.settle_postings(collection text)
  returns void
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select pgvec.forget_postings(settle_postings.collection, p.tenant)
    from (select distinct x.tenant from pgvec.postings as x where x.collection = settle_postings.collection) as p
   where not exists (select from pgvec.text_totals as t where t.collection = settle_postings.collection and t.tenant = p.tenant);
  update pgvec.collections as c
     set posted = not c.posted
   where c.name = settle_postings.collection
     and c.posted <> exists (select from pgvec.postings as p where p.collection = c.name);
$$;
comment on function pgvec.settle_postings(text) is
  'Removes postings of tenants without rows, and sets posted in the registry row of a collection by whether there are postings.';
revoke all on function pgvec.settle_postings(text) from public;
