-- pgvec.vector_plan -- the plan of a vector search as it is really run, with its settings and its parameters.
create or replace function pgvec.vector_plan(
    collection text,
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    distance text default null)
  returns setof text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
as $$
declare
  target  pgvec.collections := pgvec.collection(vector_plan.collection);
  measure text := coalesce(vector_plan.distance, target.distance);
  wanted  int := pgvec.clamp_count(match_count, 100);
  within  jsonb := pgvec.containment(filter);
begin
  perform pgvec.check_query_embedding(target, query_embedding);
  perform pgvec.check_choice('distance', measure, '{cosine,l2,inner_product,l1}');
  perform pgvec.tune_scan(target, wanted);
  return query execute
    'explain (analyze, costs off, timing off, buffers off) ' || pgvec.vector_query(target, measure, within <> '{}', measure <> target.distance)
    using query_embedding, within, wanted;
end
$$;
comment on function pgvec.vector_plan(text, extensions.vector, int, jsonb, text) is
  'EXPLAIN ANALYZE, line by line, of the query that match_documents runs first for these arguments (an exact scan follows where an index scan under-fills).';
revoke all on function pgvec.vector_plan(text, extensions.vector, int, jsonb, text) from public;
select pgvec.grant_execute('pgvec.vector_plan(text, extensions.vector, int, jsonb, text)', 'reader');
