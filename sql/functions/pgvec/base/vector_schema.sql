-- pgvec.vector_schema -- the schema of pgvector, quoted, for SQL shown to people.
create or replace function pgvec.vector_schema()
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select quote_ident(n.nspname)
    from pg_catalog.pg_extension as e
    join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
   where e.extname = 'vector'
$$;
comment on function pgvec.vector_schema() is 'The schema of pgvector, quoted.';
revoke all on function pgvec.vector_schema() from public;
