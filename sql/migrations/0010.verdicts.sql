-- depends: 0009.search_log
-- What a check says: the rows of pgvec.verify.

do $$
begin
  if to_regtype('pgvec.verdict') is null then
    create type pgvec.verdict as (
      area       text,
      check_name text,
      result     text,
      found      text,
      hint       text,
      fix        text
    );
  end if;
end
$$;

comment on type pgvec.verdict is
  'What a check says: what it looked at (a collection, or a part of the installation), its name, ok, warn or fail, what it found, '
  'what to do about it, and the SQL that repairs it where that is safe (null otherwise; statements end with semicolons, and some cannot run within a transaction).';

revoke all on type pgvec.verdict from public;
