-- pgvec.is_ours -- whether a function was made by this engine beyond doubt, so that it may be altered without asking.
-- Not so one of another's in schema pgvec, nor any of several that share a name.
create or replace function pgvec.is_ours(routine oid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = ''
as $$
  select exists (
           select
             from pgvec.our_functions() as f
             join pg_catalog.pg_namespace as n on n.oid = f.pronamespace
            where f.oid = routine
              and (exists (select from pgvec.function_history as h where h.name = format('%s.%s', n.nspname, f.proname))
                     and not exists (select from pg_catalog.pg_proc as o where o.pronamespace = f.pronamespace and o.proname = f.proname and o.oid <> f.oid)
                   or obj_description(f.oid, 'pg_proc') ~ ' of collection '))
$$;
comment on function pgvec.is_ours(oid) is 'Whether a function is one that this engine''s ledger or pgvec.create_collection_api made, and the only one of its name.';
revoke all on function pgvec.is_ours(oid) from public;
