-- pgvec.unknown_words -- the words of a text that no row has, of those that may be typing errors.
-- What has a digit in it, or a capital letter behind its first, is a number, a code or a name that somebody means as it stands;
-- of words of three letters, every other one is a word with one letter changed.
create or replace function pgvec.unknown_words(request pgvec.search_request, query_text text)
  returns setof text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  rows 2
as $$
begin
  return query
    select lower(t.token)
      from (select distinct p.token
              from ts_parse('default', left(query_text, 1000)) as p
             where p.tokid in (1, 2, 10, 11)  -- words, and the parts of words with hyphens
               and p.token ~ '^[[:alpha:]]{4,30}$'
               and p.token !~ '.[[:upper:]]'
               and p.token !~ pgvec.unspaced_letters()) as t
     where not exists (
           select
             from unnest(pgvec.languages(request)) as c (configuration)
            cross join lateral pgvec.typed_lexemes(request.collection, c.configuration, t.token) as w (words)
             left join lateral unnest(w.words) as l on true
            where l.lexeme is null  -- a stop word
               or (select sum(x.documents)
                     from pgvec.lexemes as x
                    where x.collection = (request.collection).name
                      and x.tenant = any (coalesce(request.tenants, array[pgvec.no_tenant()]))
                      and x.lexeme = l.lexeme) > 0)
     order by 1
     limit 8;
end
$$;
comment on function pgvec.unknown_words(pgvec.search_request, text) is
  'Up to eight words of a text, in lower case, that no row of the tenants of a request has: words of 4 to 30 letters without digits, and without capitals but the '
  'first. Only for the owner, since nobody else may read the statistics.';
revoke all on function pgvec.unknown_words(pgvec.search_request, text) from public;
