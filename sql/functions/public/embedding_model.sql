-- embedding_model -- what a worker in any language has to embed the rows of a collection with.
create or replace function public.embedding_model(collection text default 'documents')
  returns table (model text, dimensions int, passage_prefix text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(coalesce(embedding_model.collection, 'documents'));
begin
  return query select target.model, target.dimensions, target.settings ->> 'passage_prefix';
end
$$;
comment on function public.embedding_model(text) is
  'The model of a collection (provider:name), the dimensions of its vectors, and what the model is given before each text; null where that is not recorded. A worker that '
  'embeds with another model makes vectors that cannot be compared. Errors: PV001 unknown collection.';
revoke all on function public.embedding_model(text) from public;
select pgvec.grant_execute('public.embedding_model(text)', 'writer');
