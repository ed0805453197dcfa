-- complete_embeddings -- stores the vectors of rows that were claimed, each only if its row still has the text it was made from.
drop function if exists public.complete_embeddings(jsonb, text, bigint);

create or replace function public.complete_embeddings(embeddings jsonb, collection text default 'documents', tokens bigint default null, model text default null)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  name   constant text := coalesce(complete_embeddings.collection, 'documents');
  stored bigint;
begin
  perform pgvec.check_jobs(embeddings, '{id,content_hash,embedding}');
  stored := (select pgvec.store_embeddings(name, coalesce(array_agg(e.doc ->> 'id'), '{}'), coalesce(array_agg(e.doc ->> 'content_hash'), '{}'),
                                           coalesce(array_agg((e.doc ->> 'embedding')::extensions.vector), '{}'), complete_embeddings.model)
               from jsonb_array_elements(embeddings) as e (doc));
  perform pgvec.note_usage(name, stored, tokens);
  return stored;
end
$$;
comment on function public.complete_embeddings(jsonb, text, bigint, text) is
  'Stores embeddings: an array of objects with id and content_hash, as claim_embeddings gave them, and embedding (numbers, or their text). A row whose text has changed '
  'since, that is gone, or that another transaction has locked is left alone, and stays in the queue as it needs. tokens: what the provider counted, for '
  'pgvec.embedding_status. model: what embedded them (provider:name), by default the collection''s; vectors of another one are refused. Returns how many were '
  'stored. Errors: PV001 unknown collection, PV002 dimensions, PV004 argument, PV005 zero vector, PV006 not for this caller.';
revoke all on function public.complete_embeddings(jsonb, text, bigint, text) from public;
select pgvec.grant_execute('public.complete_embeddings(jsonb, text, bigint, text)', 'writer');
