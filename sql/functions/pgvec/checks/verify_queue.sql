-- pgvec.verify_queue -- the queue of a collection: entries of rows that are gone, and claims that end too late.
-- An entry whose row is gone is removed when it is claimed; a dead one is never claimed. A lease, or a wait after a failure, of
-- more than a day comes from a clock that was wrong, or from a worker that asked for so much: meanwhile nobody embeds the row.
create or replace function pgvec.verify_queue(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  longest constant interval := interval '1 day';
  target  pgvec.collections := pgvec.collection(verify_queue.collection);
  no_row  constant text := format('not exists (select from %s as d where d.id = j.id %s)', target.relation,
                                  case when target.access = 'tenant' then 'and d.tenant_id = j.tenant' end);
  entries bigint;
  gone    bigint;
  late    record;
begin
  execute format('select count(*), count(*) filter (where %s) from pgvec.embedding_jobs as j where j.collection = $1', no_row)
    into entries, gone
    using target.name;
  select count(*) filter (where j.worker is not null) as claimed,
         count(*) filter (where j.worker is null) as waiting,
         max(j.due_at) as until into late
    from pgvec.embedding_jobs as j
   where j.collection = target.name
     and j.due_at > clock_timestamp() + longest
     and j.due_at < 'infinity';

  return next pgvec.verdict(
    target.name, 'queue',
    array_remove(array[case when gone > 0 then format('%s of %s entries are of rows that are gone', gone, entries) end,
                       case when entries > 0 and target.model is null then format('%s entries, and no model', entries) end], null),
    case when target.model is null then 'no model, and no queue' else format('%s entries, each of a row', entries) end,
    'rows were deleted while the triggers of the queue were off: the check triggers; the fix removes the entries',
    case when target.model is null then format('select pgvec.keep_queue(%L);', target.name)
         else format('delete from pgvec.embedding_jobs as j where j.collection = %L and %s;', target.name, no_row) end,
    severity => 'warn');
  return next pgvec.verdict(
    target.name, 'leases',
    array_remove(array[case when late.claimed > 0 then format('%s rows are claimed until %s', late.claimed, date_trunc('minute', late.until)) end,
                       case when late.waiting > 0 then format('%s rows wait until %s', late.waiting, date_trunc('minute', late.until)) end], null),
    format('none is longer than %s from now', longest),
    'the clock of the server was ahead, or a worker asked for too long a lease; the fix makes the rows due now, and a worker that still has them stores their vectors all the same',
    format('update pgvec.embedding_jobs set due_at = clock_timestamp(), worker = null, in_session = null where collection = %L and due_at > clock_timestamp() + interval %L and due_at < %L;',
           target.name, longest, 'infinity'),
    severity => 'warn');
end
$$;
comment on function pgvec.verify_queue(text) is
  'Checks the queue of a collection: queue (entries of rows that are gone, or without a model) and leases (rows that are claimed, or wait after a failure, for more than a day '
  'from now). Raises PV001.';
revoke all on function pgvec.verify_queue(text) from public;
