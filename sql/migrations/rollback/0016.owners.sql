-- Foreign keys stay: rows still go with their accounts.
do $$
declare
  item record;
begin
  for item in
    select c.base, c.owner_column
      from pgvec.collections as c
      join pg_catalog.pg_attribute as a on a.attrelid = c.base and a.attname = c.owner_column
      join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where c.owner_column is not null
       and pg_get_expr(d.adbin, d.adrelid) like 'pgvec.current_owner(%'
  loop
    execute format('alter table %s alter column %I drop default', item.base, item.owner_column);
  end loop;
end
$$;
drop function if exists pgvec.forget_account() cascade;  -- with its triggers, on tables that may be others'
drop table if exists pgvec.forgotten cascade;
drop index if exists pgvec.search_log_several_idx;
drop index if exists pgvec.search_log_tenant_idx;
drop index if exists pgvec.search_log_owner_idx;
alter table pgvec.search_log drop column if exists owner;
alter table pgvec.collections drop column if exists owner_column;
alter table pgvec.collections drop column if exists owner_table;
