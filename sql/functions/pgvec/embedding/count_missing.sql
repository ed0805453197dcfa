-- pgvec.count_missing -- how many rows no search by vector finds yet, since they have no embedding.
-- From the partial index of stale rows, where the table has one.
create or replace function pgvec.count_missing(collection text, for_tenant uuid default null)
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(count_missing.collection, for_tenant);
  missing bigint;
begin
  execute format(
    $query$
    select count(*)
      from %s as d
     where d.embedded_hash is distinct from d.content_hash
       and d.embedding is null
       and d.content ~ '\S'
    $query$, pgvec.rows_of(request))
    into missing;
  return missing;
end
$$;
comment on function pgvec.count_missing(text, uuid) is
  'Number of rows that the caller may read, of for_tenant or of the caller''s tenants where rows belong to tenants, that have text but no embedding. '
  'Raises PV001 for an unknown collection, PV006 for a tenant that is not the caller''s.';
revoke all on function pgvec.count_missing(text, uuid) from public;
select pgvec.grant_execute('pgvec.count_missing(text, uuid)', 'reader');
