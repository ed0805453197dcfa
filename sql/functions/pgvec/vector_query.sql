-- pgvec.vector_query -- the SQL that finds the nearest rows of a collection.
-- $1 query vector, $2 values of the condition, $3 number of rows. It orders by the bare distance operator over the
-- indexed expression, ascending, with LIMIT: the only form that a vector index serves (with the id behind it, PostgreSQL
-- before 18 sorts the whole table). "+ 0" makes the order unusable for an index, hence an exact scan. The distance
-- returned is always that of the embedding itself; it is null, and last, where there is none and the planner went without
-- the index.
create or replace function pgvec.vector_query(collection pgvec.collections, distance text, condition text, kind text)
  returns text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
begin
  return format(
           case
             when kind = 'column' then
               $query$
               select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$s as distance
                 from %3$s as d
               %4$s
                order by distance
                limit $3
               $query$
             when kind = 'halfvec' then
               $query$
               select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$s as distance
                 from %3$s as d
               %4$s
                order by d.embedding::extensions.halfvec(%5$s) operator(extensions.%1$s) $1::extensions.halfvec(%5$s)
                limit $3
               $query$
             when kind = 'binary' then
               $query$
               select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$s as distance
                 from %3$s as d
               %4$s
                order by extensions.binary_quantize(d.embedding)::bit(%5$s)
                         operator(extensions.<~>) extensions.binary_quantize($1)::bit(%5$s)
                limit $3
               $query$
             else
               $query$
               select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$s as distance
                 from %3$s as d
                where d.embedding is not null %4$s
                order by (d.embedding operator(extensions.%1$s) $1::extensions.%2$s) + 0, d.id
                limit $3
               $query$
           end,
           case distance when 'cosine' then '<=>' else pgvec.distance_operator(distance) end,  -- a call is 12 microseconds
           collection.storage,
           case when collection.tenants is null then collection.relation::text else pgvec.rows_of(collection) end,
           case
             when condition = '' then null
             when kind is null then 'and ' || condition
             else 'where ' || condition
           end,
           collection.dimensions);
end
$$;
comment on function pgvec.vector_query(pgvec.collections, text, text, text) is
  'The SQL text that returns (id, content, metadata, distance) of the nearest rows: $1 vector, $2 jsonb values of the condition, $3 int limit. '
  'distance: cosine, l2, inner_product or l1, which the caller has checked. condition: of pgvec.filter_condition. '
  'kind: of pgvec.index_kind; null for an exact scan, which breaks ties by id.';
revoke all on function pgvec.vector_query(pgvec.collections, text, text, text) from public;
select pgvec.grant_execute('pgvec.vector_query(pgvec.collections, text, text, text)', 'reader');
