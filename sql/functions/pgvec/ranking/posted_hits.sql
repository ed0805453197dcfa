-- pgvec.posted_hits -- the ids of the rows that score highest by BM25 for a keyword query, among those that postings name.
-- A row that has none of the words any more scores nothing; its lexemes, which may lie out of line, are not looked at.
-- Lexemes without postings are in few rows, and all of these are read. Where a condition leaves few of the rows named, its own index makes
-- the way of pgvec.keyword_hits short.
create or replace function pgvec.posted_hits(request pgvec.search_request)
  returns pgvec.scored[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
as $$
declare
  spare    constant int := 8;  -- rows named that have to meet the condition, over rows wanted
  most     constant int := 8;  -- words that rows are scored for; of more lexemes, most are added to a text and stand for one or two of its words
  query    constant pgvec.keyword_query := request.query;
  depth    constant int := greatest(case when cardinality(query.lexemes) <= most then 200 + 150 * cardinality(query.lexemes) else 800 end, 4 * request.wanted)
                           * case request.condition when '' then 1 else 4 end;
  wanted   int := case request.condition when '' then request.wanted end;
  posted   record;
  searched text := coalesce((request.collection).source, (request.collection).relation::text);
  hits     pgvec.scored[];
  met      bigint;
begin
  loop
    posted := pgvec.posted_rows((request.collection).name, request.tenants[1], query.lexemes, query.weights, depth, wanted);
    if posted.ids is null then
      return null;
    end if;
    if request.tenants is not null then
      searched := (pgvec.tenant_rows(request, concat_ws(' and ', 'd.fts @@ $1', nullif(request.condition, '')), posted.rest)).scanned;
    end if;
    execute format(
      $query$
      with found as materialized (
             select h.id, h.score
               from (select d.id, %1$s as score from unnest($3) as i (id) join %2$s as d on d.id = i.id where true %4$s offset 0) as h
              where h.score > 0
              union
             select d.id, %1$s from %3$s as d where d.fts @@ $6 %4$s)
      select array_agg((h.id, h.score)::pgvec.scored order by h.score desc, h.id), (select count(*) from found)
        from (select f.id, f.score from found as f order by f.score desc, f.id limit $7) as h
      $query$,
      pgvec.keyword_score(request.ranking), pgvec.rows_of(request, by_key => 'i.id'), searched, 'and ' || nullif(request.condition, ''))
      into hits, met
      using null::text, request.bound, posted.ids, query.weights, query.words, posted.rest, request.wanted;
    exit when posted.bound is null or (hits[request.wanted]).score >= posted.bound;
    wanted := null;  -- the best were changed: what is not among them any more has left others out
  end loop;
  return case when met >= request.wanted and met >= least(spare * request.wanted, cardinality(posted.ids) / 4) then hits end;
end
$$;
comment on function pgvec.posted_hits(pgvec.search_request) is
  'The wanted rows that score highest by BM25 for the query of a request and meet its condition, best first, ties by id, as far as pgvec.posted_rows names them; null where it '
  'names none, and where too few meet the condition to tell.';
revoke all on function pgvec.posted_hits(pgvec.search_request) from public;
select pgvec.grant_execute('pgvec.posted_hits(pgvec.search_request)', 'reader');
