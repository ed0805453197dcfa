-- pgvec.reads_all -- whether no policy keeps the caller from any row of an adopted table.
-- The policy of its side table asks it once a query: then there are no rows to ask for one by one.
create or replace function pgvec.reads_all(collection text)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce((select not row_security_active(c.base) from pgvec.collections as c where c.name = reads_all.collection), false)
$$;
comment on function pgvec.reads_all(text) is 'Whether row level security of the table of a collection does not apply to the current user.';
revoke all on function pgvec.reads_all(text) from public;
select pgvec.grant_execute('pgvec.reads_all(text)', 'reader');
