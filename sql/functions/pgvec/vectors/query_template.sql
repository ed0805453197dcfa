-- pgvec.query_template -- the query that finds the nearest rows of a collection, but for its rows and its condition.
-- $1 query vector, $2 values of the condition, $3 number of rows; %1$s stands for the rows, %2$s for the condition.
-- It orders by the bare distance operator over the indexed expression, ascending, with LIMIT: the only form that a vector
-- index serves (with the id behind it, PostgreSQL before 18 sorts the whole table). "+ 0" makes the order unusable for an
-- index, hence an exact scan. The distance returned is always that of the embedding itself; it is null, and last, where
-- there is none and the planner went without the index: to leave such rows out here would cost a fiftieth of a small search.
create or replace function pgvec.query_template(collection pgvec.collections, distance text, kind text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return format(
    $template$
    select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$s as distance
      from %%1$s as d
     where %3$s
     order by %4$s
     limit $3
    $template$,
    pgvec.distance_operator(distance),
    collection.storage,
    case when kind is null then 'd.embedding is not null and %2$s' else '%2$s' end,
    format(
      case kind
        when 'column' then 'distance'
        when 'halfvec' then 'd.embedding::extensions.halfvec(%2$s) operator(extensions.%1$s) $1::extensions.halfvec(%2$s)'
        when 'binary' then 'extensions.binary_quantize(d.embedding)::bit(%2$s) operator(extensions.<~>) extensions.binary_quantize($1)::bit(%2$s)'
        else '(d.embedding operator(extensions.%1$s) $1::extensions.%3$s) + 0, d.id'
      end,
      pgvec.distance_operator(distance), collection.dimensions, collection.storage));
end
$$;
comment on function pgvec.query_template(pgvec.collections, text, text) is
  'A format of the SQL text that returns (id, content, metadata, distance) of the nearest rows: %1$s the rows, %2$s the condition; '
  '$1 vector, $2 jsonb values of the condition, $3 int limit. distance: cosine, l2, inner_product or l1, which the caller has checked. '
  'kind: of pgvec.index_kind; null for an exact scan, which breaks ties by id.';
revoke all on function pgvec.query_template(pgvec.collections, text, text) from public;
select pgvec.grant_execute('pgvec.query_template(pgvec.collections, text, text)', 'reader');
