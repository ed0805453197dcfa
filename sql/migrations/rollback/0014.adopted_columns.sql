-- The release before knows columns by name, and has the rows of a side table deleted by a foreign key.
do $$
declare
  item record;
begin
  for item in
    select a.side, a.id_column, a.collection, c.base,
           (select format_type(t.atttypid, t.atttypmod) from pg_catalog.pg_attribute as t where t.attrelid = c.base and t.attname = a.id_column) as type
      from pgvec.adoptions as a
      join pgvec.collections as c on c.name = a.collection
      join pg_catalog.pg_class as r on r.oid = c.base
  loop
    execute format('drop trigger if exists %I on %s', item.collection || '_truncate', item.base);
    if item.side is null then
      continue;
    end if;
    execute format('create or replace trigger %I after insert or update on %s for each row execute function pgvec.maintain_adopted(%L)',
                   item.collection || '_maintain', item.base, item.collection);
    execute format('drop policy if exists follow_the_table on %s', item.side);
    execute format('alter table %s alter column id type %s using id::text::%2$s', item.side, item.type);
    -- without the triggers: theirs are functions that read columns which are gone by now
    execute format('alter table %s disable trigger user', item.side);
    execute format('delete from %s as s where not exists (select from %s as b where b.%I = s.id)', item.side, item.base, item.id_column);
    execute format('alter table %s enable trigger user', item.side);
    execute format('alter table %s add foreign key (id) references %s (%I) on update cascade on delete cascade', item.side, item.base, item.id_column);
  end loop;
end
$$;

alter table pgvec.adoptions drop column if exists base_oid;
alter table pgvec.adoptions drop column if exists id_number;
alter table pgvec.adoptions drop column if exists content_numbers;
alter table pgvec.adoptions drop column if exists metadata_number;
alter table pgvec.adoptions drop column if exists embedding_number;
alter table pgvec.adoptions drop column if exists added_numbers;
alter table pgvec.collections reset (toast_tuple_target);
alter table pgvec.collections drop column if exists source;
alter table pgvec.collections drop column if exists plain_source;
alter table pgvec.collections drop column if exists source_columns;
