-- pgvec.count_statistics -- counts the words of a collection again, tenant by tenant: the part of pgvec.refresh_statistics that
-- needs the owner's rights.
-- Counting and replacing is one statement with one snapshot: concurrent writes are in neither, so what they added stays.
-- Definer, since nobody else may write the statistics. So it counts only the tenants of the caller, unless the caller sees all
-- rows; refuses a table that would run code of a weaker owner's, or hides rows from it; and renews the weights of trusted
-- tables only (pgvec.is_trusted). Weights of other tables are left to the caller (due), if the caller is no stronger than the
-- roles whose code would run; otherwise they stay as they are.
create or replace function pgvec.count_statistics(collection text, tolerance float8)
  returns table (tenant uuid, documents bigint, lexemes bigint, positions bigint, renewed bigint, due boolean, average_length float8, k1 float8, b float8)
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
#variable_conflict use_column
declare
  target   pgvec.collections := pgvec.collection(count_statistics.collection);
  settings record := pgvec.bm25_settings(target);
  counted  uuid[] := case when target.access = 'tenant' and not pgvec.sees_all(target) then array(select t from pgvec.allowed_tenants() as t) end;
  is_ours    constant boolean := pgvec.is_trusted(target.text_table, to_write => true);
  is_callers constant boolean := pgvec.is_trusted(target.text_table, true, pgvec.caller());
  average  float8;
  made_with pgvec.bm25_parameters;
begin
  if row_security_active(target.text_table) or pgvec.foreign_columns(target) <> '{}' then
    raise exception using
      errcode = 'PV004',
      message = format('the words of %s cannot be counted', target.text_table),
      detail  = array_to_string(pgvec.foreign_columns(target), '; '),
      hint    = format('row level security may not be forced on %s, the owner of the engine, and columns keep the types they were made with', current_user);
  end if;
  perform from pgvec.collections as c where c.name = target.name for no key update;  -- one caller counts at a time

  for tenant, documents, lexemes, positions in execute format(
    $query$
    with counted as materialized (%1$s),
         totals as materialized (%2$s),
         lengths as (
           select c.tenant, %3$s as positions, count(*) as lexemes from counted as c group by c.tenant),
         forgotten as (
           delete from pgvec.lexemes as l where l.collection = $1 and ($2 is null or l.tenant = any ($2))),
         forgotten_totals as (
           delete from pgvec.text_totals as t where t.collection = $1 and ($2 is null or t.tenant = any ($2))),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select $1, c.tenant, c.word, c.ndoc from counted as c order by c.tenant, c.word),
         written as (
           insert into pgvec.text_totals (collection, tenant, documents, positions, changes, languages)
           select $1, t.tenant, t.documents, coalesce(l.positions, 0),
                  coalesce((select 1 + sum(x.changes) from pgvec.text_totals as x where x.collection = $1 and x.tenant = t.tenant), pgvec.first_change()),
                  t.languages
             from totals as t
             left join lengths as l on l.tenant = t.tenant)
    select t.tenant, t.documents, coalesce(l.lexemes, 0), coalesce(l.positions, 0)::bigint
      from totals as t
      left join lengths as l on l.tenant = t.tenant
    $query$,
    case target.access
      when 'tenant' then format(
        'select d.tenant_id as tenant, l.lexeme as word, count(*) as ndoc, coalesce(sum(cardinality(l.positions)), 0) as nentry'
        ' from %s as d cross join lateral unnest(d.fts) as l where $2 is null or d.tenant_id = any ($2) group by d.tenant_id, l.lexeme', target.text_table)
      else format('select %L::uuid as tenant, s.word, s.ndoc, s.nentry from ts_stat(%L) as s', pgvec.no_tenant(), format('select d.fts from %s as d', target.text_table))
    end,
    case target.access
      when 'tenant' then format(
        'select d.tenant_id as tenant, count(*) as documents, coalesce(array_agg(distinct d.language) filter (where d.language is not null), ''{}'') as languages'
        ' from %s as d where $2 is null or d.tenant_id = any ($2) group by d.tenant_id', target.text_table)
      else format(
        'select %L::uuid as tenant, count(*) as documents, %s as languages, sum(length(d.fts) - length(ts_filter(d.fts, ''{a,b,c,d}''))) as parts from %s as d',
        pgvec.no_tenant(),
        case when target.base = target.relation then format('array(select distinct d.language from %s as d where d.language is not null)', target.base) else '''{}''::text[]' end,
        target.text_table)
    end,
    case target.access
      when 'tenant' then 'sum(c.nentry)'
      else 'sum(c.nentry) - (select t.parts from totals as t)'  -- which have no positions, and are counted as one
    end)
    using target.name, counted
  loop
    insert into pgvec.bm25_parameters (collection, tenant, k1, b)
    values (target.name, count_statistics.tenant, settings.k1, settings.b)
        on conflict do nothing;
    select p.* into made_with from pgvec.bm25_parameters as p where p.collection = target.name and p.tenant = count_statistics.tenant;
    average := nullif(count_statistics.positions::float8 / nullif(count_statistics.documents, 0), 0);  -- texts without a lexeme have no average
    renewed := 0;
    due := (abs(average / nullif(made_with.average_length, 0) - 1) <= tolerance and (made_with.k1, made_with.b) = (settings.k1, settings.b)) is not true;
    if due and (is_ours or is_callers or made_with.average_length is null) then
      made_with := pgvec.note_parameters(target, count_statistics.tenant, average, count_statistics.documents);
    end if;
    if due and is_ours then
      renewed := pgvec.write_weights(target, made_with, false);
    end if;
    if renewed > 0 and target.posted then
      perform pgvec.forget_postings(target.name, count_statistics.tenant);  -- by other weights, if none are made
    end if;
    if is_ours and target.base = target.relation and not pgvec.counts_live(target, count_statistics.tenant) then
      perform pgvec.write_postings(target, count_statistics.tenant);
    elsif target.posted then
      perform pgvec.forget_postings(target.name, count_statistics.tenant);
    end if;
    due := due and not is_ours and is_callers;
    average_length := made_with.average_length;
    k1 := made_with.k1;
    b := made_with.b;
    return next;
  end loop;
  perform pgvec.settle_postings(target.name);
end
$$;
comment on function pgvec.count_statistics(text, float8) is
  'Counts rows, words and document frequencies again, for each tenant of the caller, or for all if the caller sees all rows. Returns for each the rows, the '
  'lexemes, the words, the rows whose weights were renewed, and whether and with which values (average_length, k1, b) the caller has to write them. Raises PV001, '
  'PV004.';
revoke all on function pgvec.count_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.count_statistics(text, float8)', 'writer');
