-- pgvec.headline -- the part of a text that answers a query, as HTML with the query's words between two marks.
-- Whoever wrote the row wrote the text: it is escaped, so the marks are the only markup. ts_headline sets marks of two control
-- characters, which are taken out of the text before, and which become the caller's marks after the rest is escaped.
-- A short text stays whole: of one that is shorter than a fragment, ts_headline would return the bare word.
drop function if exists pgvec.headline(text, text, tsquery);

create or replace function pgvec.headline(
    configuration text, content text, query tsquery, mark_start text default '<mark>', mark_stop text default '</mark>')
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select replace(replace(
           pgvec.escape_html(
             case
               when r.runs <> '{}' then pgvec.mark_runs(configuration, c.content, query, r.runs)
               else ts_headline(
                 configuration::regconfig, c.content, query,
                 e'StartSel=\x01, StopSel=\x02, '
                 || case
                      when length(c.content) <= 200 then 'HighlightAll=true'
                      else 'MaxFragments=2, MaxWords=25, MinWords=10, FragmentDelimiter=" ... "'
                    end)
             end),
           e'\x01', coalesce(mark_start, '<mark>')), e'\x02', coalesce(mark_stop, '</mark>'))
    from translate(headline.content, e'\x01\x02', '') as c (content),
         cast(array(select m[1] from regexp_matches(query::text, format('''(%s+)''', pgvec.unspaced_letters()), 'g') as m) as text[]) as r (runs)
$$;
comment on function pgvec.headline(text, text, tsquery, text, text) is
  'Up to two fragments of a text around the words of a query, each word between mark_start and mark_stop; a short text whole, and the beginning of a text without '
  'these words. It is HTML: the text is escaped, the marks are not.';
revoke all on function pgvec.headline(text, text, tsquery, text, text) from public;
select pgvec.grant_execute('pgvec.headline(text, text, tsquery, text, text)', 'reader');
