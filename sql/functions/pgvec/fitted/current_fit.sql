-- pgvec.current_fit -- what was fitted to a collection, where it serves its present vectors and the caller.
-- Only for the owner and for functions that run as the owner, hence the caller's privilege is asked for here.
create or replace function pgvec.current_fit(collection pgvec.collections)
  returns pgvec.fits
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select f.*
    from pgvec.fits as f
   where f.collection = (current_fit.collection).name
     and f.dimensions = (current_fit.collection).dimensions
     and coalesce(f.model = (current_fit.collection).model, f.model is null)
     and pg_catalog.has_table_privilege(pgvec.caller(), (current_fit.collection).base, 'select')
     and pgvec.shares_rows(current_fit.collection)
$$;
comment on function pgvec.current_fit(pgvec.collections) is
  'The row of pgvec.fits of a collection; null where there is none, where its dimensions or its model are others now, where somebody sees only some of the rows, '
  'and where the caller may not read the table.';
revoke all on function pgvec.current_fit(pgvec.collections) from public;
