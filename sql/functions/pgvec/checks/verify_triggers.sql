-- pgvec.verify_triggers -- whether the triggers of a collection are as the engine made them.
-- Those of the queue belong to a collection with a model. One that is attached with other arguments, to other events, or without
-- its transition tables, does nothing, or fails every write.
create or replace function pgvec.verify_triggers(target pgvec.collections)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  own constant boolean := target.base = target.relation;
begin
  return query
    with wanted (name, relation, function, kind, rows, place) as (
           -- kind as pg_trigger.tgtype has it: 1 for each row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate
           select target.name || '_maintain', target.base, case when own then 'pgvec.maintain_document' else 'pgvec.maintain_adopted' end,
                  case when target.base not in (target.relation, target.text_table) then 21 else 23 end, '', case when own then 2 else 1 end
            union all
           select format('%s_%s', target.name, e.name), target.base, 'pgvec.forget_adopted', e.kind, '', 1
             from (values ('forget', 9), ('empty', 32)) as e (name, kind)
            where target.base not in (target.relation, target.text_table)
            union all
           select format('%s_%s_%s', target.name, f.name, e.name), target.text_table, f.called, e.kind,
                  case when f.name = 'count' and e.name = 'update' then 'new_rows old_rows' else e.rows end, 1
             from (values ('count', 'pgvec.count_lexemes'), ('queue', 'pgvec.enqueue_changes')) as f (name, called)
            cross join (values ('insert', 4, 'new_rows'), ('update', 16, 'new_rows'), ('delete', 8, 'old_rows'), ('truncate', 32, '')) as e (name, kind, rows)
            where f.name = 'count' or target.model is not null),
         there as (
           select w.name, w.relation,
                  case when t.tgenabled is null then 'is gone'
                       when t.tgenabled not in ('O', 'A') then 'is disabled'
                       when t.tgfoid <> to_regproc(w.function) then format('calls %s and not %s', t.tgfoid::regproc, w.function)
                       when t.tgqual is not null or t.tgattr::text <> '' then 'fires on some changes only'
                       when t.tgtype <> w.kind then 'fires on other changes'
                       when (string_to_array(encode(t.tgargs, 'escape'), '\000'))[w.place] is distinct from target.name then 'is of another collection'
                       when w.rows <> all (array[concat_ws(' ', t.tgnewtable, t.tgoldtable), coalesce(t.tgnewtable, t.tgoldtable, '')]) then 'lacks its transition tables' end as problem
             from wanted as w
             left join pg_catalog.pg_trigger as t on t.tgrelid = w.relation and t.tgname = w.name)
    select (pgvec.verdict(
             target.name, 'triggers',
             coalesce(array_agg(format('trigger %s of %s %s', t.name, t.relation, t.problem) order by t.name) filter (where t.problem is not null), '{}'),
             format('%s keep hashes, lexemes, statistics%s', count(*), case when target.model is not null then ' and the queue of embedding' end),
             'pgvec.attach_triggers puts them back, pgvec.keep_queue those of the queue; rows written meanwhile show in the checks hashes, lexemes and rows',
             format('select pgvec.attach_triggers(%1$L); select pgvec.refresh_statistics(%1$L); select pgvec.keep_queue(%1$L);', target.name))).*
      from there as t;
end
$$;
comment on function pgvec.verify_triggers(pgvec.collections) is
  'Check triggers of a collection: each is there, enabled, and of the function, the events, the transition tables and the collection that the engine made it with; with a model '
  'also those of the queue.';
revoke all on function pgvec.verify_triggers(pgvec.collections) from public;
