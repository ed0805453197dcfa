-- pgvec.verify_installation -- functions of the engine: faults that let callers in, or make a client's call ambiguous.
-- The names follow the lints of Supabase's advisor where it has them. Reads the catalog only.
create or replace function pgvec.verify_installation()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  ours    constant oid := (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec');
begin
  return next pgvec.verdict(
    'functions', 'overloads',
    array(select format('%s functions are called %s.%s', count(*), n.nspname, p.proname)
            from pg_catalog.pg_proc as p
            join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
           where (n.nspname = 'public' and p.proname in (select f.proname from pgvec.our_functions() as f)
                  or n.nspname = 'pgvec' and exists (select from pgvec.function_history as h where h.name = 'pgvec.' || p.proname))
           group by n.nspname, p.proname
          having count(*) > 1
           order by n.nspname desc, p.proname),
    'one function of each name',
    'drop those that are not of this engine (\df in psql): PostgREST cannot choose between them (PGRST203), nor can a call within the engine');

  return query
    with pinned as (
           select f.oid::regprocedure::text as name, l.lanname, o.is_ours, c.path,
                  c.path is distinct from 'pg_catalog, pg_temp' and (o.is_ours or f.prosecdef or c.path is distinct from '""') as is_odd
             from pgvec.our_functions() as f
             join pg_catalog.pg_language as l on l.oid = f.prolang
            cross join lateral (select (select substr(s, 13) from unnest(f.proconfig) as s where s like 'search\_path=%') as path) as c
            -- not asked of each of hundreds that are as they should be
            cross join lateral (select c.path is distinct from 'pg_catalog, pg_temp' and pgvec.is_ours(f.oid) as is_ours) as o)
    select (pgvec.verdict(
             'functions', 'search_path',
             coalesce(array_agg(case when path is null then name || ' has no search_path of its own' else format('%s has search_path %s', name, path) end order by name)
                        filter (where is_odd), '{}'),
             format('all %s pin pg_catalog, pg_temp', count(*)),
             'alter function ... set search_path = pg_catalog, pg_temp, or pgvec-admin migrate --overwrite-drift: otherwise the caller''s types and tables are found first',
             string_agg(format('alter function %s set search_path = pg_catalog, pg_temp;', name), ' ' order by name) filter (where is_ours and is_odd))).*
      from pinned
     where lanname in ('sql', 'plpgsql');

  return query
    with definers as (
           select f.oid::regprocedure::text as name, pgvec.is_ours(f.oid) as is_ours from pgvec.our_functions() as f where f.prosecdef and f.pronamespace <> 'pgvec'::regnamespace)
    select (pgvec.verdict(
             'functions', 'definer', coalesce(array_agg(name || ' runs as its owner in an exposed schema' order by name), '{}'),
             'none of ours in an exposed schema runs as its owner',
             'alter function ... security invoker, or move it to a schema that is not exposed',
             string_agg(format('alter function %s security invoker;', name), ' ' order by name) filter (where is_ours))).*
      from definers;

  return next pgvec.verdict(
    'functions', 'owner',
    array(select format('%s belongs to %s', x.name, pg_get_userbyid(x.owner))
            from (select f.oid::regprocedure::text as name, f.proowner as owner from pgvec.our_functions() as f
                   union all
                  select r.oid::regclass::text, r.relowner
                    from pg_catalog.pg_class as r
                   where r.relnamespace = 'pgvec'::regnamespace and r.relkind in ('r', 'p', 'v', 'c', 'S') and not r.relispartition) as x
           where x.owner <> ours
           order by 1),
    format('all belong to %s', pg_get_userbyid(ours)),
    format('alter ... owner to %I: what runs as its owner must be the installing role''s, which alone can upgrade it', pg_get_userbyid(ours)));
end
$$;
comment on function pgvec.verify_installation() is
  'Checks the engine''s functions: overloads, search_path, definer (functions that run as their owner where the REST API exposes them), owner. Reads the catalog '
  'only.';
revoke all on function pgvec.verify_installation() from public;
