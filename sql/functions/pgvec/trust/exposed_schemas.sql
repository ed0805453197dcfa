-- pgvec.exposed_schemas -- the schemas that the REST API exposes, as far as the database can tell.
-- PostgREST takes them from its settings in the database (pgrst.db_schemas), or from a file that cannot be read here.
create or replace function pgvec.exposed_schemas()
  returns table (schema_name name, told_by text)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select 'public'::name, null::text
   union
  select btrim(e.entry, ' "')::name, s.holder
    from (select g.holder, g.value from pgvec.given_settings() as g where g.setting = 'pgrst.db_schemas'
           union all
          select 'this session', current_setting('pgrst.db_schemas', true)) as s
   cross join lateral regexp_split_to_table(s.value, ',') as e (entry)
   where btrim(e.entry) <> ''
   order by 1
$$;
comment on function pgvec.exposed_schemas() is 'public, and the schemas of each pgrst.db_schemas set for a role, the database or this session, with where it is set.';
revoke all on function pgvec.exposed_schemas() from public;
