-- pgvec.verify_protection -- row level security, policies and grants of a collection's table.
-- Of an adopted table, and of one with access policy, the policies are the owner's; those that ask once a row are told all the same.
-- Partitions have no policies: nobody is granted them.
create or replace function pgvec.verify_protection(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_protection.collection);
  ours    boolean := target.base = target.relation;
begin
  if ours then
    return next pgvec.verdict(
      target.name, 'rls',
      array(select format('%s has no row level security', r.oid::regclass) from pg_catalog.pg_class as r where r.oid = target.base and not r.relrowsecurity),
      'row level security is on', 'alter table ... enable row level security',
      format('alter table %s enable row level security;', target.base));

    return query
      with wanted (name, command, audience) as (
             values ('read_all', 'r', 'reader'), ('insert_all', 'a', 'writer'), ('update_all', 'w', 'writer'), ('delete_all', 'd', 'writer')),
           there as (
             select p.polname, p.polcmd, p.polpermissive,
                    concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as expression
               from pg_catalog.pg_policy as p
              where p.polrelid = target.base),
           problems as (
             select format('policy %s is missing', w.name) as problem
               from wanted as w
              where not exists (select from there as t where t.polname = w.name and t.polcmd::text = w.command)
                and exists (select from pgvec.roles(w.audience))
              union all
             select format('policy %s is not that of access %s', t.polname, target.access)
               from there as t
               join wanted as w on w.name = t.polname
              where t.expression !~ case target.access when 'tenant' then '^(\(tenant_id = ANY \(ARRAY\( SELECT pgvec.allowed_tenants\(\) AS allowed_tenants\)\)\))+$' else '^(true)+$' end
              union all
             select format('policy %s lets in more than tenants', t.polname)
               from there as t
              where target.access = 'tenant' and t.polpermissive and t.polname not in (select w.name from wanted as w))
      select (pgvec.verdict(
               target.name, 'policies', array(select p.problem from problems as p order by 1),
               case target.access when 'policy' then format('%s of the owner''s own', (select count(*) from there)) else 'those of access ' || target.access end,
               'pgvec.make_policies makes ours anew; drop policy ... for one that should not be there',
               case when exists (select from problems as p where p.problem !~ 'lets in') then format('select pgvec.make_policies(%L);', target.name) end)).*
       where target.access <> 'policy';

    return query
      with granted as (
             select t.oid::regclass::text as relation, r.name as role_name, lower(a.privilege_type) as privilege
               from pg_catalog.pg_class as t
              cross join lateral (
                     select t.relacl as acl
                      union all
                     select c.attacl from pg_catalog.pg_attribute as c where c.attrelid = t.oid and c.attacl is not null) as l
              cross join lateral aclexplode(l.acl) as a
               join pgvec.roles('reader') as r (name) on to_regrole(quote_ident(r.name)) = a.grantee
              where t.oid in (select target.base union all select p from pgvec.partitions(target.base) as p)
                and not (a.privilege_type = 'SELECT' and t.oid = target.base)
                and not (a.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
                         and t.oid = target.base
                         and r.name in (select w from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as w)))
      select (pgvec.verdict(
               target.name, 'writers', coalesce(array_agg(distinct format('%s may %s', role_name, privilege)), '{}'),
               'nobody may write but those who should',
               'revoke ... on table ... from ...: row level security does not hold truncate',
               string_agg(distinct format('revoke %s on table %s from %I;', privilege, relation, role_name), ' '))).*
        from granted;
  end if;

  return next pgvec.verdict(
    target.name, 'initplan',
    array(select format('policy %s calls a function for each row', p.polname)
            from pg_catalog.pg_policy as p
           cross join lateral concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as e (text)
           where p.polrelid = target.base
             and regexp_replace(e.text, 'select\s+(auth\.\w+|current_setting|pgvec\.allowed_tenants)\(', '', 'gi')
                 ~ '\m(auth\.(uid|jwt|role|email)|current_setting|allowed_tenants)\('),
    'policies ask once a query',
    'write (select auth.uid()) and the like in policies, so that they are evaluated once a query and not for each row', severity => 'warn');
end
$$;
comment on function pgvec.verify_protection(text) is
  'Checks the table of a collection: rls, policies (those of its access, and for tenants no others), writers (roles that may write and should not), '
  'initplan (policies that call a function for each row). Raises PV001.';
revoke all on function pgvec.verify_protection(text) from public;
