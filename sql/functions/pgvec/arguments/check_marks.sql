-- pgvec.check_marks -- refuses marks of headlines that are no marks, since each word of each row gets a pair of them.
create or replace function pgvec.check_marks(mark_start text, mark_stop text)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most constant int := 100;  -- characters
begin
  if greatest(length(mark_start), length(mark_stop)) > most then
    raise exception using
      errcode = 'PV004',
      message = format('%s is longer than %s characters', case when length(mark_start) > most then 'mark_start' else 'mark_stop' end, most),
      hint    = 'marks stand around each word of a headline: <mark> and </mark>, for example, or <b class="hit"> and </b>';
  end if;
end
$$;
comment on function pgvec.check_marks(text, text) is 'Raises PV004 where a mark for headlines has more than 100 characters.';
revoke all on function pgvec.check_marks(text, text) from public;
select pgvec.grant_execute('pgvec.check_marks(text, text)', 'reader');
