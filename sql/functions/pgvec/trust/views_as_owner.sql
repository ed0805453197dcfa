-- pgvec.views_as_owner -- views that show rows of tables as their owner sees them, rather than the caller, and who may use
-- them.
-- A view with security_invoker reads as the caller, also below a view without it. A materialized view holds what its owner saw.
create or replace function pgvec.views_as_owner(relations regclass[])
  returns table (view_oid oid, view text, is_copy boolean, reader name)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive shown (relation, as_owner) as (
         select t::oid, false from unnest(relations) as t
          union
         select v.oid,
                v.relkind = 'm'
                or not i.invoker
                   and (s.as_owner
                        or r.relkind not in ('v', 'm')
                           and (not r.relrowsecurity or o.rolsuper or o.rolbypassrls or pg_has_role(o.oid, r.relowner, 'usage')))
           from shown as s
           join pg_catalog.pg_class as r on r.oid = s.relation
           join pg_catalog.pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid and d.classid = 'pg_rewrite'::regclass
           join pg_catalog.pg_rewrite as w on w.oid = d.objid
           join pg_catalog.pg_class as v on v.oid = w.ev_class and v.relkind in ('v', 'm') and v.oid <> r.oid
           join pg_catalog.pg_roles as o on o.oid = v.relowner
          cross join lateral (
                 select exists (select
                                  from pg_options_to_table(v.reloptions) as x
                                 where x.option_name = 'security_invoker' and x.option_value::boolean) as invoker) as i)
  select v.oid, v.oid::regclass::text, v.relkind = 'm', h.name
    from (select distinct s.relation from shown as s where s.as_owner) as s
    join pg_catalog.pg_class as v on v.oid = s.relation
   cross join pgvec.held_roles() as h (name)
   where has_schema_privilege(h.name, v.relnamespace, 'usage')
     and (has_any_column_privilege(h.name, v.oid, 'select, insert, update') or has_table_privilege(h.name, v.oid, 'delete'))
   order by 2, 4
$$;
comment on function pgvec.views_as_owner(regclass[]) is
  'Views and materialized views, also views over them, through which a role that row level security must constrain reaches rows of these tables with the rights of '
  'the view''s owner; with each such role.';
revoke all on function pgvec.views_as_owner(regclass[]) from public;
