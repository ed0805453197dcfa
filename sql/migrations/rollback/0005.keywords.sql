-- The triggers and functions that count lexemes go with their tables and types; the columns fts and bm25 stay.
do $$
declare
  item record;
begin
  for item in
    select t.tgname, t.tgrelid::regclass as relation
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where p.pronamespace = to_regnamespace('pgvec')
       and p.proname = 'count_lexemes'
  loop
    execute format('drop trigger %I on %s', item.tgname, item.relation);
  end loop;
end
$$;

drop type if exists pgvec.fused cascade;
drop type if exists pgvec.scored cascade;
drop type if exists pgvec.keyword_query cascade;
drop table if exists pgvec.bm25_parameters;
drop table if exists pgvec.text_totals;
drop table if exists pgvec.lexemes;
alter table pgvec.collections drop column if exists text_table;
