-- pgvec.route_name -- what people call a kind of step of a search.
create or replace function pgvec.route_name(kind text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case kind when 'column' then 'index' else coalesce(kind || ' index', 'exact') end
$$;
comment on function pgvec.route_name(text) is 'index, halfvec index, binary index, or exact for null: a kind of pgvec.search_step, for people.';
revoke all on function pgvec.route_name(text) from public;
select pgvec.grant_execute('pgvec.route_name(text)', 'reader');
