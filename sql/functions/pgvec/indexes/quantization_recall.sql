-- pgvec.quantization_recall -- what a quantized index would cost in recall, measured on the collection's own rows.
-- Each sampled row is a query for its neighbours: the rows that the quantized form ranks highest, ordered again by their true
-- distance, are compared with the true neighbours. No index takes part, so this is the most that an index of that storage could
-- reach.
create or replace function pgvec.quantization_recall(collection text, storage text, queries int default 20, match_count int default 10)
  returns float8
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_indexscan = off
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.of_model(quantization_recall.collection);
  kind      text := case when storage <> target.storage then storage end;
  drawn     text;
  embedding extensions.vector;
  expected  text[];
  found     text[];
  hits      int := 0;
  wanted    int := 0;
begin
  perform pgvec.check_choice('storage', storage, '{vector,halfvec,binary}');
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 1000);
  for drawn, embedding in execute
    format('select d.id, d.embedding::extensions.vector from %s as d where d.embedding is not null order by md5(d.id) limit $1', coalesce(target.source, target.relation::text))
    using queries
  loop
    -- the row itself is left out: any index finds it
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, target.distance, '', null))
      into expected
      using embedding, null::jsonb, match_count + 1, drawn;
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, target.distance, '', kind))
      into found
      using embedding, null::jsonb, pgvec.read_rows(target, kind, match_count) + 1, drawn;
    hits := hits + (select count(*) from unnest(expected[:match_count]) as e where e = any (found[:match_count]));
    wanted := wanted + coalesce(cardinality(expected[:match_count]), 0);
  end loop;
  return hits / nullif(wanted, 0)::float8;
end
$$;
comment on function pgvec.quantization_recall(text, text, int, int) is
  'Recall@match_count (0 to 1) of ranking a collection''s rows by halfvec or binary and ordering the candidates by their true distance, over sampled rows as '
  'queries. Reads the table twice for each query. Null where there are fewer than two embedded rows.';
revoke all on function pgvec.quantization_recall(text, text, int, int) from public;
