-- pgvec.embedding_pace -- how fast workers have embedded a collection by a model, in the last thirty days.
create or replace function pgvec.embedding_pace(collection text, model text default null, out documents bigint, out tokens bigint, out seconds float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(embedding_pace.collection);
begin
  select coalesce(sum(u.documents), 0), coalesce(sum(u.tokens), 0), coalesce(sum(u.seconds), 0) into documents, tokens, seconds
    from pgvec.embedding_usage as u
   where u.collection = target.name
     and u.model = coalesce(embedding_pace.model, target.model, '')
     and u.hour > now() - interval '30 days'
     and u.seconds > 0;
end
$$;
comment on function pgvec.embedding_pace(text, text) is
  'Rows that workers have embedded of a collection in the last thirty days, by its model or another, the tokens that the provider counted, and how long it took. Hours in '
  'which no worker told its time are left out. Raises PV001.';
revoke all on function pgvec.embedding_pace(text, text) from public;
