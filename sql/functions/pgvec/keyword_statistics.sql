-- pgvec.keyword_statistics -- how far the statistics of BM25 are behind the rows, and whether it is time to refresh them.
-- Definer, since the statistics are nobody's to read; of the words themselves it tells nothing.
create or replace function pgvec.keyword_statistics(collection text)
  returns table (documents bigint, uncounted bigint, average_length float8, weights_made_for float8, refreshed_at timestamptz, due boolean)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tolerance constant float8 := 0.1;  -- of all rows, and of the average length
  target pgvec.collections := pgvec.collection(keyword_statistics.collection);
begin
  return query
    select t.documents, t.uncounted, t.average_length, p.average_length, p.renewed_at,
           coalesce(t.uncounted > tolerance * (t.documents + t.uncounted)
                    or abs(t.average_length / p.average_length - 1) > tolerance
                    or (p.k1, p.b) <> (select s.k1, s.b from pgvec.bm25_settings(target) as s), false)
      from (select coalesce(sum(x.documents), 0)::bigint as documents,
                   coalesce(sum(x.uncounted), 0)::bigint as uncounted,
                   sum(x.positions)::float8 / nullif(sum(x.documents), 0) as average_length
              from pgvec.text_totals as x
             where x.collection = target.name) as t
      left join pgvec.bm25_parameters as p on p.collection = target.name;
end
$$;
comment on function pgvec.keyword_statistics(text) is
  'Rows whose words are counted, rows changed since (uncounted), the average length in words now and when the BM25 weights were made, when that was, '
  'and whether pgvec.refresh_statistics is due: where a tenth of the rows is uncounted, the average has moved by a tenth, or the settings k1 or b have changed. Raises PV001.';
revoke all on function pgvec.keyword_statistics(text) from public;
select pgvec.grant_execute('pgvec.keyword_statistics(text)', 'writer');
