-- pgvec.shares_rows -- whether everybody who may read a collection sees all of its rows.
-- What is fitted to rows tells of their words, which nobody may learn who does not see these rows. So it is asked again with
-- every query: policies may have been added since.
create or replace function pgvec.shares_rows(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select (shares_rows.collection).access <> 'tenant'
     and exists (select
                   from pg_catalog.pg_class as r
                  where r.oid = (shares_rows.collection).base
                    and r.relkind in ('r', 'p')
                    and (not r.relrowsecurity
                         or (shares_rows.collection).access = 'open'
                            and not exists (select
                                              from pg_catalog.pg_policy as p
                                             where p.polrelid = r.oid
                                               and p.polcmd in ('r', '*')
                                               and pg_get_expr(p.polqual, p.polrelid) is distinct from 'true')))
$$;
comment on function pgvec.shares_rows(pgvec.collections) is
  'Whether all who may read the table of a collection see all of its rows: access open with no policy of a condition, or a table without row level security.';
revoke all on function pgvec.shares_rows(pgvec.collections) from public;
