-- pgvec.verify_views -- views and copies of a collection's rows that bypass its policies.
-- Where everybody may read the table, and for tables without row level security, a view reveals nothing new to a role that may
-- read it.
create or replace function pgvec.verify_views(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(verify_views.collection);
  hides  boolean := target.access <> 'open' and (select r.relrowsecurity from pg_catalog.pg_class as r where r.oid = target.base);
begin
  return query
    with found as (
           select v.view_oid, v.view, v.is_copy, string_agg(v.reader, ', ' order by v.reader) as readers
             from pgvec.views_as_owner(array(select t from pgvec.relations_of(target.name) as t)) as v
            where hides or not has_any_column_privilege(v.reader, target.base, 'select')
            group by v.view_oid, v.view, v.is_copy)
    select (pgvec.verdict(
             target.name, 'views',
             coalesce(array_agg(format(case when f.is_copy then '%s is a copy that %s may read' else '%s shows its rows as its owner to %s' end, f.view, f.readers) order by f.view), '{}'),
             'no view shows its rows past the policies to a role that the engine grants to',
             coalesce(min(case when f.is_copy then format('revoke all on %s from ..., since a materialized view has no row level security', f.view)
                               else format('alter view %s set (security_invoker = true); or revoke it from them', f.view) end), ''),
             string_agg(format('alter view %s set (security_invoker = true);', f.view), ' ') filter (where f.view_oid = target.relation),
             severity => case when target.access = 'tenant' or bool_or(f.view_oid = target.relation) then 'fail' else 'warn' end)).*
      from found as f;
end
$$;
comment on function pgvec.verify_views(text) is
  'Check views of a collection: views without security_invoker, views over these, and materialized views, that show a caller rows past the policies or grants of '
  'the table. Raises PV001.';
revoke all on function pgvec.verify_views(text) from public;
