-- pgvec.some_ids -- a few rows of a tenant that have a lexeme, found by the owner of the table: their ids, for the caller to read.
-- As in pgvec.candidates_as_owner: under policies the index of lexemes is not used, so a caller would read all rows to find these.
create or replace function pgvec.some_ids(collection text, for_tenant uuid, lexeme text, most int)
  returns text[]
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  request pgvec.search_request := pgvec.scoped(some_ids.collection, for_tenant);
  words   constant tsquery := pgvec.lexeme_operand(lexeme)::tsquery;
  ids     text[];
begin
  if cardinality(request.tenants) is distinct from 1 or not request.alone or not pgvec.is_trusted((request.collection).base) then
    return '{}'::text[];
  end if;
  execute format('select array(select d.id from %s as d where d.fts @@ $1 limit least($2, 100))', (pgvec.tenant_rows(request, 'd.fts @@ $1', words)).scanned)
    into ids
    using words, most;
  return ids;
end
$$;
comment on function pgvec.some_ids(text, uuid, text, int) is
  'The ids of up to 100 rows of one tenant of the caller''s that have a lexeme; none where the owner of the engine does not own the table. Raises PV001 and PV006.';
revoke all on function pgvec.some_ids(text, uuid, text, int) from public;
select pgvec.grant_execute('pgvec.some_ids(text, uuid, text, int)', 'reader');
