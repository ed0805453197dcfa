-- pgvec.verdict -- the row that a check returns, made of the problems that it found.
-- The first three are listed; a table without row level security needs no list of a thousand.
create or replace function pgvec.verdict(
    area text, check_name text, problems text[], fine text, hint text default null, fix text default null, severity text default 'fail')
  returns pgvec.verdict
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when cardinality(problems) > 0 then
             row (area, check_name, severity,
                  array_to_string(problems[:3], '; ') || case when cardinality(problems) > 3 then format('; and %s more', cardinality(problems) - 3) else '' end,
                  hint, nullif(fix, ''))::pgvec.verdict
           else row (area, check_name, 'ok', fine, null, null)::pgvec.verdict
         end
$$;
comment on function pgvec.verdict(text, text, text[], text, text, text, text) is
  'The verdict of a check: ok and what is fine where there are no problems; else severity (warn or fail), the problems, a hint, and the SQL that repairs them.';
revoke all on function pgvec.verdict(text, text, text[], text, text, text, text) from public;
