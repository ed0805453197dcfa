-- pgvec.forget_failures -- removes the failures of rows that have been embedded, changed or deleted since.
create or replace function pgvec.forget_failures(target pgvec.collections)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from pgvec.embedding_failures as f where f.collection = target.name) then
    return;  -- without reading the rows
  end if;
  execute format(
    $query$
    delete from pgvec.embedding_failures as f
     where f.collection = $1
       and not exists (
             select
               from %s as d
              where d.embedded_hash is distinct from d.content_hash
                and d.id = f.id
                and d.content_hash = f.content_hash)
    $query$, coalesce(target.source, target.relation::text))
    using target.name;
end
$$;
comment on function pgvec.forget_failures(pgvec.collections) is
  'Removes from pgvec.embedding_failures what is no longer so: rows of the collection that are embedded, have another text, or are gone.';
revoke all on function pgvec.forget_failures(pgvec.collections) from public;
