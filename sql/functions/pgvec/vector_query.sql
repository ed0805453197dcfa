-- pgvec.vector_query -- the SQL that finds the nearest rows of a collection.
-- $1 query vector, $2 containment, $3 number of rows. It orders by the bare distance operator, ascending, with LIMIT:
-- the only form that a vector index serves (with the id behind it, PostgreSQL before 18 sorts the whole table). "+ 0"
-- makes the order unusable for an index, hence an exact scan.
-- An empty filter is left out: the planner takes metadata @> '{}' for one row in ten thousand and goes astray.
create or replace function pgvec.vector_query(collection pgvec.collections, distance text, filtered boolean, exact boolean)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
declare
  expression text := format('d.embedding operator(extensions.%s) $1::extensions.%I',
                            pgvec.distance_operator(distance), collection.storage);
begin
  return format(
    $query$
    select d.id, d.content, d.metadata, %1$s as distance
      from %2$s as d
     where d.embedding is not null
       %3$s
     order by %4$s
     limit $3
    $query$,
    expression,
    collection.relation,
    case when filtered then 'and d.metadata @> $2' else '' end,
    case when exact then format('(%s) + 0, d.id', expression) else expression end);
end
$$;
comment on function pgvec.vector_query(pgvec.collections, text, boolean, boolean) is
  'The SQL text that returns (id, content, metadata, distance) of the nearest rows: $1 vector, $2 jsonb containment (read only when filtered), $3 int limit. '
  'exact keeps any vector index out of it and breaks ties by id. pgvec.vector_plan shows the plan of a search.';
revoke all on function pgvec.vector_query(pgvec.collections, text, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.vector_query(pgvec.collections, text, boolean, boolean)', 'reader');
