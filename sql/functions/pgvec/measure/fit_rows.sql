-- pgvec.fit_rows -- the rows that words are fitted to: their lexemes and their vectors.
create or replace function pgvec.fit_rows(collection text, most_rows int default 100000)
  returns table (words text, times int[], firsts int[], embedding extensions.vector)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(fit_rows.collection);
begin
  perform pgvec.check_fit(target);
  return query execute format(
    $query$
    select l.words, l.times, l.firsts, d.embedding::extensions.vector
      from %s as d
     cross join lateral (
           select string_agg(w.lexeme, chr(1)) as words, array_agg(coalesce(cardinality(w.positions), 1)) as times, array_agg(coalesce(w.positions[1]::int, 1)) as firsts
             from unnest(d.fts) as w) as l
     where d.embedding operator(extensions.<#>) d.embedding < 0
       and l.words is not null
     limit %s
    $query$, pgvec.sample_of(target, most_rows), coalesce(most_rows::text, 'all'));
end
$$;
comment on function pgvec.fit_rows(text, int) is
  'The rows of a collection that have words and a vector, or about most_rows of them: the lexemes (separated by chr(1)), how often each occurs and where first, and '
  'the vector. Raises PV001, PV004 and PV006 as pgvec.begin_fit.';
revoke all on function pgvec.fit_rows(text, int) from public;
