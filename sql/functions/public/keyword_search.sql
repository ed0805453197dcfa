-- keyword_search -- the rows of a collection that share words with a text.
-- Any of the words will do (OR): with AND, a question in plain language matches nothing. The headline is made after the
-- limit, since it reads the whole text.
create or replace function public.keyword_search(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    ranking text default 'ts_rank',
    collection text default 'documents',
    for_tenant uuid default null,
    highlight boolean default false)
  returns table (id text, content text, metadata jsonb, score float8, headline text)
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
declare
  target pgvec.collections := pgvec.collection(coalesce(keyword_search.collection, 'documents'));
  ranked text := coalesce(ranking, 'ts_rank');
  query  tsquery := pgvec.any_lexeme(target.language, coalesce(query_text, ''));
  within record := pgvec.filter_condition(target, filter);
begin
  perform pgvec.check_choice('ranking', ranked, '{ts_rank,ts_rank_cd}');
  perform pgvec.check_tenant(target, for_tenant);

  return query execute format(
    $query$
    select r.id, r.content, r.metadata, r.score, case when $4 then pgvec.headline($5, r.content, $1) end
      from (select d.id, d.content, d.metadata, %s(d.fts, $1)::float8 as score
              from %s as d
             where d.fts @@ $1
               %s
             order by score desc, d.id
             limit $3) as r
     order by r.score desc, r.id
    $query$,
    case ranked when 'ts_rank' then 'ts_rank' when 'ts_rank_cd' then 'ts_rank_cd' end,
    target.relation,
    case when within.condition <> '' then 'and ' || within.condition end)
    using query,
          within.bound,
          pgvec.clamp_count(match_count, 10),
          coalesce(highlight, false),
          target.language;
end
$$;
comment on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean) is
  'The match_count (1 to 1000) rows of a collection that share words with query_text, best first, ties by id. filter: as in match_documents. '
  'ranking: ts_rank or ts_rank_cd. highlight: adds a headline with the words between <mark> and </mark>. '
  'Errors: PV001 unknown collection, PV003 filter, PV004 ranking, PV006 tenant.';
revoke all on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean) from public;
select pgvec.grant_execute('public.keyword_search(text, int, jsonb, text, text, uuid, boolean)', 'reader');
