-- Settings that a replica may not have lower than its primary.
select s.name, s.setting
  from pg_catalog.pg_settings as s
 where s.name in ('max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction')
