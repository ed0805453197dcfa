-- pgvec.verify_installation -- functions and tables of the engine: what lets in, leaks, or makes a client's call ambiguous.
-- The names follow the lints of Supabase's advisor where it has them. Reads the catalog alone.
create or replace function pgvec.verify_installation()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
as $$
declare
  ours    constant oid := (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec');
  -- what readers are let see of the engine's own tables
  open_to_readers constant name[] := array['collections', 'adoptions']::name[];
begin
  return next pgvec.verdict(
    'functions', 'overloads',
    array(select format('%s functions are called public.%s', count(*), p.proname)
            from pg_catalog.pg_proc as p
           where p.pronamespace = 'public'::regnamespace
             and p.proname in (select f.proname from pgvec.our_functions() as f)
           group by p.proname
          having count(*) > 1),
    'one function of each name',
    'drop those that are not of this engine (\df in psql): PostgREST cannot choose between them (PGRST203)');

  return query
    with pinned as (
           select f.oid::regprocedure::text as name, l.lanname,
                  case when f.prosecdef and f.pronamespace = 'pgvec'::regnamespace then 'pg_catalog, pg_temp' else '""' end as wanted,
                  (select substr(s, 13) from unnest(f.proconfig) as s where s like 'search\_path=%') as path
             from pgvec.our_functions() as f
             join pg_catalog.pg_language as l on l.oid = f.prolang)
    select (pgvec.verdict(
             'functions', 'search_path',
             coalesce(array_agg(case when path is null then name || ' has no search_path of its own' else format('%s has search_path %s', name, path) end order by name)
                        filter (where path is distinct from wanted), '{}'),
             format('all %s have one of their own', count(*)),
             'alter function ... set search_path, or pgvec-admin migrate --overwrite-drift',
             string_agg(format('alter function %s set search_path = %s;', name, replace(wanted, '""', '''''')), ' ' order by name) filter (where path is distinct from wanted))).*
      from pinned
     where lanname in ('sql', 'plpgsql');

  return query
    with definers as (
           select f.oid::regprocedure::text as name from pgvec.our_functions() as f where f.prosecdef and f.pronamespace <> 'pgvec'::regnamespace)
    select (pgvec.verdict(
             'functions', 'definer', coalesce(array_agg(name || ' runs as its owner in an exposed schema' order by name), '{}'),
             'none in an exposed schema runs as its owner',
             'alter function ... security invoker, or move it to a schema that is not exposed',
             string_agg(format('alter function %s security invoker;', name), ' ' order by name))).*
      from definers;

  return next pgvec.verdict(
    'functions', 'owner',
    array(select format('%s belongs to %s', x.name, pg_get_userbyid(x.owner))
            from (select f.oid::regprocedure::text as name, f.proowner as owner from pgvec.our_functions() as f
                   union all
                  select r.oid::regclass::text, r.relowner
                    from pg_catalog.pg_class as r
                   where r.relnamespace = 'pgvec'::regnamespace and r.relkind in ('r', 'p', 'v') and not r.relispartition) as x
           where x.owner <> ours
           order by 1),
    format('all belong to %s', pg_get_userbyid(ours)),
    format('alter ... owner to %I: what runs as its owner must be the installing role''s, which alone can upgrade it', pg_get_userbyid(ours)));

  return query
    with granted as (
           select 'function' as kind, f.oid::regprocedure::text as name, coalesce(f.proacl, acldefault('f', f.proowner)) as acl from pgvec.our_functions() as f
            union all
           select 'table', r.oid::regclass::text, r.relacl
             from pg_catalog.pg_class as r
            where r.relnamespace = 'pgvec'::regnamespace and r.relkind in ('r', 'p', 'v')
               or r.oid in (select p from pgvec.collections as c cross join lateral pgvec.partitions(c.base) as p where c.base = c.relation)
               or r.oid in (select c.base from pgvec.collections as c where c.base = c.relation)
            union all
           select 'schema', n.nspname::text, n.nspacl from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'),
         public as (
           select g.kind, g.name, string_agg(lower(a.privilege_type), ', ') as privileges
             from granted as g
            cross join lateral aclexplode(g.acl) as a
            where a.grantee = 0
            group by g.kind, g.name)
    select (pgvec.verdict(
             'privileges', 'grants', coalesce(array_agg(format('%s is for PUBLIC: %s', name, privileges) order by name), '{}'),
             format('nothing granted to PUBLIC; %s', pgvec.told_executable()),
             'revoke all on ... from public',
             string_agg(format('revoke all on %s %s from public;', kind, name), ' ' order by name))).*
      from public;

  return query
    with readable as (
           select r.oid::regclass::text as name, role.name as reader,
                  array(select p from unnest('{select,insert,update,delete,truncate}'::text[]) as p where has_table_privilege(role.name, r.oid, p)) as privileges
             from pg_catalog.pg_class as r
            cross join pgvec.roles('reader') as role (name)
            where r.relnamespace = 'pgvec'::regnamespace
              and r.relkind in ('r', 'p')
              and not (r.relname in ('loads', 'memberships') and role.name in (select w from pgvec.roles('writer') as w))
              and not exists (select from pg_catalog.pg_roles as x where x.rolname = role.name and x.rolsuper)
              and r.oid not in (select a.side from pgvec.adoptions as a where a.side is not null)),
         found as (
           select * from readable
            where privileges <> case when split_part(name, '.', 2)::name = any (open_to_readers) then '{select}'::text[] else '{}' end
              and privileges <> '{}')
    select (pgvec.verdict(
             'privileges', 'engine tables', coalesce(array_agg(format('%s has %s on %s', reader, array_to_string(privileges, ', '), name) order by name, reader), '{}'),
             'those of statistics, memberships and history are nobody''s to read',
             'revoke all on table ... from ...: statistics tell what others have written, memberships who belongs where',
             string_agg(format('revoke %s on table %s from %I;', array_to_string(array_remove(privileges, case when split_part(name, '.', 2)::name = any (open_to_readers) then 'select' end), ', '), name, reader), ' '))).*
      from found;
end
$$;
comment on function pgvec.verify_installation() is
  'Checks the engine''s functions and tables: overloads, search_path, definer (functions that run as their owner where the REST API sees them), owner, '
  'grants (to PUBLIC), engine tables (what readers may do with tables that are not theirs). Reads the catalog alone.';
revoke all on function pgvec.verify_installation() from public;
