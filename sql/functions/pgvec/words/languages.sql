-- pgvec.languages -- the text search configurations in use in a collection, among the rows that a request is for.
create or replace function pgvec.languages(request pgvec.search_request)
  returns text[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select (request.collection).language
     union
    select u
      from pgvec.text_totals as t, unnest(t.languages) as u
     where t.collection = (request.collection).name
       and t.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
     order by 1);
end
$$;
comment on function pgvec.languages(pgvec.search_request) is
  'The text search configurations of a collection: its own, and those of rows with a language. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.languages(pgvec.search_request) from public;
