-- pgvec.store_embeddings -- stores the vectors of a batch, each only if its row still has the text it was made from.
-- A text may change while it is being embedded: its vector is then left out and the row stays stale, for the next round. So does
-- a row that another transaction has locked: a writer of several rows could otherwise deadlock with this, and be the one that fails.
-- A program that says which model it has embedded with never mixes two, whatever the collection was bound to meanwhile: its vectors go
-- to the columns of that model, or are refused.
drop function if exists pgvec.store_embeddings(text, text[], text[], extensions.vector[]);

create or replace function pgvec.store_embeddings(collection text, ids text[], hashes text[], embeddings extensions.vector[], model text default null)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.model_columns(store_embeddings.collection, store_embeddings.model);
  suffix constant text := case when found_row.base = found_row.relation then substr(found_row.embedding_column, 10) end;
  bad    record;
  free   record;  -- the rows that no other transaction has locked
  stored bigint;
begin
  model := coalesce(model, found_row.model);
  if cardinality(ids) is distinct from cardinality(hashes) or cardinality(ids) is distinct from cardinality(embeddings) then
    raise exception using
      errcode = 'PV004',
      message = format('%s ids, %s hashes and %s embeddings do not pair up',
                       coalesce(cardinality(ids), 0), coalesce(cardinality(hashes), 0), coalesce(cardinality(embeddings), 0)),
      hint    = 'pass three arrays of one length, as pgvec.stale_documents gave id and content_hash';
  end if;

  select e.id, extensions.vector_dims(e.embedding) as dimensions into bad
    from unnest(ids, embeddings) as e (id, embedding)
   where extensions.vector_dims(e.embedding) is distinct from found_row.dimensions
   limit 1;
  if found then
    raise exception using
      errcode = 'PV002',
      message = format('the embedding of row %s has %s dimensions, collection %L has %s',
                       pgvec.shown(bad.id), coalesce(bad.dimensions::text, 'no'), found_row.name, found_row.dimensions),
      hint    = case
                  when found_row.model is null then 'one collection holds vectors of one model; make another for this one'
                  else format('the collection''s model is %s', found_row.model)
                end;
  end if;

  select f.ids, f.tenants into free from pgvec.free_rows(found_row, ids) as f;
  if found_row.base <> found_row.relation then
    stored := pgvec.store_adopted(found_row, ids, hashes, embeddings, free.ids, pgvec.model_id(model));
  else
    if suffix <> '' then  -- of the second model: no trigger looks at its vectors
      perform pgvec.refuse_vector(e.embedding operator(extensions.<#>) e.embedding, e.id, found_row.base) from unnest(ids, embeddings) as e (id, embedding);
    end if;
    execute format(
      $update$
      update %1$s as d
         set %4$I = e.embedding::extensions.%2$I,
             %5$I = e.hash,
             %6$I = $6
        from unnest($1, $2, $3) as e (id, hash, embedding)
        join unnest($4, $5) as f (id, tenant) on f.id = e.id
       where d.id = e.id
         and d.content_hash = e.hash %3$s
      $update$, found_row.relation, found_row.storage, case when found_row.access = 'tenant' then 'and d.tenant_id = f.tenant' end,
      found_row.embedding_column, 'embedded_hash' || suffix, 'embedded_by' || suffix)
    using ids, hashes, embeddings, free.ids, free.tenants, pgvec.model_id(model);
    get diagnostics stored = row_count;
  end if;
  perform pgvec.settle_jobs(pgvec.model_name(found_row), ids, hashes, free.ids, free.tenants);
  return stored;
end
$$;
comment on function pgvec.store_embeddings(text, text[], text[], extensions.vector[], text) is
  'Stores embeddings by id, each with the content_hash of the text it was made from. model: what made them, by default the collection''s; kept with each row. A row '
  'whose text has changed since, that another transaction has locked, or that '
  'is gone, is left alone. Returns how many were stored. Raises PV001 for an unknown collection, PV002 for other dimensions, PV004 for arrays of unequal length and '
  'a model of which the collection has no vectors, '
  'PV005 for a zero vector, PV006 not for this caller.';
revoke all on function pgvec.store_embeddings(text, text[], text[], extensions.vector[], text) from public;
select pgvec.grant_execute('pgvec.store_embeddings(text, text[], text[], extensions.vector[], text)', 'writer');
