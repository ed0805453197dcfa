-- pgvec.noted_loads -- the resume points of a collection that the caller may see: those of its tenants.
-- Definer, since the resume points of others reveal their files.
create or replace function pgvec.noted_loads(collection text)
  returns table (source text, fingerprint text, "position" bigint, last_id text)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  request pgvec.search_request := pgvec.scoped(noted_loads.collection, null);
  target  pgvec.collections := request.collection;
begin
  return query
    select l.source, l.fingerprint, l.position, l.last_id
      from pgvec.loads as l
     where l.collection = target.name
       and l.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
     order by l.source;
end
$$;
comment on function pgvec.noted_loads(text) is
  'The resume points of loads into a collection, of the caller''s tenants where rows belong to tenants. Raises PV001 and PV006.';
revoke all on function pgvec.noted_loads(text) from public;
select pgvec.grant_execute('pgvec.noted_loads(text)', 'writer');
