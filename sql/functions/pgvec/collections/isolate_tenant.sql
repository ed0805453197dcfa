-- pgvec.isolate_tenant -- makes the copy of a large tenant's rows (pgvec.copy_tenant) the tenant's own table, among the partitions.
-- Its searches then read its rows and its index alone, others no longer meet them, and pgvec.purge_tenant drops the table.
-- A search that began before the exchange sees the table afterwards with the rows of its own snapshot. So the copy has to be older than
-- the searches that run, and nothing is moved that was not copied before. The lock is taken at once, not by way of a weaker one: a
-- transaction that has read the table and goes on to write it then goes first, and is not made to fail for a deadlock.
create or replace function pgvec.isolate_tenant(collection text, tenant uuid)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(isolate_tenant.collection);
  own      regclass := pgvec.own_table(target.base, tenant);
  patience constant text := current_setting('lock_timeout');
  rest     regclass;
  before   bigint;
  has_rows boolean;
  columns  text;
begin
  if own is not null then
    return own;
  end if;
  rest := pgvec.default_table(target, tenant);
  select c.copy, c.before::text::bigint into own, before from pgvec.tenant_copies(target.base, tenant) as c;
  if own is null then
    execute format('select exists (select from %s as r where r.tenant_id = $1)', rest) into has_rows using tenant;
    if has_rows then
      raise exception using
        errcode = 'PV004',
        message = format('the rows of tenant %s have not been copied', tenant),
        hint    = format('in a transaction of its own before: select pgvec.copy_tenant(%L, %L); or pgvec-admin tenant isolate', target.name, tenant);
    end if;
    perform pgvec.copy_tenant(target.name, tenant);
    select c.copy, c.before::text::bigint into own, before from pgvec.tenant_copies(target.base, tenant) as c;
  else
    perform pg_sleep(1);  -- searches that began before the copy was there have ended
  end if;

  perform set_config('lock_timeout', '3s', true);
  execute format('lock table %s in access exclusive mode', rest);  -- 55P03 where a long transaction keeps it: nothing has changed
  perform set_config('lock_timeout', patience, true);
  if exists (select from pg_catalog.pg_attribute as a
              where a.attrelid in (rest, own) and a.attnum > 0 and not a.attisdropped
              group by a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated having count(*) = 1) then
    raise exception using
      errcode = 'PV004',
      message = format('the columns of %s have changed since the rows of tenant %s were copied', target.base, tenant),
      hint    = format('copy them again, in a transaction of its own: select pgvec.copy_tenant(%L, %L); or pgvec-admin tenant isolate', target.name, tenant);
  end if;

  -- what was written since: other versions of rows have another xmin, of which the upper half is not stored
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into columns
    from pg_catalog.pg_attribute as a
   where a.attrelid = rest and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
  execute format('delete from %s as o where not exists (select from %s as r where r.tenant_id = $1 and r.id = o.id and age(r.xmin) > $2)', own, rest)
    using tenant, pg_current_xact_id()::text::bigint - before;
  execute format('insert into %s (%s) overriding system value select %2$s from %s as r where r.tenant_id = $1 and not exists (select from %1$s as o where o.id = r.id)', own, columns, rest)
    using tenant;
  execute format('delete from %s as r where r.tenant_id = $1', rest) using tenant;
  execute format('alter table %s attach partition %s for values in (%L)', target.base, own, tenant);
  execute format('comment on table %s is null', own);
  perform pgvec.hide_statistics(target.name);
  return own;
end
$$;
comment on function pgvec.isolate_tenant(text, uuid) is
  'Gives a tenant a table of its own in a collection made with partition => 0: the copy that pgvec.copy_tenant has made, with what was written since; or an empty one '
  'for a tenant without rows. Returns it; again, the one that is there. Raises PV001, PV004 for another collection, for null, for rows without a copy, where columns '
  'have changed since, and where moved rows would set off triggers or foreign keys of others, 55P03 where another transaction keeps the table for three seconds: call it again.';
revoke all on function pgvec.isolate_tenant(text, uuid) from public;
