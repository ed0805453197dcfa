-- pgvec.compare_distances -- how far the rankings by two distances agree on the same rows.
create or replace function pgvec.compare_distances(collection text, queries int default 50, match_count int default 10)
  returns table (distance text, other text, overlap float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_indexscan = off
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(compare_distances.collection);
  distances constant text[] := '{cosine,l2,inner_product,l1}'::text[];
  agreed    float8[] := array_fill(0::float8, array[4, 4]);
  asked     int := 0;
  drawn     text;
  embedding extensions.vector;
  found     jsonb[];
  ids       text[];
begin
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 1000);
  for drawn, embedding in execute
    format('select d.id, d.embedding::extensions.vector from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit $1', coalesce(target.source, target.relation::text))
    using queries
  loop
    found := '{}';
    for place in 1 .. 4 loop
      execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, distances[place], '', null))
        into ids
        using embedding, null::jsonb, match_count + 1, drawn;
      found := found || to_jsonb(ids[:match_count]);
    end loop;
    asked := asked + coalesce(jsonb_array_length(found[1]), 0);
    for a in 1 .. 4 loop
      for b in a + 1 .. 4 loop
        agreed[a][b] := agreed[a][b] + (select count(*) from jsonb_array_elements_text(found[a]) as e where found[b] ? e.value);
      end loop;
    end loop;
  end loop;

  for a in 1 .. 4 loop
    for b in a + 1 .. 4 loop
      distance := distances[a];
      other := distances[b];
      overlap := agreed[a][b] / nullif(asked, 0);
      return next;
    end loop;
  end loop;
end
$$;
comment on function pgvec.compare_distances(text, int, int) is
  'For each pair of distances the share (0 to 1) of the match_count nearest rows that both find, by exact scans, with sampled rows as queries. Cosine, l2 and inner '
  'product agree where all vectors have the same length (see pgvec.vector_lengths).';
revoke all on function pgvec.compare_distances(text, int, int) from public;
