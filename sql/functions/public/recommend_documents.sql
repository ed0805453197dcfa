-- recommend_documents -- more like these rows, and less like those.
-- The query vector is where the liked rows are, moved away from the others by as much as these lie apart: 2 * mean(positive) -
-- mean(negative). Directions are what counts for cosine, so vectors have length 1 there before they are averaged.
create or replace function public.recommend_documents(
    positive text[],
    negative text[] default '{}',
    match_count int default 10,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(coalesce(recommend_documents.collection, 'documents'), for_tenant);
  target  pgvec.collections := request.collection;
  wanted  int := pgvec.clamp_count(match_count, 10);
  given   text[] := positive || coalesce(negative, '{}');
  missing text[];
  liked   extensions.vector;
  other   extensions.vector;
begin
  if coalesce(cardinality(positive), 0) = 0 or cardinality(given) > 100 or exists (select from unnest(given) as g where g is null) then
    raise exception using
      errcode = 'PV004',
      message = case
                  when cardinality(given) > 100 then format('%s ids are too many', cardinality(given))
                  when cardinality(positive) > 0 then 'an id is null'
                  else 'there are no positive ids'
                end,
      hint    = 'give the ids of one to a hundred rows of the collection, at least one of them positive';
  end if;

  execute format(
    $query$
    with given as (
           select g.id, g.id = any ($1) as liked, x.embedding
             from unnest($2) as g (id)
             left join %s as d on d.id = g.id
            cross join lateral (select case when $3 then extensions.l2_normalize(d.embedding::extensions.vector) else d.embedding::extensions.vector end) as x (embedding))
    select array_agg(g.id order by g.id) filter (where g.embedding is null),
           extensions.avg(g.embedding) filter (where g.liked),
           extensions.avg(g.embedding) filter (where not g.liked)
      from given as g
    $query$, pgvec.rows_of(request, by_key => 'g.id'))
    into missing, liked, other
    using positive, given, target.distance = 'cosine';

  if missing is not null then
    raise exception using
      errcode = 'PV004',
      message = format('there are no rows with an embedding of the ids %s', (select string_agg(left(m, 80), ', ') from unnest(missing[:10]) as m)),
      hint    = 'give ids of rows of the collection, and embed those that are not';
  end if;
  if other is not null then
    liked := liked operator(extensions.+) liked operator(extensions.-) other;
  end if;

  return query
    select m.id, m.content, m.metadata, m.similarity
      from public.match_documents(liked, least(wanted + cardinality(given), 1000), filter, match_threshold, pgvec.model_name(target), for_tenant, null::text) as m
     where m.id <> all (given)
     order by m.similarity desc, m.id
     limit wanted;
end
$$;
comment on function public.recommend_documents(text[], text[], int, jsonb, float8, text, uuid) is
  'The match_count (1 to 1000) rows most like those with the ids positive and unlike those with the ids negative, best first, without these rows themselves. '
  'similarity is to 2 * mean(positive) - mean(negative). filter, match_threshold: as in match_documents. Errors: PV001 unknown collection, PV003 filter, PV004 ids '
  'without a row or an embedding, PV005 vectors that cancel each other out, PV006 tenant.';
revoke all on function public.recommend_documents(text[], text[], int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.recommend_documents(text[], text[], int, jsonb, float8, text, uuid)', 'reader');
