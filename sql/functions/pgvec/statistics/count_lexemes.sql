-- pgvec.count_lexemes -- updates the BM25 statistics of a collection after every statement.
-- Each statement adds its changes as separate rows, so that writers do not wait for each other; readers sum the rows, and
-- pgvec.settle_statistics keeps them few. In a collection of more than live_statistics rows (a setting) it only counts the
-- changed rows, for pgvec.refresh_statistics: counting their words would cost every writer more than it gives, since a few rows
-- among many hardly change how rare a word is.
-- Definer, since nobody else may read or write the statistics: so it works on the collection's table only, and not on columns
-- whose type a weaker owner has changed. The arguments are the collection and the key of its table.
create or replace function pgvec.count_lexemes()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections;
  key       text := quote_ident(tg_argv[1]);
  tenant_of text;
  languages text := '''{}''::text[]';
  changes   text;
  tenant    uuid;
begin
  if current_setting('pgvec.left_out', true) <> '' then
    perform set_config('pgvec.left_out', '', true);  -- of pgvec.maintain_document, for this statement only
  end if;
  select c.* into target from pgvec.collections as c where c.name = tg_argv[0] and c.text_table = tg_relid;
  if not found then
    perform pgvec.refuse_trigger(tg_argv[0], tg_relid);
  elsif target.text_table = target.base and (pgvec.foreign_columns(target) <> '{}' or pgvec.lost_columns(target) <> '{}') then
    return null;
  elsif target.text_table = target.base and target.base <> target.relation then
    key := quote_ident((pgvec.adopted(target.name)).id_column);  -- which may have been renamed
  end if;
  if tg_op = 'TRUNCATE' then
    perform pgvec.forget_lexemes(target.name);
    return null;
  end if;
  if target.access = 'tenant' then
    key := 'tenant_id, ' || key;
    tenant_of := '%s.tenant_id';
  else
    tenant_of := quote_literal(pgvec.no_tenant()) || '::uuid';
  end if;

  changes := case tg_op
               when 'INSERT' then format('select %s as tenant, n.fts, 1 as sign from new_rows as n', format(tenant_of, 'n'))
               when 'DELETE' then format('select %s as tenant, o.fts, -1 as sign from old_rows as o', format(tenant_of, 'o'))
               else format('select coalesce(%s, %s) as tenant, c.fts, s.sign
                       from new_rows as n
                       full join old_rows as o using (%s)
                      cross join (values (1), (-1)) as s (sign)
                      cross join lateral (select case s.sign when 1 then n.fts else o.fts end) as c (fts)
                      where n.fts is distinct from o.fts
                        and c.fts is not null
                      union all
                     select %s, null, 0 from new_rows as n group by 1', format(tenant_of, 'n'), format(tenant_of, 'o'), key, format(tenant_of, 'n'))
             end;
  -- the table of an adopted collection has one language
  if tg_op <> 'DELETE' and target.text_table = target.relation then
    languages := format('array(select distinct n.language from new_rows as n where n.language is not null and %s = p.tenant)', format(tenant_of, 'n'));
  end if;

  for tenant in execute format(
    $query$
    with changes as materialized (%1$s),
         parts as materialized (
           select c.tenant, count(c.fts) as rows, sum(c.sign) as documents, pgvec.counts_live($1, c.tenant) as live,
                  exists (select from pgvec.text_totals as t where t.collection = ($1).name and t.tenant = c.tenant) as known
             from changes as c
            group by c.tenant),
         counted as materialized (
           select c.tenant, l.lexeme, sum(c.sign) as documents, sum(c.sign * coalesce(cardinality(l.positions), 0)) as positions
             from changes as c
             join parts as p on p.tenant = c.tenant and p.live
            cross join lateral unnest(c.fts) as l
            group by c.tenant, l.lexeme),
         lengths as (
           select c.tenant, sum(c.positions) as positions from counted as c group by c.tenant),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select ($1).name, c.tenant, c.lexeme, c.documents from counted as c where c.documents <> 0)
    insert into pgvec.text_totals as w (collection, tenant, documents, positions, uncounted, changes, languages)
    select ($1).name, p.tenant,
           case when p.live then p.documents else 0 end,
           coalesce(l.positions, 0),
           case when p.live then 0 else p.rows end,
           case when p.known then 1 else pgvec.first_change() end,
           %2$s
      from parts as p
      left join lengths as l on l.tenant = p.tenant
    returning w.tenant
    $query$, changes, languages)
    using target
  loop
    perform pgvec.settle_statistics(target, tenant);
  end loop;
  return null;
end
$$;
comment on function pgvec.count_lexemes() is
  'Trigger of every table with lexemes, after each statement: adds to pgvec.lexemes and pgvec.text_totals what INSERT, UPDATE and DELETE changed, and empties them with TRUNCATE. '
  'Arguments: the collection, and the column that identifies its rows.';
revoke all on function pgvec.count_lexemes() from public;
select pgvec.grant_execute('pgvec.count_lexemes()', 'owner');
