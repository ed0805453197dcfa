-- pgvec.vector_query -- the SQL that finds the nearest rows of a collection.
-- $1 query vector, $2 containment, $3 number of rows. It orders by the bare distance operator, ascending, with LIMIT:
-- the only form that a vector index serves. "+ 0" makes the order unusable for an index, hence an exact scan.
create or replace function pgvec.vector_query(collection pgvec.collections, distance text, exact boolean)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
begin
  return format(
    $query$
    select d.id, d.embedding operator(extensions.%1$s) $1::extensions.%2$I as distance
      from %3$s as d
     where d.embedding is not null
       and d.metadata @> $2
     order by %4$s
     limit $3
    $query$,
    pgvec.distance_operator(distance),
    collection.storage,
    collection.relation,
    case
      when exact then format('(d.embedding operator(extensions.%s) $1::extensions.%I) + 0, d.id', pgvec.distance_operator(distance), collection.storage)
      else format('d.embedding operator(extensions.%s) $1::extensions.%I', pgvec.distance_operator(distance), collection.storage)
    end);
end
$$;
comment on function pgvec.vector_query(pgvec.collections, text, boolean) is
  'The SQL text that returns (id, distance) of the nearest rows: $1 vector, $2 jsonb containment, $3 int limit. '
  'exact true keeps any vector index out of it. EXPLAIN EXECUTE of it shows the plan of a search.';
revoke all on function pgvec.vector_query(pgvec.collections, text, boolean) from public;
select pgvec.grant_execute('pgvec.vector_query(pgvec.collections, text, boolean)', 'reader');
