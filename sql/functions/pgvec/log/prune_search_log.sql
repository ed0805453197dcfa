-- pgvec.prune_search_log -- removes expired rows from the log of searches.
-- For a scheduler (pg_cron, a systemd timer, pgvec-admin log prune): a call removes a limited number of rows, and the next one
-- continues. Rows that a concurrent call has locked are left to it.
create or replace function pgvec.prune_search_log(at_most int default 10000)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  removed bigint;
begin
  perform pgvec.check_count('at_most', at_most, 1, 1000000);
  delete from pgvec.search_log as l
   where l.ctid = any (array(
           select o.ctid
             from pgvec.collections as c
             join pgvec.search_log as o on o.collection = c.name and o.searched_at < now() - c.log_keep
            limit at_most
              for update of o skip locked));
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function pgvec.prune_search_log(int) is
  'Removes at most at_most rows of pgvec.search_log that are older than their collection keeps them, and returns how many. Fewer than at_most: none are left.';
revoke all on function pgvec.prune_search_log(int) from public;
