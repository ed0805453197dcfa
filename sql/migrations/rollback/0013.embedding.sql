do $$
declare
  item record;
begin
  for item in
    select t.tgname, t.tgrelid::regclass as relation
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where p.pronamespace = 'pgvec'::regnamespace
       and p.proname = 'enqueue_changes'
       and t.tgparentid = 0
  loop
    execute format('drop trigger %I on %s', item.tgname, item.relation);
  end loop;
end
$$;
drop table if exists pgvec.embedding_usage;
drop table if exists pgvec.embedding_queues;
drop table if exists pgvec.embedding_jobs;
