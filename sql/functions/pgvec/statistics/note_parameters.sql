-- pgvec.note_parameters -- records the parameters for the weights of a collection, or of a tenant's rows, from now on.
create or replace function pgvec.note_parameters(collection pgvec.collections, tenant uuid, average_length float8, documents bigint)
  returns pgvec.bm25_parameters
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  update pgvec.bm25_parameters as p
     set average_length = note_parameters.average_length,
         documents      = note_parameters.documents,
         k1             = s.k1,
         b              = s.b,
         renewed_at     = now()
    from pgvec.bm25_settings(note_parameters.collection) as s
   where p.collection = (note_parameters.collection).name
     and p.tenant = note_parameters.tenant
  returning p.*
$$;
comment on function pgvec.note_parameters(pgvec.collections, uuid, float8, bigint) is
  'Sets the average length and the settings k1 and b of the collection (pgvec.bm25_settings) in pgvec.bm25_parameters, and returns the row.';
revoke all on function pgvec.note_parameters(pgvec.collections, uuid, float8, bigint) from public;
