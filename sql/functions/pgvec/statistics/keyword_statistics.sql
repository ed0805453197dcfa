-- pgvec.keyword_statistics -- how far the BM25 statistics lag behind the rows, and whether it is time to refresh them.
-- Definer, since nobody else may read the statistics. It returns nothing about single words, and figures of the caller's
-- tenants only, unless the caller sees all rows anyway.
create or replace function pgvec.keyword_statistics(collection text)
  returns table (documents bigint, uncounted bigint, average_length float8, weights_made_for float8, refreshed_at timestamptz, due boolean)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  tolerance constant float8 := 0.1;  -- of all rows, and of the average length
  target pgvec.collections := pgvec.collection(keyword_statistics.collection);
  told   uuid[] := case when target.access = 'tenant' and not pgvec.sees_all(target) then array(select t from pgvec.allowed_tenants() as t) end;
begin
  return query
    select coalesce(sum(t.documents), 0)::bigint,
           coalesce(sum(t.uncounted), 0)::bigint,
           sum(t.positions)::float8 / nullif(sum(t.documents), 0)::float8,
           sum(p.average_length * t.documents) / nullif(sum(t.documents), 0)::float8,
           min(p.renewed_at),
           coalesce(sum(t.uncounted) > tolerance * sum(t.documents + t.uncounted)
                    or bool_or(coalesce(p.average_length, 0) = 0 and t.positions > 0)
                    or bool_or(abs(t.positions::float8 / nullif(t.documents, 0) / nullif(p.average_length, 0) - 1) > tolerance)
                    or bool_or((p.k1, p.b) <> (s.k1, s.b)), false)
      from (select x.tenant, sum(x.documents)::bigint as documents, sum(x.positions)::bigint as positions, sum(x.uncounted)::bigint as uncounted
              from pgvec.text_totals as x
             where x.collection = target.name
               and (told is null or x.tenant = any (told))
             group by x.tenant) as t
      left join pgvec.bm25_parameters as p on p.collection = target.name and p.tenant = t.tenant
     cross join pgvec.bm25_settings(target) as s;
end
$$;
comment on function pgvec.keyword_statistics(text) is
  'Rows whose words are counted, rows changed since (uncounted), the average length in words now and when the BM25 weights were made, when that was, and whether '
  'pgvec.refresh_statistics is due: a tenth of the rows is uncounted, the average length (of any tenant) has moved by a tenth or is not known yet, or the settings '
  'k1 or b have changed. Where rows belong to tenants: of the caller''s tenants, or of all if the caller sees all rows. Raises PV001.';
revoke all on function pgvec.keyword_statistics(text) from public;
select pgvec.grant_execute('pgvec.keyword_statistics(text)', 'writer');
