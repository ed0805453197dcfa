-- pgvec.frequency -- how many rows have a lexeme, of those that a request is for.
create or replace function pgvec.frequency(request pgvec.search_request, lexeme text)
  returns float8
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(sum(x.documents), 0)::float8
      from pgvec.lexemes as x
     where x.collection = (request.collection).name
       and x.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
       and x.lexeme = frequency.lexeme);
end
$$;
comment on function pgvec.frequency(pgvec.search_request, text) is
  'The rows of the tenants of a request that have a lexeme. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.frequency(pgvec.search_request, text) from public;
