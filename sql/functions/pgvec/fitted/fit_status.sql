-- pgvec.fit_status -- what is fitted to a collection, for those who may read it.
-- Definer, since nobody else may read pgvec.fits.
create or replace function pgvec.fit_status(collection text default 'documents')
  returns table (rows bigint, lexemes int, model text, agreement float8, fitted_at timestamptz)
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  select f.rows, f.lexemes, f.model, f.agreement, f.fitted_at
    from pgvec.of_model(fit_status.collection) as c
   cross join lateral pgvec.current_fit(c) as f
   where f.collection is not null
     and coalesce(strpos(fit_status.collection, '@'), 0) = 0
$$;
comment on function pgvec.fit_status(text) is
  'What pgvec-admin fit has learned from a collection: the rows and lexemes, the model of the vectors, how well vectors of words agree with those of rows that '
  'were left out (a mean cosine), and when. No row where pgvec.query_vector has nothing to return, as for NAME@MODEL. Raises PV001.';
revoke all on function pgvec.fit_status(text) from public;
select pgvec.grant_execute('pgvec.fit_status(text)', 'reader');
