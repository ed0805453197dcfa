-- pgvec.verify_protection -- row level security and policies of a collection's table.
-- For an adopted table, and one with access policy, the policies are the owner's; those that are evaluated for each row are
-- reported all the same. In an open collection with policies of the owner's own, a missing policy is not restored unasked: it
-- might let in more.
create or replace function pgvec.verify_protection(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_protection.collection);
  ours    boolean := target.base = target.relation;
begin
  return next pgvec.verdict(
    target.name, 'rls',
    array(select format('%s has no row level security', r.oid::regclass)
            from pg_catalog.pg_class as r
           where not r.relrowsecurity
             and (r.oid in (select a.side from pgvec.adoptions as a where a.collection = target.name)
                  or r.oid = target.base and (ours or exists (select from pg_catalog.pg_policy as p where p.polrelid = r.oid)))
           order by r.oid)
      || array(select format('%s forces row level security on its owner, as whom searches find ids', r.oid::regclass)
                 from pg_catalog.pg_class as r
                where r.oid = target.base and r.relforcerowsecurity and ours and target.access <> 'policy'),
    case when ours then 'row level security is on' else 'that of the table is its owner''s, that of its lexemes is on' end,
    'alter table ... enable row level security, and no force row level security',
    (select string_agg(case when r.relrowsecurity then format('alter table %s no force row level security;', r.oid::regclass)
                            else format('alter table %s enable row level security;', r.oid::regclass) end, ' ' order by r.oid)
       from pg_catalog.pg_class as r
      where r.oid in (select a.side from pgvec.adoptions as a where a.collection = target.name) and not r.relrowsecurity
         or r.oid = target.base and ours and (not r.relrowsecurity or r.relforcerowsecurity and target.access <> 'policy')));

  if ours then
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
               'pgvec.make_policies restores ours; drop policy ... for one that should not be there',
               case when exists (select from problems as p where p.problem !~ 'lets in')
                     and (target.access = 'tenant' or not exists (select from there as t where t.polpermissive and t.polname not in (select w.name from wanted as w)))
                    then format('select pgvec.make_policies(%L);', target.name) end)).*
       where target.access <> 'policy';
  else
    return query
      with there as (
             select p.polname, p.polrelid::regclass as side, p.polpermissive, pg_get_expr(p.polqual, p.polrelid) as expression
               from pgvec.adoptions as a
               join pg_catalog.pg_policy as p on p.polrelid = a.side
              where a.collection = target.name)
      select (pgvec.verdict(
               target.name, 'policies',
               array(select format('policy %s of %s lets in more than those who see the rows', t.polname, t.side)
                       from there as t
                      where t.polpermissive and (t.polname <> 'follow_the_table' or (t.expression !~ 'pgvec.visible_keys\(' or t.expression ~ '\mOR\M'))
                      order by 1)
                 || array(select format('policy follow_the_table of %s is missing', a.side)
                            from pgvec.adoptions as a
                           where a.collection = target.name and a.side is not null and not exists (select from there as t where t.polname = 'follow_the_table')),
               'those of the table are its owner''s, its lexemes follow them',
               'pgvec.protect_side restores ours; drop policy ... for one that should not be there',
               case when not exists (select from there as t where t.polname = 'follow_the_table' and t.expression ~ 'pgvec.visible_keys\(' and t.expression !~ '\mOR\M')
                    then format('select pgvec.protect_side(%L);', target.name) end)).*;
  end if;

  return next pgvec.verdict(
    target.name, 'initplan',
    array(select format('policy %s calls a function for each row', p.polname)
            from pg_catalog.pg_policy as p
           cross join lateral concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as e (text)
           where p.polrelid = target.base
             and regexp_replace(e.text, 'select\s+\(*(auth\.\w+|current_setting|pgvec\.allowed_tenants)\(', '', 'gi')
                 ~ '\m(auth\.(uid|jwt|role|email)|current_setting|allowed_tenants)\('),
    'policies are evaluated once a query',
    'write (select auth.uid()) and the like in policies, so that they are evaluated once a query and not for each row', severity => 'warn');
end
$$;
comment on function pgvec.verify_protection(text) is
  'Checks the table of a collection: rls, policies (those of its access, and for tenants no others; of a side table its own), initplan (policies that call a '
  'function for each row). Raises PV001.';
revoke all on function pgvec.verify_protection(text) from public;
