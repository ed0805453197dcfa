-- pgvec.hybrid_candidates -- the best rows by vector and by keyword, each with both scores.
-- What one side found is scored by the other too: a row that only one side knows would otherwise count as worthless to
-- the other, which costs more in the order of results than anything else in fusing them.
-- A side with weight zero is not asked, and its scores are null. -excluded words bind both sides; "quoted phrases" bind what
-- is found by keyword, since texts that say the same in other words are what vectors are for.
create or replace function pgvec.hybrid_candidates(
    collection pgvec.collections,
    query pgvec.keyword_query,
    query_embedding extensions.vector,
    ranking text,
    filter jsonb,
    match_threshold float8,
    depth int,
    by_vector boolean,
    by_keyword boolean)
  returns pgvec.fused[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb := pgvec.with_text(filter, query.excluded);
  ids    text[] := '{}'::text[];
  candidates pgvec.fused[];
begin
  if collection.tenants is not null and not pgvec.finds_alone(collection) then
    return pgvec.tenant_candidates(collection.name, query, query_embedding, ranking, filter, match_threshold, depth, by_vector, by_keyword, collection.tenants[1]);
  end if;
  if by_vector then
    ids := array(select m.id from public.match_documents(query_embedding, depth, wanted, match_threshold, collection.name, collection.tenants[1], null::text) as m);
  end if;
  if by_keyword then
    ids := ids || array(select k.id from unnest(pgvec.keyword_hits(collection, query, ranking, depth, pgvec.with_text(wanted, query.phrases))) as k);
  end if;

  execute format(
    $query$
    select array_agg((
             d.id,
             null,
             case when $1 then case $2 when 'cosine' then 1 - d.distance when 'inner_product' then - d.distance else 1 / (1 + d.distance) end end,
             case when $6 then d.keyword_score end,
             null,
             null)::pgvec.fused order by d.id)
      from (select d.id, d.embedding operator(extensions.%s) $3::extensions.%s as distance, %s as keyword_score
              from (select distinct u.id from unnest($7) as u (id)) as i
              join %s as d on d.id = i.id) as d
    $query$,
    pgvec.distance_operator(collection.distance), collection.storage, pgvec.keyword_score(ranking), pgvec.rows_of(collection, by_key => 'i.id'))
    into candidates
    using by_vector,
          collection.distance,
          query_embedding,
          query.weights,
          query.words,
          by_keyword,
          ids;
  return coalesce(candidates, '{}');
end
$$;
comment on function pgvec.hybrid_candidates(pgvec.collections, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean) is
  'The depth best rows by vector (of match_documents) and the depth best by keyword (of pgvec.keyword_hits), in the order of their ids, each with similarity and keyword_score. '
  'similarity is null where a row has no embedding; keyword_score is 0 where it has none of the words.';
revoke all on function pgvec.hybrid_candidates(pgvec.collections, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.hybrid_candidates(pgvec.collections, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean)', 'reader');
