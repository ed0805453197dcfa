-- pgvec.verify_roles -- whether row level security, and limits in general, apply to the roles of callers.
-- service_role bypasses row level security, as it is meant to. Role attributes are cluster-wide, and are not altered unasked.
create or replace function pgvec.verify_roles()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with found as (
           select r.rolname, x.attribute
             from pg_catalog.pg_roles as r
            cross join lateral (values ('superuser', r.rolsuper), ('bypassrls', r.rolbypassrls and r.rolname not in ('service_role', 'authenticator')),
                                       ('createrole', r.rolcreaterole), ('replication', r.rolreplication)) as x (attribute, has)
            where x.has
              and (r.rolname in (select h from pgvec.held_roles() as h) or r.rolname in ('service_role', 'authenticator')))
    select (pgvec.verdict(
             'privileges', 'role attributes', coalesce(array_agg(format('%s has %s', f.rolname, f.attribute) order by f.rolname, f.attribute), '{}'),
             format('row level security holds %s', (select string_agg(h, ', ') from pgvec.held_roles() as h)),
             string_agg(format('alter role %I no%s', f.rolname, f.attribute), '; ' order by f.rolname, f.attribute))).*
      from found as f;

  return query
    with strong as (
           select x.oid, x.rolname,
                  x.rolsuper or x.rolbypassrls or x.rolcreaterole or x.rolreplication
                    or x.rolname like 'pg\_%' and x.oid < 16384
                    or x.oid in (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec')
                    or x.oid in (select r.relowner from pg_catalog.pg_class as r join pgvec.collections as c on r.oid in (c.base, c.relation, c.text_table)) as is_strong
             from pg_catalog.pg_roles as x),
         found as (
           select r.rolname as member, s.rolname as stronger
             from pg_catalog.pg_roles as r
             join strong as s on s.oid <> r.oid and pg_has_role(r.oid, s.oid, 'member')
            where r.rolname in (select h from pgvec.held_roles() as h)
              and not r.rolsuper  -- a member of all roles, and reported above
              and (s.is_strong
                   or s.rolname in (select w from pgvec.roles('writer') as w) and r.rolname not in (select w from pgvec.roles('writer') as w)))
    select (pgvec.verdict(
             'privileges', 'memberships', coalesce(array_agg(format('%s is a member of %s', f.member, f.stronger) order by f.member, f.stronger), '{}'),
             'none of these is a member of a stronger role',
             string_agg(format('revoke %I from %I', f.stronger, f.member), '; ' order by f.member, f.stronger))).*
      from found as f;
end
$$;
comment on function pgvec.verify_roles() is
  'Checks privileges: role attributes (superuser, bypassrls, createrole, replication of the callers'' roles) and memberships (of these in the owner''s role, in one '
  'that bypasses row level security, in a predefined one, or in one that writes). Reads the catalog only.';
revoke all on function pgvec.verify_roles() from public;
