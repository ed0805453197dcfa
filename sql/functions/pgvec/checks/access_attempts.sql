-- pgvec.access_attempts -- the queries that pgvec.verify_access tries as each role; they find something only for a role that
-- may see it.
-- %1$s the table, %2$L a vector, %3$L the collection, %4$L the id of a row, %5$L words of it, %6$L a tenant that is not the
-- caller's, %7$L the distance, %8$L a key of metadata.
create or replace function pgvec.access_attempts()
  returns text[]
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array[
  'select from %1$s limit 1',
  'select from public.match_documents(%2$L::extensions.vector, 1, ''{}''::jsonb, null::float8, %3$L::text, null::uuid, null::text)',
  'select from public.match_documents(%2$L::extensions.vector, 1, ''{}''::jsonb, null::float8, %3$L::text, %6$L::uuid, null::text)',
  'select from public.keyword_search(%5$L::text, 1, ''{}''::jsonb, ''bm25''::text, %3$L::text, null::uuid, false, null::float8, null::text, null::text, null::text, false, false)',
  'select from public.keyword_search(%5$L::text, 1, ''{}''::jsonb, ''bm25''::text, %3$L::text, %6$L::uuid, false, null::float8, null::text, null::text, null::text, false, false)',
  'select from public.hybrid_search(%5$L::text, %2$L::extensions.vector, 1, 1::float8, 1::float8, null::int, null::text, ''{}''::jsonb, null::float8, '
    '''bm25''::text, %3$L::text, null::uuid, 100, null::text, null::float8, null::text, null::interval, false, null::text, false, false)',
  'select from public.document_context(%4$L::text, 1, 1, %3$L::text, null::uuid)',
  'select from public.recommend_documents(array[%4$L::text], ''{}''::text[], 1, ''{}''::jsonb, null::float8, %3$L::text, null::uuid)',
  'select from public.document_facets(%8$L::text, null::text, ''{}''::jsonb, 10, %3$L::text, null::uuid)',
  'select from public.suggest_query(%5$L::text, %3$L::text, null::uuid) as s (text) where s.text is not null',
  'select from pgvec.candidates_as_owner(%3$L::text, %6$L::uuid, null::text, %2$L::extensions.vector, ''{}''::jsonb, null::float8, %7$L::text, null::text, 1, true, false) as c, unnest(c.hits) as h',
  'select pgvec.keyword_query(%3$L::text, %5$L::text, %6$L::uuid)',
  'select from pgvec.lexemes limit 1',
  'select from pgvec.memberships limit 1']
$$;
comment on function pgvec.access_attempts() is 'Format strings of the queries by which pgvec.verify_access tries whether rows are visible.';
revoke all on function pgvec.access_attempts() from public;
