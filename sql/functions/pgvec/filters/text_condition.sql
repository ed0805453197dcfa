-- pgvec.text_condition -- what rows have to meet for "quoted phrases" and -excluded words, as a tsquery; null for nothing.
-- A phrase may stand in any of the languages of a collection, an excluded word in none. What is all stop words says
-- nothing.
drop function if exists pgvec.text_condition(text[], text[], text[]);

create or replace function pgvec.text_condition(configurations text[], phrases text[], excluded text[], fold_accents boolean default false)
  returns tsquery
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  -- stop words alone are told as a notice
  set client_min_messages = warning
as $$
declare
  condition tsquery;
  part      tsquery;
  item      record;
begin
  for item in
    select p as words, false as negated from unnest(phrases) as p
     union all
    select x, true from unnest(excluded) as x
  loop
    part := null;
    select string_agg(format('(%s)', q.words), ' | ')::tsquery into part
      from unnest(configurations) as c
     cross join lateral phraseto_tsquery(c::regconfig, pgvec.plain_text(item.words, fold_accents)) as q (words)
     where numnode(q.words) > 0;
    continue when part is null;
    if item.words ~ '^\s*[0-9]+\s*$' then
      part := part || phraseto_tsquery('simple', '-' || btrim(item.words));  -- of x-1 the parser makes x and -1
    end if;
    part := case when item.negated then !!part else part end;
    condition := coalesce(condition && part, part);
  end loop;
  return condition;
end
$$;
comment on function pgvec.text_condition(text[], text[], text[], boolean) is
  'The tsquery for rows that contain every phrase and nothing that is excluded, read by each of some text search configurations. Null where these hold no words.';
revoke all on function pgvec.text_condition(text[], text[], text[], boolean) from public;
select pgvec.grant_execute('pgvec.text_condition(text[], text[], text[], boolean)', 'reader');
