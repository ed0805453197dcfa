-- pgvec.count_lexemes -- updates the BM25 statistics of a collection after every statement.
-- Each statement adds its changes as separate rows, so that writers do not wait for each other; readers sum the rows, and
-- pgvec.settle_statistics keeps them few. In a collection of more than live_statistics rows (a setting) it only counts the
-- changed rows, for pgvec.refresh_statistics: counting their words would cost every writer more than it gives, since a few rows
-- among many hardly change how rare a word is.
-- Words that no row has any more are removed with the transaction (pgvec.forget_words): in a large collection only where rows belong
-- to accounts.
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
  languages text := 'select null::uuid as tenant, null::text[] as languages';
  changes   text;
  part      record;
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

  if tg_op = 'DELETE' and target.base = target.relation then
    -- a load whose last row is gone begins anew: there is no more to know of it
    execute format('insert into pgvec.forgotten (collection, tenant, loads) select l.collection, l.tenant, array_agg(l.last_id)'
                   ' from pgvec.loads as l join old_rows as r on r.id = l.last_id and l.tenant = %s where l.collection = $1 group by l.collection, l.tenant',
                   format(tenant_of, 'r'))
      using target.name;
  end if;
  changes := pgvec.lexeme_changes(tg_op, key, tenant_of);
  -- the table of an adopted collection has one language
  if tg_op <> 'DELETE' and target.text_table = target.relation then
    languages := format('select %s as tenant, array_agg(distinct n.language) as languages from new_rows as n where n.language is not null group by 1', format(tenant_of, 'n'));
  end if;

  for part in execute format(
    $query$
    with changes as materialized (%1$s),
         parts as materialized (
           select c.tenant, count(c.fts) as rows, sum(c.sign) as documents, pgvec.counts_live($1, c.tenant) as live,
                  exists (select from pgvec.text_totals as t where t.collection = ($1).name and t.tenant = c.tenant) as known
             from changes as c
            group by c.tenant),
         counted as materialized (
           select c.tenant, p.live, l.lexeme, sum(c.sign) as documents, sum(c.sign * coalesce(cardinality(l.positions), 0)) as positions
             from changes as c
             join parts as p on p.tenant = c.tenant and (p.live or ($1).owner_table is not null)
            cross join lateral unnest(c.fts) as l
            group by c.tenant, p.live, l.lexeme),
         lengths as (
           select c.tenant, sum(c.positions) as positions from counted as c where c.live group by c.tenant),
         gone as (  -- once: of many tenants, each would read all that was counted
           select c.tenant, c.live, array_agg(c.lexeme) as words, array_agg(- c.documents) as lost from counted as c where c.documents < 0 group by c.tenant, c.live),
         spoken as (%2$s),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select ($1).name, c.tenant, c.lexeme, c.documents from counted as c where c.live and c.documents <> 0),
         totals as (
           insert into pgvec.text_totals as w (collection, tenant, documents, positions, uncounted, changes, languages)
           select ($1).name, p.tenant,
                  case when p.live then p.documents else 0 end,
                  coalesce(l.positions, 0),
                  case when p.live then 0 else p.rows end,
                  case when p.known then 1 else pgvec.first_change() end,
                  coalesce(s.languages, '{}')
             from parts as p
             left join lengths as l on l.tenant = p.tenant
             left join spoken as s on s.tenant = p.tenant
           returning w.tenant) %3$s
    select t.tenant, f.live, f.words, f.lost
      from totals as t
      left join gone as f on f.tenant = t.tenant
    $query$, changes, languages, pgvec.posting_upkeep(tg_op, target, key, tenant_of))
    using target
  loop
    if part.words is not null then
      insert into pgvec.forgotten (collection, tenant, words, lost, live) values (target.name, part.tenant, part.words, part.lost, part.live);
    end if;
    perform pgvec.settle_statistics(target, part.tenant);
  end loop;
  return null;
end
$$;
comment on function pgvec.count_lexemes() is
  'Trigger of every table with lexemes, after each statement: adds to pgvec.lexemes and pgvec.text_totals what INSERT, UPDATE and DELETE changed, and empties them with TRUNCATE. '
  'Arguments: the collection, and the column that identifies its rows.';
revoke all on function pgvec.count_lexemes() from public;
select pgvec.grant_execute('pgvec.count_lexemes()', 'owner');
