-- pgvec.verify_privileges -- grants to named roles that open up the engine: on operators' functions, schemas and future
-- objects.
-- The audience of a function is in its own file, whose text is in the ledger. Grants to the owner's own roles are at most a
-- warning: whoever created these knows why.
create or replace function pgvec.verify_privileges()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  held constant oid[] := array(select to_regrole(quote_ident(h)) from pgvec.held_roles() as h);
begin
  return query
    with expected as (
           select f.oid::regprocedure::text as name, f.proowner, f.proacl,
                  case when h.definition is null then 'reader' else coalesce(substring(h.definition from 'pgvec\.grant_execute\([^;]*''(\w+)''\s*\)\s*;'), 'owner') end as audience
             from pgvec.our_functions() as f
             join pg_catalog.pg_namespace as n on n.oid = f.pronamespace
             left join lateral (
                    select x.definition
                      from pgvec.function_history as x
                     where x.name = format('%s.%s', n.nspname, f.proname) and x.origin = 'file'
                     order by x.version desc
                     limit 1) as h on true
            where exists (select from aclexplode(f.proacl) as a where a.grantee <> f.proowner)  -- most are the owner's alone
              and (h.definition is not null or exists (select from pgvec.collections as c where pgvec.is_api_of(c.name, f.oid)))),
         excess as (
           select e.name, r.rolname, r.oid = any (held) as is_held, a.is_grantable and e.audience <> 'owner' as may_grant
             from expected as e
            cross join lateral aclexplode(e.proacl) as a
             join pg_catalog.pg_roles as r on r.oid = a.grantee and r.oid <> e.proowner
            where a.is_grantable and r.oid = any (held)
               or case when e.audience in ('owner') then not r.rolsuper and not pg_has_role(r.oid, e.proowner, 'member')
                       else r.rolname in (select x from pgvec.roles('reader') as x) and r.rolname not in (select x from pgvec.roles(e.audience) as x) end)
    select (pgvec.verdict(
             'privileges', 'operator functions',
             coalesce(array_agg(format(case when x.may_grant then '%s may let others execute %s' else '%s may execute %s' end, x.rolname, x.name) order by x.is_held desc, x.name, x.rolname), '{}'),
             'functions for operators are granted to nobody, those for writers to writers only',
             'revoke execute on function ... from ...',
             string_agg(format('revoke %sexecute on function %s from %I;', case when x.may_grant then 'grant option for ' end, x.name, x.rolname), ' ' order by x.name, x.rolname) filter (where x.is_held),
             severity => case when bool_or(x.is_held) then 'fail' else 'warn' end)).*
      from excess as x;

  return query
    with places as (
           select 'schema' as kind, n.nspname as name, n.nspowner as owner, n.nspacl as acl, n.nspname = 'pgvec' as is_ours, n.nspname = 'pgvec' or quote_ident(n.nspname) = pgvec.vector_schema() as is_engine
             from pg_catalog.pg_namespace as n
            where n.nspname in ('pgvec', 'public') or quote_ident(n.nspname) = pgvec.vector_schema()
            union all
           select 'database', d.datname, d.datdba, d.datacl, false, false from pg_catalog.pg_database as d where d.datname = current_database()),
         found as (
           select p.*, a.grantee, case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end as role_name,
                  (select string_agg(pg_get_userbyid(h), ', ') from unnest(held) as h where a.grantee <> 0 and h <> a.grantee and pg_has_role(h, a.grantee, 'member')) as members
             from places as p
            cross join lateral aclexplode(p.acl) as a
            where a.privilege_type = 'CREATE'
              and a.grantee <> p.owner
              and case when p.is_ours then a.grantee <> 0  -- PUBLIC is reported by the check grants
                       else a.grantee = 0 or exists (select from unnest(held) as h where pg_has_role(h, a.grantee, 'member')) end)
    select (pgvec.verdict(
             'privileges', 'schemas',
             coalesce(array_agg(format('%s may create in %s %s', f.role_name, f.kind, f.name) || coalesce(format(', and so may %s, a member', f.members), '') order by f.is_engine desc, f.name, f.role_name), '{}'),
             'callers may create nothing in pgvec, in the schema of pgvector, or in public',
             coalesce((array_agg(format('revoke create on %s %I from %s', f.kind, f.name, case f.grantee when 0 then 'public' else quote_ident(f.role_name) end) order by f.is_engine desc, f.name))[1], ''),
             string_agg(format('revoke create on schema pgvec from %I;', f.role_name), ' ') filter (where f.is_ours),
             severity => case when bool_or(f.is_engine) then 'fail' else 'warn' end)).*
      from found as f;

  return query
    with found as (
           select format('%s get %s on %s that %s makes', case a.grantee when 0 then 'all' else pg_get_userbyid(a.grantee) end, lower(a.privilege_type), k.kind, pg_get_userbyid(d.defaclrole)) as problem,
                  format('alter default privileges for role %I%s revoke all on %s from %s;', pg_get_userbyid(d.defaclrole), case when d.defaclnamespace <> 0 then ' in schema pgvec' end,
                         k.kind, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as fix,
                  d.defaclnamespace <> 0 as is_ours
             from pg_catalog.pg_default_acl as d
            cross join lateral aclexplode(d.defaclacl) as a
             join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions')) as k (type, kind) on k.type = d.defaclobjtype::text
            where (d.defaclnamespace = 'pgvec'::regnamespace
                   or d.defaclnamespace = 0 and d.defaclrole = (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'))
              and (a.grantee = any (held) or a.grantee = 0 and k.type <> 'f'))
    select (pgvec.verdict(
             'privileges', 'default privileges', coalesce(array_agg(f.problem order by f.problem), '{}'),
             'future objects in pgvec are granted to nobody by default', coalesce(min(f.fix), ''), string_agg(distinct f.fix, ' ') filter (where f.is_ours))).*
      from found as f;
end
$$;
comment on function pgvec.verify_privileges() is
  'Checks privileges: operator functions (granted beyond what their files grant), schemas (who may create where the engine, pgvector or callers look), default '
  'privileges (in pgvec). Reads the catalog and the ledger only.';
revoke all on function pgvec.verify_privileges() from public;
