-- pgvec.verify_rows -- the rows of a collection: embeddings, and what triggers maintain beside the text.
-- Of a large collection a sample is read, and the result says so; missing and stale embeddings are counted by their own index.
create or replace function pgvec.verify_rows(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_rows constant int := 200000;  -- whose vectors are checked: half a second at 384 dimensions
  target   pgvec.collections := pgvec.collection(verify_rows.collection);
  estimate constant float8 := pgvec.estimate_rows(target);
  whole    boolean := target.base <> target.relation or coalesce(estimate, 0) <= most_rows;
  stale    record;
  seen     record;
begin
  execute format(
    $query$
    select count(*) as total, count(*) filter (where d.embedding is null) as missing
      from %s as d
     where d.embedded_hash is distinct from d.content_hash
       and d.content ~ '\S'
    $query$, coalesce(target.source, target.relation::text))
    into stale;
  execute format(
    $query$
    select count(*) as rows,
           count(*) filter (where (d.embedding operator(extensions.<#>) d.embedding < 0) is false) as zero,
           count(*) - count(distinct (d.content_hash, %2$s)) as repeated,
           count(*) filter (where d.embedding is not null and extensions.vector_dims(d.embedding) <> $1) as odd
      from %1$s as d
    $query$, pgvec.sample_of(target, most_rows), case target.access when 'tenant' then 'd.tenant_id' else 'null::int' end)
    into seen
    using target.dimensions;

  return next pgvec.verdict(
    target.name, 'rows',
    array_remove(array[case when stale.total > 0 then format('%s rows, %s without embedding, %s stale', case when whole then seen.rows::text else 'about ' || round(estimate) end, stale.missing, stale.total - stale.missing) end], null),
    format('%s rows, 0 without embedding, 0 stale', case when whole then seen.rows::text else 'about ' || round(estimate) end),
    format('pgvec-admin embed --collection %s', target.name), severity => 'warn');
  return next pgvec.verdict(
    target.name, 'vectors',
    array_remove(array[case when seen.zero > 0 then format('%s zero or NaN vectors in %s rows', seen.zero, seen.rows) end,
                       case when seen.odd > 0 then format('%s vectors of other than %s dimensions', seen.odd, target.dimensions) end], null),
    format('0 zero or NaN vectors in %s rows', seen.rows),
    'they have no direction, and no search by cosine finds them; the fix makes them null, so that they are embedded again',
    case when target.base = target.relation then
      format('update %s set embedding = null where (embedding operator(%s.<#>) embedding < 0) is false;', target.base, pgvec.vector_schema()) end);
  return next pgvec.verdict(
    target.name, 'duplicates',
    array_remove(array[case when seen.repeated > 0.1 * seen.rows then format('%s of %s rows repeat the text of another', seen.repeated, seen.rows) end], null),
    format('%s of %s rows repeat the text of another', seen.repeated, seen.rows),
    'repeated texts crowd out others: load them once, or search with group_by', severity => 'warn');
  return query select * from pgvec.verify_models(target.name);
  return query select * from pgvec.verify_texts(target.name);
end
$$;
comment on function pgvec.verify_rows(text) is
  'Checks the rows of a collection: rows (missing and stale embeddings), vectors (zero, NaN, wrong dimensions), duplicates, and those of pgvec.verify_models and '
  'pgvec.verify_texts. Of '
  'more than 200,000 rows a sample is read, except for missing and stale embeddings. Raises PV001.';
revoke all on function pgvec.verify_rows(text) from public;
