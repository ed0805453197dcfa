-- pgvec.reads_safely -- whether rows of a collection can be read without having something of a weaker role's run by that.
-- Policies of a weaker owner would, and columns of that owner's types, which bring casts.
create or replace function pgvec.reads_safely(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select pgvec.is_trusted((reads_safely.collection).base)
      or pgvec.foreign_columns(reads_safely.collection) = '{}' and not row_security_active((reads_safely.collection).base)
$$;
comment on function pgvec.reads_safely(pgvec.collections) is
  'Whether no weaker role than the current user''s owns a collection''s table, or its columns have the types they were made with and no policy holds the current user.';
revoke all on function pgvec.reads_safely(pgvec.collections) from public;
