-- pgvec.prepare_bench -- copies rows of a collection into temporary tables, to try indexes on.
-- Queries are rows that are left out of the copy, or given ones. Their true neighbours are found by exact scans. Nobody else
-- sees the tables, and they are gone with the session, however it ends.
create or replace function pgvec.prepare_bench(
    collection text,
    row_limit int default 100000,
    queries int default 100,
    match_count int default 10,
    query_embeddings extensions.vector[] default null)
  returns table (rows bigint, of_rows bigint, queries_used bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target     pgvec.collections := pgvec.collection(prepare_bench.collection);
  copy       pgvec.collections := target;
  query      record;
  neighbours text[];
begin
  perform pgvec.check_count('row_limit', row_limit, 1, 2147483647);
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 1000);
  drop table if exists pg_temp.pgvec_bench_rows, pg_temp.pgvec_bench_queries;
  execute format('select count(*) from %s as d where d.embedding is not null', coalesce(target.source, target.relation::text)) into of_rows;
  create temporary table pgvec_bench_queries (id text, embedding extensions.vector, expected text[]);
  if query_embeddings is null then
    execute format(
      $query$
      insert into pg_temp.pgvec_bench_queries (id, embedding)
      select d.id, d.embedding
        from %s as d
       where d.embedding operator(extensions.<#>) d.embedding < 0
       order by md5(d.id)
       limit least($1, $2 / 2)
      $query$, coalesce(target.source, target.relation::text))
      using queries, of_rows;
  else
    insert into pg_temp.pgvec_bench_queries (embedding)
    select e from unnest(query_embeddings) as e;
    perform pgvec.check_query_embedding(target, e) from unnest(query_embeddings) as e;
  end if;

  execute format(
    $query$
    create temporary table pgvec_bench_rows as
    select d.id, ''::text as content, '{}'::jsonb as metadata, d.embedding
      from %s as d
     where d.embedding is not null
       and d.id not in (select q.id from pg_temp.pgvec_bench_queries as q where q.id is not null)
     order by md5(d.id) desc
     limit %s
    $query$, coalesce(target.source, target.relation::text), row_limit);
  get diagnostics rows = row_count;
  analyze pg_temp.pgvec_bench_rows;

  copy.source := null;
  copy.plain_source := null;
  copy.relation := 'pg_temp.pgvec_bench_rows'::regclass;
  for query in
    select q.ctid as place, q.embedding from pg_temp.pgvec_bench_queries as q
  loop
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q', pgvec.vector_query(copy, target.distance, '', null))
      into neighbours
      using query.embedding, null::jsonb, match_count;
    update pg_temp.pgvec_bench_queries as q set expected = neighbours where q.ctid = query.place;
  end loop;
  queries_used := (select count(*) from pg_temp.pgvec_bench_queries);
  return next;
end
$$;
comment on function pgvec.prepare_bench(text, int, int, int, extensions.vector[]) is
  'Copies at most row_limit embedded rows of a collection into a temporary table, with queries (rows left out of it, or those given) and their true match_count '
  'neighbours, for pgvec.bench_index. Returns the rows copied, the rows of the collection, and the queries. Raises PV001, PV002, PV005.';
revoke all on function pgvec.prepare_bench(text, int, int, int, extensions.vector[]) from public;
