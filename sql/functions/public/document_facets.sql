-- document_facets -- how many of the matches have each value at a key of metadata.
-- Each element of an array counts separately, once a row. Matches are all rows that a keyword search with this text and filter
-- could return, not only the best.
create or replace function public.document_facets(
    field text,
    query_text text default null,
    filter jsonb default '{}',
    match_count int default 10,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (value text, documents bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
as $$
declare
  request pgvec.search_request := pgvec.scoped(coalesce(document_facets.collection, 'documents'), for_tenant);
  target pgvec.collections := request.collection;
  query  pgvec.keyword_query;
  within record;
  conditions text;
  is_found   boolean;
begin
  if field is null then
    raise exception using
      errcode = 'PV004',
      message = 'field is null',
      hint    = 'name a key of metadata';
  end if;
  if query_text is not null then
    query := pgvec.keyword_query(target.name, query_text, for_tenant);
  end if;
  conditions := concat_ws(' ', query.phrases, query.excluded);
  within := pgvec.filter_condition(target, pgvec.with_text(filter, conditions), request.tenants);
  if query.phrases is not null then
    -- where no row has the phrases, rows with their words are found, as by keyword_search
    execute format('select exists (select from %s as d where d.fts @@ $1 %s)', pgvec.rows_of(request), 'and ' || nullif(within.condition, ''))
      into is_found
      using query.words, within.bound;
    if not is_found then
      within := pgvec.filter_condition(target, pgvec.with_text(filter, query.excluded), request.tenants);
    end if;
  end if;

  return query execute format(
    $query$
    select v.value, count(*)
      from %s as d
     cross join lateral (
           select distinct e.value
             from jsonb_array_elements_text(
                    case jsonb_typeof(d.metadata -> $1)
                      when 'array' then d.metadata -> $1
                      else jsonb_build_array(d.metadata -> $1)
                    end) as e (value)
            where e.value is not null) as v
     where d.metadata ? $1 %s %s
     group by v.value
     order by count(*) desc, v.value
     limit $3
    $query$,
    pgvec.rows_of(request),
    case when query_text is not null then 'and d.fts @@ $4' end,
    'and ' || nullif(within.condition, ''))
    using field, within.bound, pgvec.clamp_count(match_count, 10), query.words;
end
$$;
comment on function public.document_facets(text, text, jsonb, int, text, uuid) is
  'The match_count (1 to 1000) commonest values at a key of metadata, and how many rows have each, among all rows that match query_text (null for all) and filter. '
  'Errors: PV001 unknown collection, PV003 filter, PV004 no field, PV006 tenant.';
revoke all on function public.document_facets(text, text, jsonb, int, text, uuid) from public;
select pgvec.grant_execute('public.document_facets(text, text, jsonb, int, text, uuid)', 'reader');
