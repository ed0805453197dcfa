-- pgvec.forget_adopted -- removes from the side table of an adopted table what was deleted or truncated there.
-- A foreign key would do so too, and would keep the application from TRUNCATE and from changing its key.
create or replace function pgvec.forget_adopted()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections;
  adopted pgvec.adoptions;
  id      text;
begin
  select c.* into target
    from pgvec.collections as c
   where c.name = tg_argv[0]
     and (c.base = tg_relid or c.base in (select a from pg_partition_ancestors(tg_relid) as a));
  if not found then
    perform pgvec.refuse_trigger(tg_argv[0], tg_relid);
  end if;
  adopted := pgvec.adopted(target.name);
  if adopted.side is null then
    return null;
  end if;
  if tg_op = 'TRUNCATE' then
    begin
      execute format('truncate %s', adopted.side);
    exception when object_in_use then
      execute format('delete from %s', adopted.side);
    end;
  elsif adopted.id_column is not null and pgvec.foreign_columns(target) = '{}' then
    execute format('select ($1).%I::text', adopted.id_column) into id using old;
    -- compared as it is kept: of a key that became another kind of value meanwhile there is no row
    execute format('delete from %s as s where s.id = $1::%s', adopted.side,
                   case when pgvec.side_type(adopted.side) = pgvec.key_type(adopted.id_type) then pgvec.side_type(adopted.side) else 'text' end)
      using id;
  end if;
  return null;
end
$$;
comment on function pgvec.forget_adopted() is
  'Trigger of an adopted table with a side table, after DELETE (each row) and TRUNCATE. PV004 on a table that is not the collection''s. Argument: the collection.';
revoke all on function pgvec.forget_adopted() from public;
select pgvec.grant_execute('pgvec.forget_adopted()', 'owner');
