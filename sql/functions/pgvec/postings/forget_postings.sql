-- pgvec.forget_postings -- removes the postings of a collection, or of a tenant's rows in it.
create or replace function pgvec.forget_postings(collection text, tenant uuid default null)
  returns void
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  delete from pgvec.postings as p where p.collection = forget_postings.collection and (forget_postings.tenant is null or p.tenant = forget_postings.tenant);
  delete from pgvec.posted_ids as p where p.collection = forget_postings.collection and (forget_postings.tenant is null or p.tenant = forget_postings.tenant);
  delete from pgvec.posting_changes as p where p.collection = forget_postings.collection and (forget_postings.tenant is null or p.tenant = forget_postings.tenant);
$$;
comment on function pgvec.forget_postings(text, uuid) is 'Removes the postings of a collection, and what is noted beside them; of one tenant, where one is given.';
revoke all on function pgvec.forget_postings(text, uuid) from public;
