-- pgvec.graph_plan -- m and ef_construction of an HNSW index for the rows there are.
-- What makes a graph miss rows whatever ef_search is are islands: many small groups of rows that are much nearer to each other than
-- to all others. A row is linked with the nearest of ef_construction candidates; where these are all of its own island, no way leads
-- out of it, and a search that begins in another never gets there. So the nearest 1,000 rows of some rows are read, and the widest gap
-- between one and the next is looked for: ef_construction is made twice the rows before it, m grows with the number of islands.
-- 1,000 islands of 100 rows: recall@10 at ef_search 40 is 0.96 with ef_construction 64, and 0.99 with 128.
create or replace function pgvec.graph_plan(collection text, seconds float8 default 20)
  returns table (m int, ef_construction int, island float8, islands float8, note text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
as $$
declare
  depth     constant int := 1000;   -- nearest rows
  most      constant int := 40;     -- rows asked
  wide      constant float8 := 0.3; -- of the way from the nearest to the farthest of them
  common    constant float8 := 0.1; -- of the rows
  target    constant pgvec.collections := pgvec.of_model(graph_plan.collection);
  until     constant timestamptz := clock_timestamp() + make_interval(secs => seconds);
  row_count float8 := pgvec.estimate_rows(target);
  drawn     record;
  found     float8[];
  sizes     float8[] := array[]::float8[];
  asked     int := 0;
begin
  m := 16;
  ef_construction := 64;
  if row_count is null then  -- it was never analyzed
    execute format('select count(*) from %s', target.base) into row_count;
  end if;
  row_count := row_count / (select count(*) from pgvec.partitions(target.base));
  if row_count < depth then
    note := 'few rows: any graph finds them';
    return next;
    return;
  end if;
  for drawn in execute format('select d.embedding::extensions.vector as embedding from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit %s',
                              pgvec.sample_of(target, 10 * most), most)
  loop
    exit when clock_timestamp() > until and asked > 0;
    execute format('select array_agg(q.distance order by q.distance) from (%s) as q where q.distance < ''nan''', pgvec.vector_query(target, target.distance, '', null))
      into found
      using drawn.embedding, null::jsonb, depth;
    asked := asked + 1;
    sizes := sizes || (
      select i::float8
        from generate_series(5, cardinality(found) - 1) as i
       where found[i + 1] - found[i] > wide * (found[cardinality(found)] - found[1])
       order by found[i + 1] - found[i] desc
       limit 1);
  end loop;

  sizes := array_remove(sizes, null);
  if cardinality(sizes) <= common * asked then
    note := format('%s of %s sampled rows lie apart from all but their nearest', cardinality(sizes), asked);
    return next;
    return;
  end if;
  island := (select percentile_cont(0.9) within group (order by s) from unnest(sizes) as s);
  islands := round(row_count * cardinality(sizes) / asked / (select percentile_cont(0.5) within group (order by s) from unnest(sizes) as s));
  ef_construction := least(400, greatest(64, 8 * ceil(2 * island / 8)));
  m := case when islands < 2000 then 16 when islands < 20000 then 24 else 32 end;
  note := format('%s of %s sampled rows lie in groups of about %s rows, far from all others: some %s groups', cardinality(sizes), asked, round(island), islands);
  return next;
end
$$;
comment on function pgvec.graph_plan(text, float8) is
  'm and ef_construction for an HNSW index over the rows of a collection: 16 and 64, and more where many small groups of rows lie far from all others, found by exact '
  'scans for sampled rows, as many as the seconds allow. Returns the size and the number of the groups (island, islands), and why. Raises PV001.';
revoke all on function pgvec.graph_plan(text, float8) from public;
