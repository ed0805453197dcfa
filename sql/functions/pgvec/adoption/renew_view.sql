-- pgvec.renew_view -- replaces the view over an adopted table by this release's, where that can be done in place.
-- A table whose columns have changed since it was adopted keeps its view. A view that is up to date is left alone: replacing it
-- would wait for every running search.
create or replace function pgvec.renew_view(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(renew_view.collection);
  adopted pgvec.adoptions;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute pgvec.adopted_view(target, adopted, 'pg_temp.pgvec_renewed_view');
  if pg_get_viewdef(to_regclass('pg_temp.pgvec_renewed_view')) <> pg_get_viewdef(target.relation)
     or (select 'security_invoker=true' = any (r.reloptions) from pg_catalog.pg_class as r where r.oid = target.relation) is not true
  then
    execute pgvec.adopted_view(target, adopted, target.relation::text);
  end if;
  drop view pg_temp.pgvec_renewed_view;
exception when invalid_table_definition or undefined_column then
  raise notice using
    message = format('the view over %s stays as it was', target.base),
    hint    = format('its columns have changed: select pgvec.release_collection(%L), and adopt it again', target.name);
end
$$;
comment on function pgvec.renew_view(text) is
  'Replaces the view over the table of an adopted collection; where the table''s columns have changed, a notice says that it stays. Raises PV001.';
revoke all on function pgvec.renew_view(text) from public;
