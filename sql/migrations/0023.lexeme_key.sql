-- depends: 0022.tenant_share
-- The key of the counts of words was an index of all that lexemes_pattern_idx has, and every new word of a row was written into both.

do $$
begin
  if exists (select from pg_catalog.pg_index as i where i.indrelid = 'pgvec.lexemes'::regclass and i.indisprimary and i.indnkeyatts > 1) then
    alter table pgvec.lexemes drop constraint lexemes_pkey, add primary key (part);
  end if;
end
$$;
