-- pgvec.vector_query -- the SQL that finds the nearest rows of a collection.
-- $1 query vector, $2 containment, $3 number of rows. It orders by the bare distance operator, ascending, with LIMIT:
-- the only form that a vector index serves (with the id behind it, PostgreSQL before 18 sorts the whole table). "+ 0"
-- makes the order unusable for an index, hence an exact scan.
-- An empty filter is left out: the planner takes metadata @> '{}' for one row in ten thousand and goes astray.
-- No search_path of its own, so that it is inlined; its operators are qualified.
create or replace function pgvec.vector_query(collection pgvec.collections, distance text, filtered boolean, exact boolean)
  returns text
  language sql stable parallel safe
  security invoker
as $$
  select pg_catalog.format(
           $query$
           select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$I as distance
             from %3$s as d
            where d.embedding is not null
              %4$s
            order by %5$s d.embedding operator(extensions.%1$s) $1::extensions.%2$I %6$s
            limit $3
           $query$,
           case
             when distance operator(pg_catalog.=) 'cosine' then '<=>'
             when distance operator(pg_catalog.=) 'l2' then '<->'
             when distance operator(pg_catalog.=) 'inner_product' then '<#>'
             when distance operator(pg_catalog.=) 'l1' then '<+>'
           end,
           collection.storage,
           collection.relation,
           case when filtered then 'and d.metadata @> $2' end,
           case when exact then '(' end,
           case when exact then ') + 0, d.id' end)
$$;
comment on function pgvec.vector_query(pgvec.collections, text, boolean, boolean) is
  'The SQL text that returns (id, content, metadata, distance) of the nearest rows: $1 vector, $2 jsonb containment (read only when filtered), $3 int limit. '
  'distance: cosine, l2, inner_product or l1, which the caller has checked. '
  'exact keeps any vector index out of it and breaks ties by id. pgvec.vector_plan shows the plan of a search.';
revoke all on function pgvec.vector_query(pgvec.collections, text, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.vector_query(pgvec.collections, text, boolean, boolean)', 'reader');
