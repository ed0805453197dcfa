-- pgvec.count_ids -- how many of some ids are rows of a collection.
-- A load asks before it copies a batch straight into the table. Always by primary key: for many expected rows, the planner
-- would choose to read the whole table.
create or replace function pgvec.count_ids(collection text, ids text[])
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
as $$
declare
  request pgvec.search_request := pgvec.scoped(count_ids.collection, null);
  counted bigint;
begin
  execute format('select count(*) from (select distinct u.id from unnest($1) as u (id)) as i join %s as d on d.id = i.id', pgvec.rows_of(request, by_key => 'i.id'))
    into counted
    using ids;
  return counted;
end
$$;
comment on function pgvec.count_ids(text, text[]) is 'How many rows of a collection have one of these ids. Raises PV001.';
revoke all on function pgvec.count_ids(text, text[]) from public;
select pgvec.grant_execute('pgvec.count_ids(text, text[])', 'reader');
