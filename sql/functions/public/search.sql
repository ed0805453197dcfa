-- search -- text in, answers out: the best rows for a query text by its words and by its vector, without a model.
-- hybrid_search with the vector that pgvec-admin fit has learned for the words of the text (pgvec.query_vector), or with one that
-- is given; where there is none, its keyword side alone. Parallel unsafe, since logging a search writes.
create or replace function public.search(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    collection text default 'documents',
    for_tenant uuid default null,
    highlight boolean default false,
    group_by text default null,
    match_threshold float8 default null,
    query_embedding extensions.vector default null)
  returns table (id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, headline text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  name   constant text := coalesce(search.collection, 'documents');
  target constant pgvec.collections := case when strpos(name, '@') > 0 then pgvec.of_model(name) else pgvec.collection(name) end;
  vector constant extensions.vector := coalesce(search.query_embedding, case when name = target.name then pgvec.query_vector(search.query_text, name) end);
  words  constant tsquery := case when highlight then pgvec.any_lexeme(target.language, search.query_text) end;
begin
  if vector is null and not exists (select from pgvec.fit_status(target.name)) then
    raise notice using
      message = format('nothing is fitted to collection %L: it is searched by keyword alone', target.name),
      hint    = format('pgvec-admin fit %s', target.name);
  elsif vector is null then
    raise notice using
      message = 'no word of the query has a fitted vector: it is searched by keyword alone',
      hint    = format('where new rows have it, fit again: pgvec-admin fit %s', target.name);
  end if;
  return query
    select h.id, h.content, h.metadata, h.score, h.similarity, h.keyword_score, case when highlight then pgvec.headline(target.language, h.content, words) end
      from public.hybrid_search(search.query_text, vector, search.match_count, 1::float8, case when vector is null then 0 else 1 end::float8, null::int,
                                null::text, search.filter, search.match_threshold, 'bm25'::text, name, search.for_tenant, 100, search.group_by,
                                null::float8, null::text, null::interval, false, null::text, false, false) with ordinality as h
     order by h.ordinality;
end
$$;
comment on function public.search(text, int, jsonb, text, uuid, boolean, text, float8, extensions.vector) is
  'The match_count (1 to 1000) rows of a collection that are best for a text, by its words and by its vector, best first: hybrid_search without a model. The vector is '
  'query_embedding, or the one that pgvec-admin fit has learned for the words (pgvec.query_vector); without one it is searched by keyword alone, with a notice. '
  'filter: as in match_documents. highlight: adds a headline with the words between <mark> and </mark>. group_by: only the best row of each source (''source'') or '
  'value of a metadata key. match_threshold: the least similarity of what the vector brings. Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, '
  'PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.search(text, int, jsonb, text, uuid, boolean, text, float8, extensions.vector) from public;
select pgvec.grant_execute('public.search(text, int, jsonb, text, uuid, boolean, text, float8, extensions.vector)', 'reader');
