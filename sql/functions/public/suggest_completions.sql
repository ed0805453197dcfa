-- suggest_completions -- as somebody types: the text, with its last word completed to those that most rows have.
-- Lexemes are stems, so the word shown is the commonest of some rows that the caller may read; one without any is left out. Several
-- may have the same: of a text in a script without spaces, every character and pair of them is one.
create or replace function public.suggest_completions(
    prefix text, match_count int default 5, collection text default 'documents', for_tenant uuid default null)
  returns table (completion text, documents bigint)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most    constant int := least(pgvec.clamp_count(match_count, 5), 50);
  request constant pgvec.search_request := pgvec.scoped(coalesce(suggest_completions.collection, 'documents'), for_tenant);
  last    constant text := substring(right(prefix, 40) from '[[:alnum:]]+$');
  shown   text[] := '{}'::text[];
  item    record;
  word    text;
begin
  if last is null or length(prefix) > 1000 then
    return;
  end if;
  for item in
    select b.lexeme, b.documents from pgvec.begun_lexemes((request.collection).name, last, 2 * most, for_tenant) as b
  loop
    word := pgvec.shown_word(request, item.lexeme, lower(last));
    continue when word is null or word = any (shown);
    completion := left(prefix, - length(last)) || word;
    documents := item.documents;
    return next;
    shown := shown || word;
    exit when cardinality(shown) = most;
  end loop;
end
$$;
comment on function public.suggest_completions(text, int, text, uuid) is
  'Up to match_count (1 to 50) texts that begin with prefix, whose last word is completed to one that rows have, and how many rows have that word in any form; the most '
  'frequent first. None where prefix has more than 1,000 characters or does not end with a letter or a digit, and where not everybody sees all rows (access policy). '
  'Errors: PV001 unknown collection, PV006 tenant.';
revoke all on function public.suggest_completions(text, int, text, uuid) from public;
select pgvec.grant_execute('public.suggest_completions(text, int, text, uuid)', 'reader');
