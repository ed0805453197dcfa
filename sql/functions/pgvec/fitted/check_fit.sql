-- pgvec.check_fit -- PV006 unless words may be fitted to the rows of a collection: then everybody sees all of them.
-- PV004 where reading them would run code of a weaker role.
create or replace function pgvec.check_fit(collection pgvec.collections)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if not pgvec.shares_rows(collection) then
    raise exception using
      errcode = 'PV006',
      message = format('not everybody sees all rows of collection %L, and vectors of words fitted to them would tell of rows that a caller does not see', collection.name),
      hint    = 'fit a collection with access open, or a table without row level security; others are searched by keyword, or with query_embedding';
  elsif not pgvec.reads_safely(collection) then
    raise exception using
      errcode = 'PV004',
      message = format('reading %s would run code of the weaker role that owns it', collection.base),
      hint    = format('the owner of the engine has to own it: alter table %s owner to %I', collection.base, current_user);
  end if;
end
$$;
comment on function pgvec.check_fit(pgvec.collections) is
  'Raises PV006 for a collection of which some callers see only some rows, and PV004 for a table of a weaker owner whose code would run.';
revoke all on function pgvec.check_fit(pgvec.collections) from public;
