-- pgvec.verify_replication -- how far this server is behind its primary, or its replicas are behind it.
-- A standby that has replayed all that it received is not behind, however long ago the last change was. Lag of replicas is
-- told to members of pg_monitor only.
create or replace function pgvec.verify_replication()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  late constant interval := interval '1 minute';
  lag  interval;
  rest text;
begin
  if pg_is_in_recovery() then
    rest := pg_size_pretty(greatest(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0));
    lag := case when pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() then interval '0' else clock_timestamp() - pg_last_xact_replay_timestamp() end;
    return next pgvec.verdict(
      'server', 'replica',
      array_remove(array[
        case when not exists (select from pg_stat_wal_receiver as w where w.pid is not null) then
          format('a replica to which no primary streams; its last change was %s', coalesce(pgvec.told_age(pg_last_xact_replay_timestamp()), 'before it started')) end,
        case when lag > late then format('a replica, %s s and %s behind', round(extract(epoch from lag)), rest) end,
        case when pg_is_wal_replay_paused() then 'replay is paused' end], null),
      format('a replica, %s s and %s behind', coalesce(round(extract(epoch from lag))::text, 'some'), rest),
      'searches here miss what the primary has meanwhile; is the primary running, and is this server fast enough?', severity => 'warn');
    return;
  end if;

  return query
    select (pgvec.verdict(
             'server', 'replica',
             coalesce(array_agg(format('the slot %s holds back the log of a replica that is gone: %s', s.slot_name, pg_size_pretty(s.held)) order by s.slot_name)
                        filter (where not s.active and s.wal_status is distinct from 'reserved'), '{}')
               || array(select format('%s is %s s behind', r.application_name, round(extract(epoch from r.replay_lag)))
                          from pg_stat_replication as r where r.replay_lag > late order by r.application_name),
             coalesce((select string_agg(format('%s is %s behind', r.application_name, coalesce(pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)), 'some')), ', '
                                         order by r.application_name)
                         from pg_stat_replication as r where r.application_name <> ''), 'no replica follows'),
             'start the replica, or drop its slot: select pg_drop_replication_slot(...)', severity => 'warn')).*
      from (select p.*, pg_wal_lsn_diff(pg_current_wal_lsn(), p.restart_lsn) as held from pg_catalog.pg_replication_slots as p) as s;
end
$$;
comment on function pgvec.verify_replication() is
  'Checks the lag of a replica behind its primary, of the replicas of a primary, and slots that hold back log for a replica that is gone.';
revoke all on function pgvec.verify_replication() from public;
