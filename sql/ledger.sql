-- The ledger: what pgvec-admin keeps about its own work. Laid before the first migration, which it records.
-- yoyo's bookkeeping tables come to lie beside these two.

do $$
begin
  if to_regnamespace('pgvec') is null then
    create schema pgvec;
    revoke all on schema pgvec from public;
  end if;
end
$$;

create table if not exists pgvec.migration_files (
  id         text primary key,
  sha256     text not null,
  applied_at timestamptz not null default now()
);

comment on table  pgvec.migration_files            is 'The text of every migration that was applied, by its hash: a released migration never changes.';
comment on column pgvec.migration_files.id         is 'Name of the file without .sql, as in yoyo''s own table.';
comment on column pgvec.migration_files.sha256     is 'SHA-256 of the file, line ends as LF.';
comment on column pgvec.migration_files.applied_at is 'When it was applied.';

revoke all on table pgvec.migration_files from public;

create table if not exists pgvec.function_history (
  name            text not null,
  version         int not null check (version > 0),
  origin          text not null check (origin in ('file', 'drift', 'replaced', 'rollback')),
  definition      text not null,
  file_sha256     text,
  held_sha256     text,
  fingerprint     text not null,
  package_version text not null,
  applied_at      timestamptz not null default clock_timestamp(),
  applied_by      text not null default session_user,
  primary key (name, version)
);

comment on table  pgvec.function_history                 is 'Every definition that a function has had; the highest version is the one installed.';
comment on column pgvec.function_history.name            is 'schema.name of the function.';
comment on column pgvec.function_history.version         is 'Counted from 1, a function.';
comment on column pgvec.function_history.origin          is 'file: from a release. rollback: brought back. drift, replaced: found here, kept before it was overwritten.';
comment on column pgvec.function_history.definition      is 'SQL that makes it.';
comment on column pgvec.function_history.file_sha256     is 'SHA-256 of the file it came from, line ends as LF.';
comment on column pgvec.function_history.held_sha256     is 'After a rollback: the file that shall not be applied again. Another one is.';
comment on column pgvec.function_history.fingerprint     is 'md5 of what the catalog says of the function; a live one that differs has drifted.';
comment on column pgvec.function_history.package_version is 'Release of pgvec-admin that did it.';
comment on column pgvec.function_history.applied_at      is 'When it was applied, or found.';
comment on column pgvec.function_history.applied_by      is 'Role that did it.';

revoke all on table pgvec.function_history from public;
