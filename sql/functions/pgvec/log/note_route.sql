-- pgvec.note_route -- leaves a search's route to the log: in the setting that says that this search is within a logged one.
create or replace function pgvec.note_route(steps pgvec.search_step[], step pgvec.search_step)
  returns void
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config(
    'pgvec.search_log',
    case when steps[1].kind <> coalesce(step.kind, '') then pgvec.route_name(steps[1].kind) || ', then ' else '' end || pgvec.route_name(step.kind),
    true);
end
$$;
comment on function pgvec.note_route(pgvec.search_step[], pgvec.search_step) is
  'Sets pgvec.search_log to the route of a search: of its first step, and of the one that found enough. steps: null where there was but one.';
revoke all on function pgvec.note_route(pgvec.search_step[], pgvec.search_step) from public;
select pgvec.grant_execute('pgvec.note_route(pgvec.search_step[], pgvec.search_step)', 'reader');
