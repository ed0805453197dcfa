-- pgvec.fitting -- the registry row whose vectors a query is compared with, where a collection has those of two models.
-- The dimensions decide; where both models have the same, the active one, and the other is reached by NAME@MODEL.
-- pgvec.finish_model_change gives the new column the name of the old one. Until the lock on the table is released, which is at
-- the end of the transaction, nothing is renamed or dropped: so the row is read again behind it, with a snapshot of its own.
-- Hence volatile. A column grant is enough for the lock.
create or replace function pgvec.fitting(collection pgvec.collections, name text, query_embedding extensions.vector)
  returns pgvec.collections
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  fits text;
begin
  execute format('select from %s limit 0', collection.base);
  collection := pgvec.of_model(fitting.name);
  if extensions.vector_dims(query_embedding) <> collection.dimensions then
    fits := (select collection.name || '@' || m.model
               from pgvec.model_changes as m
              where m.collection = fitting.collection.name
                and m.dimensions = extensions.vector_dims(query_embedding));
    collection := case when fits is null then collection else pgvec.of_model(fits) end;
  end if;
  return collection;
end
$$;
comment on function pgvec.fitting(pgvec.collections, text, extensions.vector) is
  'The registry row of a collection (NAME or NAME@MODEL) for a query vector: that of its second model, where the vector has the dimensions of that one and not of '
  'the active one. The table stays as '
  'it is until the transaction ends.';
revoke all on function pgvec.fitting(pgvec.collections, text, extensions.vector) from public;
select pgvec.grant_execute('pgvec.fitting(pgvec.collections, text, extensions.vector)', 'reader');
