-- Ends the connection of the replica, if it still has one, which would keep its slot from being dropped.
select pg_catalog.pg_drop_replication_slot(s.slot_name)
  from pg_catalog.pg_replication_slots as s
 where s.slot_name = %(slot)s
   and (s.active_pid is null or pg_catalog.pg_terminate_backend(s.active_pid, 5000))
