-- pgvec.make_policies -- creates the policies of a collection's table for its access, replacing existing ones.
-- The subquery around the tenants is evaluated once a query, and leaves a condition that the primary key serves.
create or replace function pgvec.make_policies(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(make_policies.collection);
  readers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
  writers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as r);
  visible text := case target.access
                    when 'open' then 'true'
                    when 'tenant' then 'tenant_id = any (array(select pgvec.allowed_tenants()))'
                  end;
  policy  name;
begin
  if visible is null then
    return;
  end if;

  for policy in
    select p.polname
      from pg_catalog.pg_policy as p
     where p.polrelid = target.relation
       and p.polname in ('read_all', 'insert_all', 'update_all', 'delete_all')
  loop
    execute format('drop policy %I on %s', policy, target.relation);
  end loop;
  if readers is not null then
    execute format('create policy read_all on %s for select to %s using (%s)', target.relation, readers, visible);
  end if;
  if writers is not null then
    execute format('create policy insert_all on %s for insert to %s with check (%s)', target.relation, writers, visible);
    execute format('create policy update_all on %s for update to %s using (%s) with check (%s)', target.relation, writers, visible, visible);
    execute format('create policy delete_all on %s for delete to %s using (%s)', target.relation, writers, visible);
  end if;
end
$$;
comment on function pgvec.make_policies(text) is
  'Creates or replaces the policies of a collection''s table: for access open (all rows) and tenant (those of pgvec.allowed_tenants, which users may write as '
  'well), for the existing reading and writing roles. Policies of other names, and grants, stay as they are. Raises PV001.';
revoke all on function pgvec.make_policies(text) from public;
