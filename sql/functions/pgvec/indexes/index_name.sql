-- pgvec.index_name -- the name of an index: the names of its table and column, and its kind.
-- The server truncates a name of more than 63 characters, so that two could become one.
create or replace function pgvec.index_name(table_name text, suffix text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  whole text := table_name || suffix;
  tail  text := right(suffix, 40);
begin
  return case when length(whole) <= 63 then whole else format('%s_%s%s', left(table_name, 63 - 9 - length(tail)), left(md5(whole), 8), tail) end;
end
$$;
comment on function pgvec.index_name(text, text) is 'table_name and suffix; where they are longer than 63 characters, a part of them with a hash of the whole.';
revoke all on function pgvec.index_name(text, text) from public;
