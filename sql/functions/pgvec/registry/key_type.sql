-- pgvec.key_type -- the type that a side table keeps the keys of an adopted table in.
-- Integers of any size are bigint there, so that the application may make its key larger.
create or replace function pgvec.key_type(id_type text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case when id_type in ('smallint', 'integer', 'bigint') then 'bigint' when id_type = 'uuid' then 'uuid' else 'text' end
$$;
comment on function pgvec.key_type(text) is 'bigint, uuid or text: the type of a side table''s key for a key of a type that format_type names.';
revoke all on function pgvec.key_type(text) from public;
