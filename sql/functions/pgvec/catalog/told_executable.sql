-- pgvec.told_executable -- how many functions of the REST API each role may call, as a text for people.
create or replace function pgvec.told_executable()
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(format('%s may execute %s', e.name, e.times), ', ' order by e.name), 'there are no roles to grant to')
    from (select r.name, count(*) filter (where has_function_privilege(r.name, f.oid, 'execute')) as times
            from pgvec.roles('reader') as r (name)
           cross join pgvec.our_functions() as f
           where f.pronamespace = 'public'::regnamespace
           group by r.name) as e
$$;
comment on function pgvec.told_executable() is 'For each role that is granted to, the number of functions in schema public that it may execute, as one text.';
revoke all on function pgvec.told_executable() from public;
