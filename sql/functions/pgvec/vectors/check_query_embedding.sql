-- pgvec.check_query_embedding -- PV002 or PV005 unless a query vector fits its collection.
-- NaN and infinity never get here: pgvector's input functions refuse them.
create or replace function pgvec.check_query_embedding(collection pgvec.collections, query_embedding extensions.vector)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if query_embedding is null then
    raise exception using
      errcode = 'PV004',
      message = 'query_embedding is null',
      hint    = 'embed the query text first; a failed call to an embedding service often arrives as null';
  elsif extensions.vector_dims(query_embedding) <> collection.dimensions then
    raise exception using
      errcode = 'PV002',
      message = format('the query has %s dimensions, collection %L has %s',
                       extensions.vector_dims(query_embedding), collection.name, collection.dimensions),
      hint    = case
                  when collection.model is null then 'embed queries with the model that embedded the rows'
                  else format('embed queries with the model that embedded the rows: %s', collection.model)
                end;
  elsif query_embedding operator(extensions.<#>) query_embedding = 0 then
    raise exception using
      errcode = 'PV005',
      message = 'the query is a zero vector',
      hint    = 'a zero vector has no direction and nothing is near it; embed a text that is not empty';
  elsif collection.storage = 'halfvec'
        and (select coalesce(max(abs(e)) <= 2.0 ^ -25, true) or max(abs(e)) >= 65520 from unnest(query_embedding::real[]) as e) then
    raise exception using
      errcode = 'PV005',
      message = 'the query is a zero vector, or overflows, in the two bytes a number of halfvec',
      detail  = format('collection %L stores halfvec, which holds numbers from 6e-8 to 65504', collection.name),
      hint    = 'scale it: the direction stays the same, and embeddings have lengths near 1';
  elsif query_embedding operator(extensions.<#>) query_embedding = '-infinity' then
    raise exception using
      errcode = 'PV005',
      message = 'the query is too long a vector to compare',
      hint    = 'single precision holds lengths to 1.8e19; embeddings have lengths near 1';
  end if;
end
$$;
comment on function pgvec.check_query_embedding(pgvec.collections, extensions.vector) is
  'Raises PV002 where the query''s dimensions are not the collection''s, PV005 for a zero vector and one beyond single precision, PV004 for null.';
revoke all on function pgvec.check_query_embedding(pgvec.collections, extensions.vector) from public;
select pgvec.grant_execute('pgvec.check_query_embedding(pgvec.collections, extensions.vector)', 'reader');
