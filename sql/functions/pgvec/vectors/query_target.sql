-- pgvec.query_target -- a collection for a search by vector, once the search's arguments have been checked.
create or replace function pgvec.query_target(
    collection text, for_tenant uuid, query_embedding extensions.vector, distance text, match_threshold float8)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.scoped(query_target.collection, for_tenant);
  measure constant text := coalesce(query_target.distance, target.distance);
begin
  perform pgvec.check_query_embedding(target, query_embedding);
  perform pgvec.check_choice('distance', measure, '{cosine,l2,inner_product,l1}');
  perform pgvec.check_threshold(measure, match_threshold);
  return target;
end
$$;
comment on function pgvec.query_target(text, uuid, extensions.vector, text, float8) is
  'The registry row as of pgvec.scoped. distance: null for the collection''s own. '
  'Raises PV001, PV006, and PV002, PV004 or PV005 for a query vector, distance or threshold that no search can take.';
revoke all on function pgvec.query_target(text, uuid, extensions.vector, text, float8) from public;
select pgvec.grant_execute('pgvec.query_target(text, uuid, extensions.vector, text, float8)', 'reader');
