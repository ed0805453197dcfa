-- pgvec.is_api_of -- whether pgvec.create_collection_api made a function for a collection, which its comment tells.
-- So that a function of somebody else's with such a name is neither altered nor dropped.
create or replace function pgvec.is_api_of(collection text, routine oid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select obj_description(routine, 'pg_proc') = format('%s of collection %s.', split_part(obj_description(routine, 'pg_proc'), ' ', 1), collection)
$$;
comment on function pgvec.is_api_of(text, oid) is
  'Whether a function of schema public is match_NAME, kw_match_NAME or hybrid_search_NAME of a collection; null for one without a comment.';
revoke all on function pgvec.is_api_of(text, oid) from public;
