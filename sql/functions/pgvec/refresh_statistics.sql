-- pgvec.refresh_statistics -- counts the words of a collection anew, and makes the BM25 weights anew where they are off.
-- Counting and replacing is one statement with one snapshot: what others write meanwhile is in neither, and stays as they
-- noted it. Definer, since the statistics are nobody's to write.
create or replace function pgvec.refresh_statistics(collection text, tolerance float8 default 0.05)
  returns table (documents bigint, lexemes bigint, average_length float8, renewed bigint)
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  nobody     constant uuid := '00000000-0000-0000-0000-000000000000';
  target     pgvec.collections := pgvec.collection(refresh_statistics.collection);
  parameters pgvec.bm25_parameters;
begin
  perform pg_advisory_xact_lock(hashtextextended('pgvec.lexemes ' || target.name, 0));
  execute format(
    $query$
    with counted as materialized (
           select s.word, s.ndoc, s.nentry from ts_stat(%3$L) as s),
         forgotten as (
           delete from pgvec.lexemes as l where l.collection = $1),
         forgotten_totals as (
           delete from pgvec.text_totals as t where t.collection = $1),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select $1, $2, c.word, c.ndoc from counted as c order by c.word)
    insert into pgvec.text_totals (collection, tenant, documents, positions, languages)
    select $1, $2, (select count(*) from %1$s), coalesce(sum(c.nentry), 0),
           array(select distinct d.language from %2$s as d where d.language is not null)
      from counted as c
    returning documents, positions::float8 / nullif(documents, 0), (select count(*) from counted)
    $query$, target.text_table, target.relation, format('select fts from %s', target.text_table))
    into documents, average_length, lexemes
    using target.name, nobody;

  select p.* into parameters
    from pgvec.bm25_parameters as p
   where p.collection = target.name
     and p.tenant = nobody;
  renewed := case
               when abs(average_length / parameters.average_length - 1) <= tolerance
                    and (parameters.k1, parameters.b) = (select s.k1, s.b from pgvec.bm25_settings(target) as s) then 0
               else pgvec.renew_weights(target, nobody, average_length, documents, false)
             end;
  return next;
end
$$;
comment on function pgvec.refresh_statistics(text, float8) is
  'Counts rows, words and document frequencies of a collection anew, and makes its BM25 weights anew where the average length has moved by more than tolerance (a share) '
  'or the settings k1 or b have changed. Returns the rows, the lexemes, the average length in words and the rows whose weights are new. Raises PV001.';
revoke all on function pgvec.refresh_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.refresh_statistics(text, float8)', 'writer');
