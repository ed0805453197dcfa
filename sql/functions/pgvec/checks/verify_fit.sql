-- pgvec.verify_fit -- whether the vectors of words of a collection still serve its rows.
-- Recent rows are asked for by their first words, as short as queries are: how near the sum of these is to the row's own vector,
-- both less the mean, is what pgvec-admin fit measured among rows that it had left out.
create or replace function pgvec.verify_fit(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  asked    constant int := 200;       -- rows
  most     constant int := 100000;    -- rows that are fitted to
  apart    constant float8 := 0.8;    -- of the agreement then
  grown    constant float8 := 1.5;    -- times the rows
  unknown  constant float8 := 0.5;    -- of the rows: without any word that has a vector
  target   pgvec.collections := pgvec.collection(verify_fit.collection);
  fit      pgvec.fits;
  current  constant pgvec.fits := pgvec.current_fit(target);
  rows     bigint;
  seen     record;
begin
  select f.* into fit from pgvec.fits as f where f.collection = target.name;
  if fit.collection is null then
    return next pgvec.verdict(target.name, 'fitted vectors', '{}', 'nothing is fitted: a text without an embedding is searched by keyword alone');
    return;
  elsif current.collection is null then
    return next pgvec.verdict(
      target.name, 'fitted vectors', array['what was fitted is not used: the model, the dimensions or who sees which rows are others now'], null,
      format('pgvec-admin fit %s', target.name), format('select pgvec.drop_fit(%L);', target.name), severity => 'warn');
    return;
  end if;
  execute format('select count(*) from %s as d where d.embedding is not null', coalesce(target.source, target.relation::text)) into rows;
  execute format(
    $query$
    select count(*) as rows, avg(a.agreement) as agreement, count(*) filter (where a.vector is null) as without
      from (select v.vector,
                   1 - (v.vector operator(extensions.<=>) (d.embedding::extensions.vector operator(extensions.-) $1)) as agreement
              from (select r.content, r.embedding from %s as r where r.embedding operator(extensions.<#>) r.embedding < 0 %s limit $3) as d
             cross join lateral (select pgvec.query_vector(substring(d.content from '^\s*(?:\S+\s+){0,19}\S*'), $2) as vector) as v) as a
    $query$,
    case when target.base = target.relation then target.relation::text else pgvec.sample_of(target, most) end,
    case when target.base = target.relation then 'order by r.created_at desc' end)
    into seen
    using fit.mean, target.name, asked;
  return next pgvec.verdict(
    target.name, 'fitted vectors',
    array_remove(array[
      case when rows > grown * fit.rows and fit.rows < 0.9 * most then format('fitted to %s rows, there are %s with a vector', fit.rows, rows) end,
      case when seen.without > unknown * seen.rows then format('%s of %s recent rows begin with no word that has a vector', seen.without, seen.rows) end,
      case when seen.agreement < apart * fit.agreement then format('agreement with recent rows is %s, it was %s', round(seen.agreement::numeric, 2), round(fit.agreement::numeric, 2)) end], null),
    format('%s lexemes fitted to %s rows, agreement with recent rows %s', fit.lexemes, fit.rows, coalesce(round(seen.agreement::numeric, 2)::text, 'unknown')),
    format('pgvec-admin fit %s', target.name), severity => 'warn');
end
$$;
comment on function pgvec.verify_fit(text) is
  'Check of a collection: fitted vectors (whether what pgvec-admin fit has learned is used, and how far it is from the vectors of recent rows). Raises PV001.';
revoke all on function pgvec.verify_fit(text) from public;
