-- pgvec.has_any -- whether a collection has any of these rows.
-- A load asks before it copies a batch straight into the table. Always by primary key: expecting to meet one soon, the
-- planner would rather read the whole table from its beginning.
create or replace function pgvec.has_any(collection text, ids text[])
  returns boolean
  language plpgsql stable parallel safe
  security invoker set search_path = ''
  set enable_seqscan = off
as $$
declare
  target pgvec.collections := pgvec.collection(has_any.collection);
  found_one boolean;
begin
  execute format('select exists (select from %s as d where d.id = any ($1))', target.relation)
    into found_one
    using ids;
  return found_one;
end
$$;
comment on function pgvec.has_any(text, text[]) is 'Whether a collection has a row with any of these ids. Raises PV001 for an unknown collection.';
revoke all on function pgvec.has_any(text, text[]) from public;
select pgvec.grant_execute('pgvec.has_any(text, text[])', 'reader');
