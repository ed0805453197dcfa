-- pgvec.refresh_statistics -- counts the words of a collection, tenant by tenant, anew, and makes the BM25 weights anew where they are off.
-- Counting and replacing is one statement with one snapshot: what others write meanwhile is in neither, and stays as they
-- noted it. Definer, since the statistics are nobody's to write.
create or replace function pgvec.refresh_statistics(collection text, tolerance float8 default 0.05)
  returns table (documents bigint, lexemes bigint, average_length float8, renewed bigint)
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target     pgvec.collections := pgvec.collection(refresh_statistics.collection);
  settings   record := pgvec.bm25_settings(target);
  parameters pgvec.bm25_parameters;
  item       record;
begin
  if tolerance < 0 or tolerance = 'nan' then
    raise exception using
      errcode = 'PV004',
      message = format('tolerance cannot be %s', tolerance),
      hint    = 'the share by which the average length may be off before weights are made anew, for example 0.05';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('pgvec.lexemes ' || target.name, 0));
  documents := 0;
  lexemes := 0;
  renewed := 0;
  average_length := 0;  -- the words, for now
  for item in execute format(
    $query$
    with counted as materialized (%1$s),
         totals as materialized (%2$s),
         lengths as (
           select c.tenant, sum(c.nentry) as positions, count(*) as lexemes from counted as c group by c.tenant),
         forgotten as (
           delete from pgvec.lexemes as l where l.collection = $1),
         forgotten_totals as (
           delete from pgvec.text_totals as t where t.collection = $1),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select $1, c.tenant, c.word, c.ndoc from counted as c order by c.tenant, c.word),
         written as (
           insert into pgvec.text_totals (collection, tenant, documents, positions, changes, languages)
           select $1, t.tenant, t.documents, coalesce(l.positions, 0),
                  1 + (select coalesce(sum(x.changes), 0) from pgvec.text_totals as x where x.collection = $1 and x.tenant = t.tenant),
                  t.languages
             from totals as t
             left join lengths as l on l.tenant = t.tenant)
    select t.tenant, t.documents, coalesce(l.positions, 0)::bigint as positions, coalesce(l.lexemes, 0) as lexemes
      from totals as t
      left join lengths as l on l.tenant = t.tenant
    $query$,
    case target.access
      when 'tenant' then format(
        'select d.tenant_id as tenant, l.lexeme as word, count(*) as ndoc, sum(coalesce(cardinality(l.positions), 1)) as nentry'
        ' from %s as d cross join lateral unnest(d.fts) as l group by d.tenant_id, l.lexeme', target.text_table)
      else format('select %L::uuid as tenant, s.word, s.ndoc, s.nentry from ts_stat(%L) as s', pgvec.no_tenant(), format('select fts from %s', target.text_table))
    end,
    case target.access
      when 'tenant' then format(
        'select d.tenant_id as tenant, count(*) as documents, coalesce(array_agg(distinct d.language) filter (where d.language is not null), ''{}'') as languages'
        ' from %s as d group by d.tenant_id', target.relation)
      else format(
        'select %L::uuid as tenant, (select count(*) from %s) as documents, array(select distinct d.language from %s as d where d.language is not null) as languages',
        pgvec.no_tenant(), target.text_table, target.relation)
    end)
    using target.name
  loop
    insert into pgvec.bm25_parameters (collection, tenant, k1, b)
    values (target.name, item.tenant, settings.k1, settings.b)
        on conflict do nothing;
    select p.* into parameters from pgvec.bm25_parameters as p where p.collection = target.name and p.tenant = item.tenant;
    if (abs(item.positions::float8 / nullif(item.documents, 0) / parameters.average_length - 1) <= tolerance
        and (parameters.k1, parameters.b) = (settings.k1, settings.b)) is not true then
      renewed := renewed + pgvec.renew_weights(target, item.tenant, item.positions::float8 / nullif(item.documents, 0), item.documents, false);
    end if;
    documents := documents + item.documents;
    lexemes := lexemes + item.lexemes;
    average_length := average_length + item.positions;
  end loop;
  average_length := average_length / nullif(documents, 0);
  return next;
end
$$;
comment on function pgvec.refresh_statistics(text, float8) is
  'Counts rows, words and document frequencies of a collection anew, and makes its BM25 weights anew '
  'where the average length has moved by more than tolerance (a share; null renews all) '
  'or the settings k1 or b have changed. Returns the rows, the lexemes (each counts in each tenant), the average length in words and the rows whose weights are new. Raises PV001.';
revoke all on function pgvec.refresh_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.refresh_statistics(text, float8)', 'writer');
