-- pgvec.settle_side -- records which model has embedded rows of an adopted table, and counts those as embedded whose new vector is the
-- one they had: no trigger sees that.
-- Definer, since nobody else may write the side table; only for those who may write the table.
drop function if exists pgvec.settle_side(text, text[], text[], text[]);

create or replace function pgvec.settle_side(collection text, stored text[], ids text[], hashes text[], made_by int)
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.collection(settle_side.collection);
  side   constant regclass := (pgvec.adopted(target.name)).side;
begin
  perform pgvec.queue_scope(target);
  if has_table_privilege(pgvec.caller(), target.base, 'update') is not true then
    return;
  end if;
  execute format(
    $update$
    update %1$s as s
       set embedded_hash = e.hash,
           embedded_by = $5
      from unnest($1::%2$s[], $2, $3) as e (side_id, hash, id)
     where s.id = e.side_id
       and s.content_hash = e.hash
       and (s.embedded_hash, s.embedded_by) is distinct from (e.hash, $5)
       and e.id = any ($4)
    $update$, side, pgvec.side_type(side))
    using ids, hashes, ids, stored, made_by;
end
$$;
comment on function pgvec.settle_side(text, text[], text[], text[], int) is
  'Sets embedded_hash and embedded_by in the side table of an adopted table, of the rows with these ids and content hashes that are among stored. Raises PV001, PV006.';
revoke all on function pgvec.settle_side(text, text[], text[], text[], int) from public;
select pgvec.grant_execute('pgvec.settle_side(text, text[], text[], text[], int)', 'writer');
