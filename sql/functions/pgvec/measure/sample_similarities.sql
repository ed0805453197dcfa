-- pgvec.sample_similarities -- how similar rows of a collection are: to their nearest, and to any other.
-- Where the two ranges lie apart, a match_threshold between them separates answers from the rest.
create or replace function pgvec.sample_similarities(collection text, queries int default 100)
  returns table (kind text, similarity float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(sample_similarities.collection);
  drawn  record;
  before extensions.vector;
  logging constant text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  perform set_config('pgvec.search_log', 'off', true);  -- not users' searches: do not log them
  for drawn in execute format(
    'select d.id, d.embedding::extensions.vector as embedding, %s as tenant from %s as d where d.embedding operator(extensions.<#>) d.embedding < 0 order by md5(d.id) limit %s',
    case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, pgvec.sample_of(target, 10 * queries), queries)
  loop
    return query
      select 'nearest', m.similarity
        from public.match_documents(drawn.embedding, 11, null::jsonb, null::float8, target.name, drawn.tenant, null::text) as m
       where m.id <> drawn.id;
    if before is not null then
      execute format('select $1 operator(extensions.%s) $2', pgvec.distance_operator(target.distance))
        into similarity
        using before, drawn.embedding;
      kind := 'any';
      similarity := pgvec.similarity(target.distance, similarity);
      return next;
    end if;
    before := drawn.embedding;
  end loop;
  perform set_config('pgvec.search_log', logging, true);
end
$$;
comment on function pgvec.sample_similarities(text, int) is
  'Similarities of sampled rows of a collection: nearest, to the ten nearest others; any, to another sampled row. Raises PV001.';
revoke all on function pgvec.sample_similarities(text, int) from public;
