-- match_documents -- the rows of a collection nearest to a query vector.
-- The threshold stays outside the ordered limit: inside, an iterative scan would walk the whole index for rows beyond it.
create or replace function public.match_documents(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null,
    distance text default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
as $$
declare
  target  pgvec.collections := pgvec.collection(coalesce(match_documents.collection, 'documents'));
  measure text := coalesce(match_documents.distance, target.distance);
  within  jsonb;
begin
  -- what was not given needs no check: a call costs as much as reading a row
  perform pgvec.check_query_embedding(target, query_embedding);
  if match_threshold is not null then
    perform pgvec.check_threshold(measure, match_threshold);
  end if;
  if for_tenant is not null then
    perform pgvec.check_tenant(target, for_tenant);
  end if;
  within := case when filter <> '{}' then pgvec.containment(filter) else '{}' end;

  return query
    select n.id, n.content, n.metadata, pgvec.similarity(measure, n.distance_value)
      from pgvec.nearest(target, query_embedding, measure, within, pgvec.clamp_count(match_count, 100)) as n
     where match_threshold is null
        or pgvec.similarity(measure, n.distance_value) >= match_threshold
     order by n.distance_value, n.id;
end
$$;
comment on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) is
  'The match_count (1 to 1000) rows of a collection nearest to query_embedding, best first, ties by id. filter: an object that metadata must contain. '
  'match_threshold: the least similarity. distance: another than the collection''s own is answered by an exact scan. '
  'similarity: cosine 1 - d, inner_product the product, l2 and l1 1 / (1 + d). '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) from public;
select pgvec.grant_execute('public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text)', 'reader');
