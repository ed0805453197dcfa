-- pgvec.verify_reach -- what callers were granted on the server itself, and views over the engine's tables.
-- The catalog remembers the grants it was installed with (pg_init_privs); anything beyond was granted later.
create or replace function pgvec.verify_reach()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  held constant oid[] := array(select to_regrole(quote_ident(h)) from pgvec.held_roles() as h);
begin
  return query
    with objects as (
           select 'pg_proc'::regclass as class, p.oid, 0 as column_number, 'f' as kind, p.proowner as owner, p.proacl as acl, 'function ' || p.oid::regprocedure as name
             from pg_catalog.pg_proc as p
            where p.pronamespace = 'pg_catalog'::regnamespace and p.proacl is not null
            union all
           select 'pg_class'::regclass, r.oid, 0, 'r', r.relowner, r.relacl, 'table ' || r.oid::regclass
             from pg_catalog.pg_class as r
            where r.relnamespace = 'pg_catalog'::regnamespace and r.relacl is not null
            union all
           select 'pg_class'::regclass, r.oid, a.attnum, 'c', r.relowner, a.attacl, 'table ' || r.oid::regclass
             from pg_catalog.pg_attribute as a
             join pg_catalog.pg_class as r on r.oid = a.attrelid
            where r.relnamespace = 'pg_catalog'::regnamespace and a.attacl is not null),
         found as (
           select format('%s may %s %s', case a.grantee when 0 then 'everybody' else pg_get_userbyid(a.grantee) end, lower(a.privilege_type), o.name) as problem,
                  format('revoke %s on %s from %s', lower(a.privilege_type), o.name, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as hint
             from objects as o
            cross join lateral aclexplode(o.acl) as a
             left join pg_catalog.pg_init_privs as i on i.classoid = o.class and i.objoid = o.oid and i.objsubid = o.column_number
            where (a.grantee = 0 or a.grantee = any (held))
              and not exists (select
                                from aclexplode(coalesce(i.initprivs, acldefault(o.kind::"char", o.owner))) as b
                               where b.grantee in (a.grantee, 0) and b.privilege_type = a.privilege_type)
            union all
           select format('%s may %s %s', case a.grantee when 0 then 'everybody' else pg_get_userbyid(a.grantee) end, lower(a.privilege_type), p.parname),
                  format('revoke %s on parameter %s from %s', lower(a.privilege_type), p.parname, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
             from pg_catalog.pg_parameter_acl as p
            cross join lateral aclexplode(p.paracl) as a
            where a.grantee = 0 or a.grantee = any (held))
    select (pgvec.verdict(
             'privileges', 'catalog', coalesce(array_agg(f.problem order by f.problem), '{}'),
             'callers have no grants on the server beyond its initial ones', coalesce(min(f.hint), ''))).*
      from found as f;

  return query
    with found as (
           select v.view, string_agg(v.reader, ', ' order by v.reader) as readers
             from pgvec.views_as_owner(array(
                    select r.oid::regclass
                      from pg_catalog.pg_class as r
                     where r.relnamespace = 'pgvec'::regnamespace
                       and r.relkind in ('r', 'p')
                       and r.relname not in ('collections', 'adoptions', 'model_changes')
                       and r.oid not in (select t from pgvec.collections as c cross join lateral pgvec.relations_of(c.name) as t))) as v
            group by v.view)
    select (pgvec.verdict(
             'privileges', 'engine views', coalesce(array_agg(format('%s shows tables of the engine to %s', f.view, f.readers) order by f.view), '{}'),
             'no view shows statistics, memberships or history', coalesce(min(format('revoke all on %s from ...; or drop it', f.view)), ''))).*
      from found as f;

  return query
    select (pgvec.verdict(
             'privileges', 'foreign tables',
             coalesce(array_agg(distinct format('%s may read %s, which is %s on server %I', h.name, f.ftrelid::regclass, o.option_value, s.srvname)), '{}'),
             'none has the name of one of our tables', coalesce(min(format('revoke all on %s from ...: the policies of %s do not hold there', f.ftrelid::regclass, o.option_value)), ''), severity => 'warn')).*
      from pg_catalog.pg_foreign_table as f
      join pg_catalog.pg_foreign_server as s on s.oid = f.ftserver
     cross join lateral pg_options_to_table(f.ftoptions) as o
     cross join pgvec.held_roles() as h (name)
     where o.option_name in ('table_name', 'table', 'schema_name')
       and (o.option_value = 'pgvec' or o.option_value in (select r.relname from pgvec.present_collections() as c join pg_catalog.pg_class as r on r.oid = c.base where c.access <> 'open'))
       and has_any_column_privilege(h.name, f.ftrelid, 'select');
end
$$;
comment on function pgvec.verify_reach() is
  'Checks privileges: catalog (functions, tables and parameters of the server granted to callers beyond its initial grants), engine views (views over tables of the '
  'engine that callers may read), foreign tables (that read tables of ours through another server). Reads the catalog only.';
revoke all on function pgvec.verify_reach() from public;
