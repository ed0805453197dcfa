-- pgvec.resume_points -- unfinished loads into a collection: the files, and how far each was loaded.
-- Where the last stored row is gone, the rows before it may be gone as well: such a load starts from the beginning.
create or replace function pgvec.resume_points(collection text)
  returns table (source text, fingerprint text, "position" bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.scoped(resume_points.collection, null);
  target  pgvec.collections := request.collection;
begin
  return query execute format(
    $query$
    select l.source, l.fingerprint, l.position
      from pgvec.noted_loads($1) as l
     where exists (select from %s as d where d.id = l.last_id)
    $query$, pgvec.rows_of(request, by_key => 'l.last_id'))
    using target.name;
end
$$;
comment on function pgvec.resume_points(text) is
  'Interrupted loads of a collection: the file, a hash of the file and of the load''s options, and how many of its documents are stored. Where rows belong to '
  'tenants: those of the caller''s. Raises PV001 for an unknown collection, and PV006.';
revoke all on function pgvec.resume_points(text) from public;
select pgvec.grant_execute('pgvec.resume_points(text)', 'writer');
