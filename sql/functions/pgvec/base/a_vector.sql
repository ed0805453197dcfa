-- pgvec.a_vector -- a vector; its default lets a role that is no superuser restore a dump.
-- Only once pgvector's library is loaded may a role that is no superuser give a function settings such as hnsw.ef_search.
-- pg_dump writes functions in the order of their names: the default here loads the library before the first function with such
-- a setting.
create or replace function pgvec.a_vector(given extensions.vector default '[1]')
  returns extensions.vector
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select given
$$;
comment on function pgvec.a_vector(extensions.vector) is
  'The vector given. Its default loads pgvector''s library while a dump is restored, before the functions that have settings of pgvector.';
revoke all on function pgvec.a_vector(extensions.vector) from public;
