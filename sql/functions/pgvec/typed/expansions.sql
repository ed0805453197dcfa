-- pgvec.expansions -- what a query is searched by besides its own words: synonyms, nearest words, words that it begins.
-- A word that no row has counts as those that it may have been meant as, each by how likely it is, and together three quarters of a word.
-- The beginning of a word counts as the group of the words that begin so, which many rows have: less than the word itself.
-- A synonym counts synonym_weight (a setting) of the word it stands for, and no more than that of how rare it is itself; the words
-- of a phrase share it, and rows with the phrase are candidates.
-- Where policies decide who sees which rows, only synonyms: the others would tell which words the rest of the rows have.
create or replace function pgvec.expansions(request pgvec.search_request, total float8, query_text text, reading jsonb)
  returns pgvec.expansion[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_nearest constant int := 10;
  most_nearly  constant float8 := 0.75;  -- on SciFact, 1 harms questions without an error, and 0.5 helps those with one less
  most_begun   constant int := 50;
  longest_begun constant int := 40;  -- characters
  readable  constant boolean := (request.collection).access <> 'policy';
  beginning constant text := lower(substring(right(query_text, longest_begun) from '(?:^|[^[:alnum:]])([[:alpha:]][[:alnum:]]+)$'));
  found     pgvec.expansion[] := '{}'::pgvec.expansion[];
begin
  if readable and (reading -> 'fuzzy')::boolean then
    found := found || array(
      select (n.lexeme, n.documents, most_nearly * n.share * pgvec.idf(n.documents, total), pgvec.lexeme_operand(n.lexeme))::pgvec.expansion
        from (select w.lexeme, w.documents,
                     w.likelihood * w.documents ^ 0.5 / sum(w.likelihood * w.documents ^ 0.5) over (partition by w.word)
                     * case when w.edit is null then w.likelihood else 1 end as share,
                     row_number() over (partition by w.word order by w.likelihood * w.documents ^ 0.5 desc, w.lexeme) as place
                from pgvec.near_words(request, query_text) as w) as n
       where n.place <= most_nearest);
  end if;
  if readable and (reading -> 'prefix')::boolean and beginning is not null then
    found := found || array(
      select (b.lexeme, b.documents, pgvec.idf(sum(b.documents) over (), total), pgvec.lexeme_operand(b.lexeme))::pgvec.expansion
        from pgvec.begun_words(request, beginning, most_begun) as b);
  end if;
  if (request.collection).settings ? 'synonyms' then
    found := found || pgvec.synonym_words(request, total, query_text);
  end if;

  return array(
    select (e.lexeme, max(e.documents), max(e.weight), e.operand)::pgvec.expansion
      from unnest(found) as e
     group by e.lexeme, e.operand);
end
$$;
comment on function pgvec.expansions(pgvec.search_request, float8, text, jsonb) is
  'Lexemes to search for besides those of a text, with their weights: for the synonyms of the collection, and as reading says for words that no row has (fuzzy) and the '
  'last word (prefix). total: the rows of the tenants of the request. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.expansions(pgvec.search_request, float8, text, jsonb) from public;
