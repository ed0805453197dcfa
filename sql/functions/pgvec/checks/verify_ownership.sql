-- pgvec.verify_ownership -- who owns the tables of a collection, and which planner statistics reveal rows that not everybody
-- may see.
create or replace function pgvec.verify_ownership(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(verify_ownership.collection);
  engine constant name := (select pg_get_userbyid(n.nspowner) from pg_catalog.pg_namespace as n where n.nspname = 'pgvec');
begin
  return next pgvec.verdict(
    target.name, 'table owner',
    array(select format('%s belongs to %s, the engine to %s', r.oid::regclass, pg_get_userbyid(r.relowner), engine)
            from pg_catalog.pg_class as r
           where r.oid in (select t from pgvec.relations_of(target.name) as t)
             and (target.base = target.relation or r.oid = target.text_table and target.text_table <> target.base)
             and not pg_has_role(r.relowner, engine, 'member')
           order by 1),
    case when target.base = target.relation then format('its tables belong to %s or a role that may act as it', engine) else 'the table is the application''s' end,
    format('alter table ... owner to %I: the engine''s functions do not touch a table that could run its owner''s code, so its tenants cannot search it, and its weights become stale', engine),
    severity => case target.access when 'tenant' then 'fail' else 'warn' end);

  return next pgvec.verdict(
    target.name, 'readable',
    array_remove(array[case when not pgvec.reads_safely(target) then format('its rows were not read: policies or types of %s could run as %s',
                                                                          (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = target.base), current_user) end], null),
    'its rows can be read', 'verify it as a role no stronger than the owner of the table, or give the table to the owner of the engine', severity => 'warn');

  if target.access = 'open' or target.base <> target.relation and target.text_table = target.base then
    return;
  end if;
  return query
    with told as (
           select h.is_ours, format('the planner knows what is in %s of %s', h.attname, h.relation) as problem
             from pgvec.telling_columns(target.name) as h
            where h.known or h.is_ours and h.attstattarget is distinct from 0)
    select (pgvec.verdict(
             target.name, 'statistics', coalesce(array_agg(t.problem order by t.problem), '{}'),
             'there are no planner statistics that plans or planned counts could reveal',
             'row level security does not apply to EXPLAIN and Prefer: count=planned; pgvec.hide_statistics hides ours; for your own column: alter table ... alter column ... '
             'set statistics 0, and remove existing ones: pg_clear_attribute_stats, or alter column ... type to the same type',
             case when bool_or(t.is_ours) then format('select pgvec.hide_statistics(%L);', target.name) end,
             case when bool_or(t.is_ours) then 'fail' else 'warn' end)).*
      from told as t;
end
$$;
comment on function pgvec.verify_ownership(text) is
  'Checks of a collection: table owner (no weaker role than the engine''s owner owns its tables), readable (reading it runs no code of a weaker role) and, where '
  'not everybody may see all rows, statistics (the planner has none that could reveal rows). Raises PV001.';
revoke all on function pgvec.verify_ownership(text) from public;
