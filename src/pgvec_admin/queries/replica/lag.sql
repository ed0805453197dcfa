-- How far this replica is behind the end of the log of its primary, or of what it has received where that is unknown. It is
-- no seconds behind when it has replayed everything, however long ago the last transaction was.
select exists (select from pg_catalog.pg_stat_get_wal_receiver() as w where coalesce(w.status, 'streaming') = 'streaming' and w.pid is not null) as streaming,
       greatest(pg_wal_lsn_diff(l.last, pg_last_wal_replay_lsn()), 0)::bigint as lag_bytes,
       case when l.last <= pg_last_wal_replay_lsn() then 0 else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8 end as lag_seconds
  from (select coalesce(%(end)s::pg_lsn, pg_last_wal_receive_lsn())) as l (last)
