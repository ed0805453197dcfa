-- pgvec.hide_statistics -- removes the planner's statistics that reveal rows of a collection with access tenant or policy.
-- Row level security does not cover the planner's statistics where the operator is leakproof, as = and < of text, uuid, numbers
-- and dates are: EXPLAIN, and Prefer: count=planned through the REST API, reveal how many rows of others have a value, letter
-- by letter; for @@ the planner does not even check this. Statistics of metadata, which routes need, stay. How many rows a
-- tenant has: pgvec.tenant_size.
-- Existing statistics are removed by the server's function for it, which came with 18; before, by a superuser's hand, or by
-- giving the column its own type again, during which no policy of ours may refer to it.
create or replace function pgvec.hide_statistics(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(hide_statistics.collection);
  item   record;
begin
  for item in
    select h.relation, h.attnum, h.attname, h.type, h.is_index from pgvec.telling_columns(target.name) as h where h.is_ours and h.attstattarget is distinct from 0
  loop
    execute format(case when item.is_index then 'alter index %s alter column %s set statistics 0' else 'alter table only %s alter column %3$I set statistics 0' end,
                   item.relation, item.attnum, item.attname);
  end loop;
  if not exists (select from pgvec.telling_columns(target.name) as h where h.is_ours and h.known) then
    return;
  end if;

  if to_regprocedure('pg_catalog.pg_clear_attribute_stats(text, text, text, boolean)') is not null then
    for item in
      select n.nspname, r.relname, h.attname
        from pgvec.telling_columns(target.name) as h
        join pg_catalog.pg_class as r on r.oid = h.relation
        join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
       where h.is_ours and h.known
    loop
      execute format('select pg_clear_attribute_stats(%1$L, %2$L, %3$L, false), pg_clear_attribute_stats(%1$L, %2$L, %3$L, true)', item.nspname, item.relname, item.attname);
    end loop;
  elsif (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user) then
    delete from pg_catalog.pg_statistic as s using pgvec.telling_columns(target.name) as h where h.is_ours and s.starelid = h.relation and s.staattnum = h.attnum;
  else
    for item in
      select p.polname from pg_catalog.pg_policy as p where p.polrelid = target.text_table and target.base = target.relation and p.polname in ('read_all', 'insert_all', 'update_all', 'delete_all')
    loop
      execute format('drop policy %I on %s', item.polname, target.base);
    end loop;
    execute format('alter table %s %s', target.text_table, (
      select string_agg(format('alter column %I type %s', h.attname, h.type), ', ') from pgvec.telling_columns(target.name) as h where h.is_ours and h.relation = target.text_table and not h.is_index));
    if target.base = target.relation then
      perform pgvec.make_policies(target.name);
    end if;
  end if;
end
$$;
comment on function pgvec.hide_statistics(text) is
  'Turns off the planner''s statistics for the columns of pgvec.telling_columns of a collection, and removes existing ones. For access tenant and policy, side '
  'tables of adopted ones included. Raises PV001.';
revoke all on function pgvec.hide_statistics(text) from public;
