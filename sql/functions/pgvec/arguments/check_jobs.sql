-- pgvec.check_jobs -- PV004 unless a worker sent an array of objects with texts as id and content_hash, and no keys unknown.
create or replace function pgvec.check_jobs(jobs jsonb, known text[])
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wrong text;
begin
  if jsonb_typeof(jobs) is distinct from 'array' then
    wrong := coalesce(jsonb_typeof(jobs), 'null') || ' is no array';
  else
    select format('entry %s of %s %s', e.place, jsonb_array_length(jobs), f.fault) into wrong
      from jsonb_array_elements(jobs) with ordinality as e (doc, place)
     cross join lateral (
            select case
                     when jsonb_typeof(e.doc) <> 'object' then 'is no object'
                     when e.doc - known <> '{}' then format('has an unknown key %s', (select pgvec.shown(k) from jsonb_object_keys(e.doc - known) as k order by k limit 1))
                     when jsonb_typeof(e.doc -> 'id') is distinct from 'string' then 'has no text as id'
                     when jsonb_typeof(e.doc -> 'content_hash') is distinct from 'string' then 'has no text as content_hash'
                     when 'embedding' = any (known) and (jsonb_typeof(e.doc -> 'embedding') in ('array', 'string')) is not true then 'has no numbers as embedding'
                     when e.doc -> 'embedding' @? 'strict $[*] ? (@.type() != "number")' and jsonb_typeof(e.doc -> 'embedding') = 'array' then 'has an embedding that is no array of numbers'
                     when jsonb_typeof(e.doc -> 'reason') not in ('string', 'null') then 'has a reason that is no text'
                   end as fault) as f
     where f.fault is not null
     order by e.place
     limit 1;
  end if;
  if wrong is not null then
    raise exception using
      errcode = 'PV004',
      message = wrong,
      hint    = format('an array of objects with the keys %s; id and content_hash as claim_embeddings gave them', array_to_string(known, ', '));
  end if;
end
$$;
comment on function pgvec.check_jobs(jsonb, text[]) is
  'Raises PV004 unless jobs is an array of objects with these keys: id and content_hash of text, embedding of numbers or text, and reason, which may be left out.';
revoke all on function pgvec.check_jobs(jsonb, text[]) from public;
select pgvec.grant_execute('pgvec.check_jobs(jsonb, text[])', 'reader');
