-- pgvec.is_ours -- whether a function was certainly made by this engine, so that it may be altered without asking.
-- Not so a foreign function in schema pgvec, nor any of several that share a name.
create or replace function pgvec.is_ours(routine oid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select exists (
           select
             from pg_catalog.pg_proc as p
             join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
            where p.oid = routine
              and (exists (select from pgvec.function_history as h where h.name = format('%s.%s', n.nspname, p.proname))
                     and not exists (select from pg_catalog.pg_proc as o where o.pronamespace = p.pronamespace and o.proname = p.proname and o.oid <> p.oid)
                   or n.nspname = 'public' and exists (select from pgvec.collections as c where pgvec.is_api_of(c.name, p.oid))))
$$;
comment on function pgvec.is_ours(oid) is 'Whether a function is in this engine''s ledger and the only one of its name, or was made by pgvec.create_collection_api.';
revoke all on function pgvec.is_ours(oid) from public;
