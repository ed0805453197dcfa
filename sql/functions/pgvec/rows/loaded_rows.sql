-- pgvec.loaded_rows -- the sources of a collection, or the rows of some, for a load to compare with its files.
create or replace function pgvec.loaded_rows(collection text, sources text[] default null, numbered boolean default null)
  returns table (id text, source text, chunk_index int, content_hash text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  stored constant text := pgvec.rows_of(pgvec.writable(loaded_rows.collection, null));
begin
  if sources is null and numbered is null then
    return query execute format(
      'select null::text, d.source, max(d.chunk_index), null::text from %s as d where d.source is not null group by d.source', stored);
    return;
  end if;
  return query execute format(
    $query$
    select d.id, d.source, d.chunk_index, d.content_hash
      from %s as d
     where ($1 is null or d.source = any ($1))
       and case when $2 then d.id = d.source || '#' || d.chunk_index when not $2 then d.chunk_index is null else true end
    $query$, stored)
    using sources, numbered;
end
$$;
comment on function pgvec.loaded_rows(text, text[], boolean) is
  'The rows of these sources with the hash of their content. numbered: only those that a load has numbered within their source (true), or only those without a '
  'number (false), of all sources where none are given. With neither: a row for each source, with its highest chunk_index. Where rows belong to tenants: those of the caller''s. '
  'Raises PV001, PV004 for an adopted table, PV006.';
revoke all on function pgvec.loaded_rows(text, text[], boolean) from public;
select pgvec.grant_execute('pgvec.loaded_rows(text, text[], boolean)', 'writer');
