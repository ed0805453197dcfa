-- pgvec.headline -- the part of a text that answers a query, with the query's words between <mark> and </mark>.
-- A short text stays whole: of one that is shorter than a fragment, ts_headline would return the bare word.
create or replace function pgvec.headline(configuration text, content text, query tsquery)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select ts_headline(
           configuration::regconfig, content, query,
           'StartSel=<mark>, StopSel=</mark>, '
           || case
                when length(content) <= 200 then 'HighlightAll=true'
                else 'MaxFragments=2, MaxWords=25, MinWords=10, FragmentDelimiter=" ... "'
              end)
$$;
comment on function pgvec.headline(text, text, tsquery) is
  'Up to two fragments of a text around the words of a query, each word between <mark> and </mark>; a short text whole, and the beginning of a text without these '
  'words. The text itself is not escaped.';
revoke all on function pgvec.headline(text, text, tsquery) from public;
select pgvec.grant_execute('pgvec.headline(text, text, tsquery)', 'reader');
