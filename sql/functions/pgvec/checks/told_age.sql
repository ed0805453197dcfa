-- pgvec.told_age -- the age of a moment, for people: 3 hours ago.
create or replace function pgvec.told_age(moment timestamptz)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when s.seconds < 120 then 'just now'
           when s.seconds < 7200 then round(s.seconds / 60) || ' minutes ago'
           when s.seconds < 172800 then round(s.seconds / 3600) || ' hours ago'
           else round(s.seconds / 86400) || ' days ago'
         end
    from (select extract(epoch from clock_timestamp() - moment) as seconds) as s
   where moment is not null
$$;
comment on function pgvec.told_age(timestamptz) is 'How long ago a moment was, in words; null for null.';
revoke all on function pgvec.told_age(timestamptz) from public;
