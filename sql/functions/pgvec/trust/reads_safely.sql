-- pgvec.reads_safely -- whether rows of a collection can be read without running code of a weaker role.
-- Policies of a weaker owner would run, and so would the casts of that owner's column types.
create or replace function pgvec.reads_safely(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select pgvec.is_trusted((reads_safely.collection).base)
      or pgvec.foreign_columns(reads_safely.collection) = '{}' and not row_security_active((reads_safely.collection).base)
$$;
comment on function pgvec.reads_safely(pgvec.collections) is
  'Whether the owner of a collection''s table is no weaker than the current user, or its columns have their original types and no policy applies to the current '
  'user.';
revoke all on function pgvec.reads_safely(pgvec.collections) from public;
