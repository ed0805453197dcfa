-- pgvec.bm25_vector -- the BM25 weight of each lexeme of a text: the document's side of the score.
-- A lexeme's dimension is 28 bits of its md5, so that no dictionary is needed. Of the 268,435,456 dimensions, two lexemes of
-- one text share one in about one text of ten thousand; their weights are then added. The idf changes with every row, so it is
-- on the query's side and these weights stay as they are. tsvector itself counts at most 255 positions of a lexeme.
-- Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), without the constant factor k1 + 1, as
-- in Lucene.
-- Every written row passes through here: the lexemes are listed once, those that occur equally often together, each with a mark that is
-- replaced by the weight once the length of the text is known. That takes three quarters of the time of the plain way.
drop function if exists pgvec.bm25_vector(tsvector, float8, float8, float8);

create or replace function pgvec.bm25_vector(fts tsvector, average_length float8, k1 float8, b float8, weights float8[] default null)
  returns extensions.sparsevec
  language plpgsql immutable parallel restricted
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  of_a_part    constant float8 := 0.5;  -- times that a part of a word counts as (pgvec.word_parts), which has no position
  most_lexemes constant int := 16000;  -- pgvector's limit; a longer text keeps those that weigh most
  occurrences     int[];
  lists           text[];  -- of dimensions
  document_length float8;
  norm            float8;
begin
  select array_agg(g.times), array_agg(g.list), sum(g.times * g.lexemes) into occurrences, lists, document_length
    from (select w.times, count(*) as lexemes, string_agg(w.dimension::text, ':t,') || ':t' as list
            from (select ('0x' || left(md5(l.lexeme), 7))::int + 1 as dimension, cardinality(l.positions) as times
                    from unnest(fts) as l
                  offset 0) as w
           group by w.times) as g;
  norm := k1 * (1 - b + b * coalesce(document_length / nullif(average_length, 0), 1));

  if length(fts) <= most_lexemes and bm25_vector.weights is null then
    for i in 1 .. coalesce(cardinality(lists), 0) loop
      lists[i] := replace(lists[i], 't', (1 / (1 + norm / coalesce(occurrences[i], of_a_part)))::float4::text);
    end loop;
    begin
      return concat('{', array_to_string(lists, ','), '}/268435456')::extensions.sparsevec;
    exception when data_exception then
      null;  -- two lexemes share a dimension
    end;
  end if;

  return (
    select format('{%s}/268435456', string_agg(w.dimension || ':' || w.weight, ','))::extensions.sparsevec
      from (select ('0x' || left(md5(l.lexeme), 7))::int + 1 as dimension,
                   sum(f.times / (f.times + norm))::float4 as weight
              from unnest(fts) as l
             cross join lateral (
                   select case when bm25_vector.weights is null then coalesce(cardinality(l.positions), of_a_part)
                               else coalesce((select sum(bm25_vector.weights[ascii(w) - 64]) from unnest(l.weights) as w), of_a_part) end as times) as f
             group by dimension
             order by weight desc
             limit most_lexemes) as w);
end
$$;
comment on function pgvec.bm25_vector(tsvector, float8, float8, float8, float8[]) is
  'tf / (tf + k1 (1 - b + b length / average_length)) for each lexeme, at the dimension of its md5; length and tf count the positions in the tsvector. A null '
  'average_length counts as the length of the text itself. weights: what an occurrence with label A, B, C or D counts (pgvec.label_weights).';
revoke all on function pgvec.bm25_vector(tsvector, float8, float8, float8, float8[]) from public;
select pgvec.grant_execute('pgvec.bm25_vector(tsvector, float8, float8, float8, float8[])', 'reader');
