-- pgvec.verify_writers -- roles that were granted more on a collection's tables than its access says.
-- With access policy, and for adopted tables, the owner's own grants and policies decide who reads and writes rows. Row level
-- security does not cover TRUNCATE and the like, nor partitions and side tables that are queried by name.
create or replace function pgvec.verify_writers(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_writers.collection);
  ours    constant boolean := target.base = target.relation;
  of_rows constant text[] := array['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
begin
  return query
    with granted as (
           select t.oid, t.oid::regclass::text as relation, r.name as role_name, a.privilege_type, a.is_grantable
             from pg_catalog.pg_class as t
            cross join lateral (
                   select t.relacl as acl
                    union all
                   select c.attacl from pg_catalog.pg_attribute as c where c.attrelid = t.oid and c.attacl is not null) as l
            cross join lateral aclexplode(l.acl) as a
             join pgvec.roles('reader') as r (name) on to_regrole(quote_ident(r.name)) = a.grantee
            where t.oid in (select x from pgvec.relations_of(target.name) as x)
              and (ours or t.oid <> target.base and t.oid = target.text_table)),
         excess as (
           select g.relation, g.role_name, lower(g.privilege_type) as privilege
             from granted as g
            where not case
                    when g.oid = target.base and target.access = 'policy' then g.privilege_type = any (of_rows)
                    when g.oid = target.base then
                      g.privilege_type = 'SELECT'
                      or g.privilege_type = any (of_rows) and g.role_name in (select w from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as w)
                    else g.privilege_type = 'SELECT' and not ours  -- of the side table
                  end),
         problems as (
           select distinct format('%s may %s', e.role_name, e.privilege) || case when e.relation <> target.base::text then ' ' || e.relation else '' end as problem,
                  format('revoke %s on table %s from %I;', e.privilege, e.relation, e.role_name) as fix
             from excess as e
            union
           select format('%s may let others %s %s', g.role_name, lower(g.privilege_type), g.relation),
                  format('revoke grant option for %s on table %s from %I;', lower(g.privilege_type), g.relation, g.role_name)
             from granted as g
            where g.is_grantable
              and not (target.access = 'policy' and g.privilege_type = any (of_rows)))
    select (pgvec.verdict(
             target.name, 'writers', coalesce(array_agg(p.problem order by p.problem), '{}'),
             'only the intended roles may write',
             'revoke ... on table ... from ...: row level security does not cover truncate',
             string_agg(p.fix, ' ' order by p.fix))).*
      from problems as p;
end
$$;
comment on function pgvec.verify_writers(text) is
  'Check writers of a collection: roles that may do more with its table, partitions and side table than its access says. '
  'Grants of rows are the owner''s to make with access policy. Raises PV001.';
revoke all on function pgvec.verify_writers(text) from public;
