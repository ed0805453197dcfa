-- pgvec.idf -- how much a word counts by how rare it is: that of Lucene, never negative. pgvec.keyword_query has it inline.
create or replace function pgvec.idf(documents float8, total float8)
  returns float8
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return ln(1 + (greatest(total, documents) - documents + 0.5) / (documents + 0.5));
end
$$;
comment on function pgvec.idf(float8, float8) is 'ln(1 + (total - documents + 0.5) / (documents + 0.5)): the weight of a word that so many of all rows have.';
revoke all on function pgvec.idf(float8, float8) from public;
