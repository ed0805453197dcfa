-- pgvec.compare_models -- what the two models of a collection find for the same rows, side by side.
-- Sampled rows that both have embedded are the queries, each by its own vector of either model; the row itself is left out.
create or replace function pgvec.compare_models(collection text, queries int default 20, match_count int default 10)
  returns table (id text, content text, active text[], second text[], shared int)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(compare_models.collection);
  other  constant text := (select target.name || '@' || m.model from pgvec.model_changes as m where m.collection = target.name);
  drawn  record;
begin
  perform pgvec.check_count('queries', queries, 1, 1000);
  perform pgvec.check_count('match_count', match_count, 1, 999);
  if other is null then
    perform pgvec.refuse_change(target.name);
  end if;
  for drawn in execute format(
    'select d.id, d.content, d.embedding::extensions.vector as active, s.embedding::extensions.vector as second, %s as tenant from %s as d join %s as s on s.id = d.id %s'
    ' where d.embedding operator(extensions.<#>) d.embedding < 0 and s.embedding operator(extensions.<#>) s.embedding < 0 order by md5(d.id) limit $1',
    case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, target.base, (pgvec.of_model(other)).source,
    case target.access when 'tenant' then 'and s.tenant_id = d.tenant_id' end)
    using queries
  loop
    id := drawn.id;
    content := drawn.content;
    active := array(select m.id from public.match_documents(drawn.active, match_count + 1, '{}'::jsonb, null::float8, target.name, drawn.tenant, null::text) as m where m.id <> drawn.id limit match_count);
    second := array(select m.id from public.match_documents(drawn.second, match_count + 1, '{}'::jsonb, null::float8, other, drawn.tenant, null::text) as m where m.id <> drawn.id limit match_count);
    shared := (select count(*) from unnest(active) as a (id) where a.id = any (second));
    return next;
  end loop;
end
$$;
comment on function pgvec.compare_models(text, int, int) is
  'For sampled rows of a collection with vectors of two models: the ids of the rows nearest to each by the active and by the second model, and how many are the '
  'same. Raises PV001, '
  'PV004 where there is one model alone.';
revoke all on function pgvec.compare_models(text, int, int) from public;
