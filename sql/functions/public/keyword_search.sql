-- keyword_search -- the rows of a collection that share words with a text.
-- Any of the words will do (OR): with AND, a question in plain language matches nothing. The rows are read, and headlines
-- made, after the limit. Parallel unsafe, since a search that is logged (pgvec.logged_keyword_search) writes.
drop function if exists public.keyword_search(text, int, jsonb, text, text, uuid, boolean);

create or replace function public.keyword_search(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    ranking text default 'bm25',
    collection text default 'documents',
    for_tenant uuid default null,
    highlight boolean default false,
    match_threshold float8 default null)
  returns table (id text, content text, metadata jsonb, score float8, headline text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(coalesce(keyword_search.collection, 'documents'), for_tenant);
  ranked text := coalesce(ranking, 'bm25');
  query  pgvec.keyword_query;
begin
  if target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query
      select l.* from pgvec.logged_keyword_search(target, query_text, match_count, filter, ranked, for_tenant, highlight, match_threshold) as l;
    return;
  end if;
  perform pgvec.check_choice('ranking', ranked, '{bm25,ts_rank,ts_rank_cd}');
  perform pgvec.check_threshold(null, match_threshold);
  if cardinality(target.tenants) > 1 then
    return query
      select k.id, k.content, k.metadata, k.score, k.headline
        from unnest(target.tenants) as t (tenant)
       cross join lateral public.keyword_search(
               query_text, match_count, filter, ranked, target.name, t.tenant, highlight, match_threshold) as k
       order by k.score desc, k.id, t.tenant
       limit pgvec.clamp_count(match_count, 10);
    return;
  end if;
  query := pgvec.keyword_query(target.name, query_text, target.tenants[1]);

  return query execute format(
    $query$
    select d.id, d.content, d.metadata, h.score, case when $2 then pgvec.headline(coalesce(d.language, $3), d.content, $4) end
      from unnest($1) as h
      join %s as d on d.id = h.id
     where $5 is null
        or h.score >= $5
     order by h.score desc, h.id
    $query$, pgvec.rows_of(target, by_key => 'h.id'))
    using pgvec.keyword_hits(
            target, query, ranked, pgvec.clamp_count(match_count, 10), pgvec.with_text(filter, concat_ws(' ', query.phrases, query.excluded))),
          coalesce(highlight, false),
          target.language,
          query.words,
          match_threshold;
end
$$;
comment on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8) is
  'The match_count (1 to 1000) rows of a collection that share words with query_text, best first, ties by id. '
  '"Quoted phrases" must occur, -words must not (in a text of up to 32 words). '
  'filter: as in match_documents. ranking: bm25 (k1 1.2, b 0.75), ts_rank or ts_rank_cd. highlight: adds a headline with the words between <mark> and </mark>. '
  'match_threshold: the least score. A text without words finds no rows. Errors: PV001 unknown collection, PV003 filter, PV004 ranking or threshold, PV006 tenant.';
revoke all on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8) from public;
select pgvec.grant_execute('public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8)', 'reader');
