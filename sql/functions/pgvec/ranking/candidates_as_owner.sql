-- pgvec.candidates_as_owner -- the candidates of a search in one tenant: ids and scores, found by the owner of the table.
-- Under policies indexes are not used, since the operators of a search are not leakproof. So the rows are found here, and read
-- by the caller, under the caller's policies: a fault here could lose rows, but not show any. It takes the arguments of the
-- public functions, and works out by itself whose rows these are (pgvec.scoped): a request, which holds SQL, could be forged.
drop function if exists pgvec.candidates_as_owner(text, uuid, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean);

create or replace function pgvec.candidates_as_owner(
    collection text, for_tenant uuid, query_text text, query_embedding extensions.vector, filter jsonb, match_threshold float8, distance text,
    ranking text, depth int, by_vector boolean, by_keyword boolean, reading jsonb default null, out hits pgvec.fused[], out query pgvec.keyword_query, out route text)
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  request pgvec.search_request;
  target  pgvec.collections;
  found   record;
begin
  request := pgvec.scoped(candidates_as_owner.collection, for_tenant);
  target := request.collection;
  if cardinality(request.tenants) is distinct from 1 or not request.alone or not pgvec.is_trusted(target.base) then
    raise exception using
      errcode = 'PV006',
      message = format('collection %L is refused to tenants: its table or a partition of it is not of %s, or policies are forced on that role', target.name, current_user),
      hint    = format('the owner of the engine has to own the table and its partitions: alter table %s owner to %I; alter table ... no force row level security', target.base, current_user);
  end if;
  if filter <> '{}' then
    perform pgvec.check_readable(target.base, pgvec.parse_filter(filter));
  end if;
  request.reading := candidates_as_owner.reading;
  if by_keyword then
    perform pgvec.keyword_score(candidates_as_owner.ranking);  -- PV004 for an unknown ranking
  end if;
  found := pgvec.candidates(
    request, query_text, query_embedding, filter, match_threshold, candidates_as_owner.distance,
    candidates_as_owner.ranking, pgvec.clamp_count(depth, 100), by_vector, by_keyword);
  hits := found.hits;
  query := found.query;
  route := null;  -- it would depend on planner statistics of others' rows
end
$$;
comment on function pgvec.candidates_as_owner(text, uuid, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean, jsonb) is
  'pgvec.candidates among the rows of one tenant of the caller''s. Raises PV006 unless there is one, the owner of the engine sees its rows, and the table does not '
  'belong to a weaker role; other errors as match_documents. route: null.';
revoke all on function pgvec.candidates_as_owner(text, uuid, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean, jsonb) from public;
select pgvec.grant_execute('pgvec.candidates_as_owner(text, uuid, text, extensions.vector, jsonb, float8, text, text, int, boolean, boolean, jsonb)', 'reader');
