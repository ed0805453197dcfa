-- pgvec.vector_lengths -- the lengths of a collection's vectors, which decide whether distances rank alike.
create or replace function pgvec.vector_lengths(collection text, out shortest float8, out mean float8, out longest float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'select min(n.l), avg(n.l), max(n.l) from (select extensions.vector_norm(d.embedding::extensions.vector) as l from %s as d where d.embedding is not null) as n',
    (select coalesce(c.source, c.relation::text) from pgvec.collection(vector_lengths.collection) as c))
    into shortest, mean, longest;
end
$$;
comment on function pgvec.vector_lengths(text) is 'The shortest, mean and longest length (L2 norm) of a collection''s embeddings. Reads the whole table.';
revoke all on function pgvec.vector_lengths(text) from public;
