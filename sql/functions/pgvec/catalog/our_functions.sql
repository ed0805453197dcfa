-- pgvec.our_functions -- the functions of this engine: all of schema pgvec, and those in public that the ledger or a collection has made.
create or replace function pgvec.our_functions()
  returns setof pg_catalog.pg_proc
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select p.*
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
   where n.nspname = 'pgvec'
      or n.nspname = 'public'
         and (exists (select from pgvec.function_history as h where h.name = 'public.' || p.proname)
              or exists (select
                           from pgvec.collections as c
                          where p.proname in ('match_' || c.name, 'kw_match_' || c.name, 'hybrid_search_' || c.name)
                            and pgvec.is_api_of(c.name, p.oid)))
$$;
comment on function pgvec.our_functions() is 'The rows of pg_proc of this engine''s functions, those of pgvec.create_collection_api included.';
revoke all on function pgvec.our_functions() from public;
