-- pgvec.synonym_words -- the lexemes of the synonyms for words of a text, with their weights.
create or replace function pgvec.synonym_words(request pgvec.search_request, total float8, query_text text)
  returns pgvec.expansion[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with typed as (
           select s.synonym, max(w.weight) as weight
             from pgvec.synonyms_of(request, query_text) as s
            cross join lateral (select sum(pgvec.idf(pgvec.frequency(request, k), total)) as weight from unnest(s.key) as k) as w
            group by s.synonym),
         parsed as (
           select t.synonym, c.configuration, t.weight, pgvec.typed_phrase(request.collection, c.configuration, t.synonym)::text as phrase,
                  tsvector_to_array(pgvec.typed_lexemes(request.collection, c.configuration, t.synonym)) as lexemes
             from typed as t
            cross join unnest(pgvec.languages(request)) as c (configuration)),
         counted as (
           select p.phrase, p.weight, l.lexeme, f.documents, pgvec.idf(f.documents, total) as rarity, cardinality(p.lexemes) as length
             from parsed as p
            cross join lateral unnest(p.lexemes) as l (lexeme)
            cross join lateral pgvec.frequency(request, l.lexeme) as f (documents)),
         weighed as (
           select c.phrase, c.lexeme, c.documents, c.length,
                  coalesce(((request.collection).settings ->> 'synonym_weight')::float8, 0.7)
                  * least(c.weight, sum(c.rarity) over phrase) * c.rarity / sum(c.rarity) over phrase as weight
             from counted as c
           window phrase as (partition by c.phrase))
    select array(
      select (w.lexeme, case when w.length = 1 then w.documents end, w.weight, case when w.length = 1 then w.phrase end)::pgvec.expansion
        from weighed as w
       where w.documents > 0
       union all
      select (null, min(w.documents), null, format('(%s)', w.phrase))::pgvec.expansion
        from weighed as w
       where w.length > 1
       group by w.phrase
      having min(w.documents) > 0));
end
$$;
comment on function pgvec.synonym_words(pgvec.search_request, float8, text) is
  'For each synonym of words of a text its lexemes, weighing together synonym_weight (a setting, 0.7) of those words or of themselves, whichever is less; for one of '
  'several words also the phrase. total: the rows of the tenants of the request. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.synonym_words(pgvec.search_request, float8, text) from public;
