-- Whether the primary still has all that a replica has not got yet; no row where nothing is kept for it.
select coalesce(s.wal_status, '') <> 'lost'
  from pg_catalog.pg_replication_slots as s
 where s.slot_name = %(slot)s
