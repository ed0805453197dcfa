-- pgvec.verify_grants -- grants on the engine's functions and tables, and on the tables of collections.
-- A grant on a column counts as one on its table. Reads the catalog only.
create or replace function pgvec.verify_grants()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  -- what readers may see of the engine's own tables
  open_to_readers constant name[] := array['collections', 'adoptions', 'model_changes']::name[];
begin
  return query
    with granted as (
           select 'function' as kind, f.oid::regprocedure::text as name, f.oid as routine, false as of_policy,
                  coalesce(f.proacl, acldefault('f', f.proowner)) as acl
             from pgvec.our_functions() as f
            union all
           select 'table', r.oid::regclass::text, null, exists (select from pgvec.collections as c where c.base = r.oid and c.access = 'policy'), l.acl
             from pg_catalog.pg_class as r
            cross join lateral (
                   select r.relacl as acl
                    union all
                   select c.attacl from pg_catalog.pg_attribute as c where c.attrelid = r.oid and c.attacl is not null) as l
            where r.relnamespace = 'pgvec'::regnamespace and r.relkind in ('r', 'p', 'v', 'm', 'f')
               or r.oid in (select p from pgvec.collections as c cross join lateral pgvec.relations_of(c.name) as p where c.base = c.relation)
            union all
           select 'schema', n.nspname::text, null, false, n.nspacl from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'),
         public as (
           select g.kind, g.name, g.routine is null or pgvec.is_ours(g.routine) as is_ours, string_agg(distinct lower(a.privilege_type), ', ') as privileges,
                  case when bool_or(g.of_policy) then string_agg(distinct lower(a.privilege_type), ', ') else 'all' end as revoked
             from granted as g
            cross join lateral aclexplode(g.acl) as a
            where a.grantee = 0
              and not (g.of_policy and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))  -- the owner's own to grant
            group by g.kind, g.name, g.routine)
    select (pgvec.verdict(
             'privileges', 'grants', coalesce(array_agg(format('%s is for PUBLIC: %s', name, privileges) order by name), '{}'),
             format('nothing granted to PUBLIC; %s', pgvec.told_executable()),
             'revoke all on ... from public',
             string_agg(format('revoke %s on %s %s from public;', revoked, kind, name), ' ' order by name) filter (where is_ours))).*
      from public;

  return query
    with readable as (
           select r.oid::regclass::text as name, role.name as reader,
                  array(select p from unnest('{select,insert,update,delete,truncate}'::text[]) as p
                         where case when p in ('delete', 'truncate') then has_table_privilege(role.name, r.oid, p) else has_any_column_privilege(role.name, r.oid, p) end) as privileges
             from pg_catalog.pg_class as r
            cross join pgvec.roles('reader') as role (name)
            where r.relnamespace = 'pgvec'::regnamespace
              and r.relkind in ('r', 'p', 'v', 'm', 'f')
              and not exists (select from pgvec.collections as c where c.relation = r.oid)  -- over an adopted table
              and not (r.relname = 'memberships' and role.name in (select w from pgvec.roles('writer') as w))
              and not exists (select
                                from pg_catalog.pg_roles as x
                               where x.rolname = role.name
                                 and (x.rolsuper or x.rolbypassrls and r.relname in ('search_log', 'stats')))  -- which an owner may let a backend read
              and r.oid not in (select a.side from pgvec.adoptions as a where a.side is not null)),
         found as (
           select * from readable
            where privileges <> case when split_part(name, '.', 2)::name = any (open_to_readers) then '{select}'::text[] else '{}' end
              and privileges <> '{}')
    select (pgvec.verdict(
             'privileges', 'engine tables', coalesce(array_agg(format('%s has %s on %s', reader, array_to_string(privileges, ', '), name) order by name, reader), '{}'),
             'nobody may read those of statistics, memberships and history',
             'revoke all on table ... from ...: statistics tell what others have written, memberships who belongs where',
             string_agg(format('revoke %s on table %s from %I;', array_to_string(array_remove(privileges, case when split_part(name, '.', 2)::name = any (open_to_readers) then 'select' end), ', '), name, reader), ' '))).*
      from found;
end
$$;
comment on function pgvec.verify_grants() is
  'Checks privileges: grants (to PUBLIC, on functions and tables of the engine and of collections), engine tables (what readers may do with tables that are not '
  'meant for them). Reads the catalog only.';
revoke all on function pgvec.verify_grants() from public;
