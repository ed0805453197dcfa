-- pgvec.keep_queue -- maintains the queue of a collection from now on, if it has a model; otherwise it has no queue.
-- Rows that are stale already are found by pgvec.enqueue_stale.
create or replace function pgvec.keep_queue(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(keep_queue.collection);
  key    name := coalesce((select a.id_column from pgvec.adopted(target.name) as a where a.side is null), 'id');
  item   record;
begin
  for item in
    select e.name, e.event, e.rows, t.oid is not null as is_there
      from (values (target.name || '_queue_insert', 'insert', 'referencing new table as new_rows'),
                   (target.name || '_queue_update', 'update', 'referencing new table as new_rows'),
                   (target.name || '_queue_delete', 'delete', 'referencing old table as old_rows'),
                   (target.name || '_queue_truncate', 'truncate', '')) as e (name, event, rows)
      left join pg_catalog.pg_trigger as t on t.tgrelid = target.text_table and t.tgname = e.name::name
  loop
    if target.model is null and item.is_there then
      execute format('drop trigger %I on %s', item.name, target.text_table);
    elsif target.model is not null then
      execute format('create or replace trigger %I after %s on %s %s for each statement execute function pgvec.enqueue_changes(%L, %L)',
                     item.name, item.event, target.text_table, item.rows, target.name, key);
      execute format('alter table %s enable trigger %I', target.text_table, item.name);
    end if;
  end loop;
  if target.model is null then
    delete from pgvec.embedding_jobs as j where split_part(j.collection, '@', 1) = target.name;
    delete from pgvec.embedding_queues as q where q.collection = target.name;
  end if;
end
$$;
comment on function pgvec.keep_queue(text) is
  'Attaches the triggers to a collection''s table that maintain its queue of rows to embed, or removes them, with the queue, where the collection has no model. Raises PV001.';
revoke all on function pgvec.keep_queue(text) from public;
