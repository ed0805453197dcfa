-- pgvec.a_vector -- a vector, so that a dump can be restored by who is no superuser.
-- Settings such as hnsw.ef_search can be given to a function by others than superusers only once pgvector's library is
-- loaded. pg_dump writes functions in the order of their names: the default here loads it, before the first that has one.
create or replace function pgvec.a_vector(given extensions.vector default '[1]')
  returns extensions.vector
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select given
$$;
comment on function pgvec.a_vector(extensions.vector) is
  'The vector given. Its default is what loads pgvector''s library while a dump is restored, before the functions that have settings of pgvector.';
revoke all on function pgvec.a_vector(extensions.vector) from public;
