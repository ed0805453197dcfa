-- pgvec.resume_points -- the files that loads into a collection did not end, and how far they came.
-- Where the last row that was stored is gone, the rows before it may be as well: such a load begins anew.
create or replace function pgvec.resume_points(collection text)
  returns table (source text, fingerprint text, "position" bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(resume_points.collection);
begin
  return query execute format(
    $query$
    select l.source, l.fingerprint, l.position
      from pgvec.loads as l
     where l.collection = $1
       and exists (select from %s as d where d.id = l.last_id)
    $query$, target.relation)
    using target.name;
end
$$;
comment on function pgvec.resume_points(text) is
  'Loads of a collection that were cut off: the file, a hash of the file and of the load''s options, and how many of its documents are stored. '
  'Raises PV001 for an unknown collection.';
revoke all on function pgvec.resume_points(text) from public;
select pgvec.grant_execute('pgvec.resume_points(text)', 'writer');
