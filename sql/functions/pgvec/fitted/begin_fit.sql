-- pgvec.begin_fit -- takes the place of what was fitted to a collection; its vectors are then copied into pgvec.lexeme_vectors.
-- All in one transaction: until it commits, searches use what was there before.
create or replace function pgvec.begin_fit(
    collection text, model text, rows bigint, lexemes int, agreement float8, length float8, mean extensions.vector)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(begin_fit.collection);
begin
  perform pgvec.check_fit(target);
  if target.model is distinct from begin_fit.model or extensions.vector_dims(mean) is distinct from target.dimensions then
    raise exception using
      errcode = 'PV002',
      message = format('the vectors of collection %L are of another model or of other dimensions than those that were fitted', target.name),
      hint    = format('fit again: pgvec-admin fit %s', target.name);
  end if;
  insert into pgvec.fits as f (collection, model, dimensions, rows, lexemes, agreement, length, mean)
  values (target.name, begin_fit.model, target.dimensions, begin_fit.rows, begin_fit.lexemes, begin_fit.agreement, begin_fit.length, begin_fit.mean)
      on conflict on constraint fits_pkey do update
     set (model, dimensions, rows, lexemes, agreement, length, mean, fitted_at)
         = (excluded.model, excluded.dimensions, excluded.rows, excluded.lexemes, excluded.agreement, excluded.length, excluded.mean, excluded.fitted_at);
  delete from pgvec.lexeme_vectors as v where v.collection = target.name;
end
$$;
comment on function pgvec.begin_fit(text, text, bigint, int, float8, float8, extensions.vector) is
  'Replaces the row of pgvec.fits of a collection and removes its vectors of words, for new ones within the same transaction. Raises PV001, PV002 where the model '
  'or the dimensions are not those of the collection, PV006 where not everybody sees all rows.';
revoke all on function pgvec.begin_fit(text, text, bigint, int, float8, float8, extensions.vector) from public;
