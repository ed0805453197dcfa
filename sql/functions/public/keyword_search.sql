-- keyword_search -- the rows of a collection that share words with a text.
-- Any of the words will do (OR): with AND, a question in plain language matches nothing. Each tenant is searched as if there
-- were no other: pgvec.keyword_rows. Parallel unsafe, since logging a search writes.
drop function if exists public.keyword_search(text, int, jsonb, text, text, uuid, boolean);
drop function if exists public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8);

create or replace function public.keyword_search(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    ranking text default 'bm25',
    collection text default 'documents',
    for_tenant uuid default null,
    highlight boolean default false,
    match_threshold float8 default null,
    syntax text default 'web',
    mark_start text default '<mark>',
    mark_stop text default '</mark>',
    fuzzy boolean default false,
    prefix boolean default false)
  returns table (id text, content text, metadata jsonb, score float8, headline text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started  constant timestamptz := clock_timestamp();
  request  pgvec.search_request := pgvec.scoped(coalesce(keyword_search.collection, 'documents'), for_tenant);
  returned int := 0;
  best     float8;
begin
  perform pgvec.check_choice('syntax', coalesce(syntax, 'web'), '{web,plain}');
  request.query_text := case syntax when 'plain' then (pgvec.parse_words(query_text, 'plain')).words else query_text end;
  request.filter := filter;
  request.ranking := coalesce(ranking, 'bm25');
  request.wanted := pgvec.clamp_count(match_count, 10);
  request.match_threshold := match_threshold;
  request.reading := pgvec.reading(fuzzy, prefix);
  perform pgvec.keyword_score(request.ranking);  -- PV004 for an unknown ranking
  perform pgvec.check_threshold(null, match_threshold);
  perform pgvec.check_marks(mark_start, mark_stop);

  for id, content, metadata, score, headline in
    select k.id, k.content, k.metadata, k.score, k.headline
      from unnest(coalesce(request.tenants, array[null::uuid])) as t (tenant)
     cross join lateral pgvec.keyword_rows(request, t.tenant, coalesce(highlight, false), mark_start, mark_stop) as k
     order by k.score desc, k.id, t.tenant
     limit request.wanted
  loop
    returned := returned + 1;
    best := greatest(best, score);
    return next;
  end loop;
  if random() < (request.collection).log_sample then
    perform pgvec.log_search((request.collection).name, 'keyword_search', 'keyword', request.wanted, returned, started, best, for_tenant, filter, query_text, null);
  end if;
end
$$;
comment on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8, text, text, text, boolean, boolean) is
  'The match_count (1 to 1000) rows of a collection that share words with query_text, best first, ties by id. '
  'In a text of up to 32 words "quoted phrases" must occur (where no row has them, rows with their words are found, with a notice), and -words must not, where that is '
  'plainly meant: not in command lines. syntax: web, or plain, where quotes and minus signs mean nothing. '
  'filter: as in match_documents. ranking: bm25 (k1 1.2, b 0.75) or another of pgvec.rankings. highlight: adds a headline, as HTML: the text is escaped, and its words stand '
  'between mark_start and mark_stop, which are not. fuzzy: words that no row has count as the nearest that some have. prefix: the last word may be the beginning of one. '
  'match_threshold: the least score. A text without words finds no rows. Errors: PV001 unknown collection, PV003 filter, PV004 ranking, threshold or syntax, PV006 tenant.';
revoke all on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8, text, text, text, boolean, boolean) from public;
select pgvec.grant_execute('public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8, text, text, text, boolean, boolean)', 'reader');
