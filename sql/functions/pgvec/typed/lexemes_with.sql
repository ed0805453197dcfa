-- pgvec.lexemes_with -- the lexemes of rows that begin with a text: a range of the index, in any collation.
create or replace function pgvec.lexemes_with(request pgvec.search_request, beginning text)
  returns table (lexeme text, documents float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  rows 200
as $$
begin
  return query
    select x.lexeme, sum(x.documents)::float8
      from pgvec.lexemes as x
     where x.collection = (request.collection).name
       and x.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
       and x.lexeme operator(pg_catalog.~>=~) beginning
       and x.lexeme operator(pg_catalog.~<~) (beginning || chr(case getdatabaseencoding() when 'UTF8' then 1114111 else 255 end))
     group by x.lexeme
    having sum(x.documents) > 0;
end
$$;
comment on function pgvec.lexemes_with(pgvec.search_request, text) is
  'The lexemes that begin with a text, and how many rows of the tenants of a request have each. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.lexemes_with(pgvec.search_request, text) from public;
