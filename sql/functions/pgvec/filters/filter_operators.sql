-- pgvec.filter_operators -- the operators of a filter, by name: the one place that knows them.
-- A function without arguments that is immutable is a constant of the plans that use it: to look an operator up is no call.
--
-- kinds: what an operand may be
--   takes        in words, for errors and docs/search.md
--   fits         a regular expression for its JSON (a string is in quotes there, and a backslash in it is two)
--   hint         of the error for another; %s is the operator in quotes
-- operators, in the order in which they are listed
--   kind         of the operand
--   meaning      in docs/search.md: the value is ...
--   negated      never; always: it holds where the rest of its line does not, so without the key too; or false: with this operand
--   over_json    a jsonpath predicate. %1$s is the path to the value, %2$s the operand, %3$s the second one of a range.
--                Of a pattern, which jsonpath does not have: an SQL condition (pgvec.pattern_condition), %1$s is jsonb
--   each, joined of a list: %2$s of over_json is a predicate for each of its values, joined by that; else both are empty
--   reads        what is compared with a column: equal (its type), ordered (its type, or a number that is too large for it),
--                text (no other columns match) or nothing; jsonb: the column becomes jsonb, and over_json holds for it
--   over_column  an SQL condition. %1$s is the column, %2$s and %3$s the operand, of a list all its values, %4$s the type
-- A line that is not whole is no operator, and a filter with it raises.
create or replace function pgvec.filter_operators()
  returns jsonb
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with kinds (kind, takes, fits, hint) as (values
    ('value', 'a string, number, boolean or null', '^[^[{]',
     'an object or a list is matched by containment: {"author": {"name": "Ann"}, "tags": ["sql"]}'),
    ('element', 'a string, number, boolean or null', '^[^[{]',
     'for example {"key": {%s: "a"}}'),
    ('ordered', 'a number or a string', '^["0-9-]',
     'for example {"key": {%s: 2020}}'),
    ('range', 'a list of two numbers or two strings, the lower first',
     '^\[(-?[0-9][^,]*, -?[0-9][^,]*|"([^"\\]|\\.)*", "([^"\\]|\\.)*")\]$',
     'for example {"key": {%s: [2000, 2020]}}'),
    ('list', 'a list of strings, numbers, booleans or nulls', '^\[([^][{}"]|"([^"\\]|\\.)*")*\]$',
     'for example {"key": {%s: ["a", "b"]}}'),
    ('flag', 'true or false', '^[tf]',
     'for example {"key": {%s: true}}'),
    ('pattern', 'a pattern with % and _', '^"([^\\]|\\[^\\]|\\\\([^\\]|\\.))*"$',
     'a backslash makes the next character plain, so it cannot be the last')),
  operators (name, kind, meaning, negated, over_json, each, joined, reads, over_column) as (values
    ('$eq', 'value', 'equal, or a list with this in it', 'never',
     '%1$s == %2$s || exists(%1$s[*] ? (@ == %2$s))', '', '', 'equal', '%1$s = %2$s'),
    ('$ne', 'value', 'neither equal nor a list with this in it, or not there', 'always',
     '%1$s == %2$s || exists(%1$s[*] ? (@ == %2$s))', '', '', 'equal', '%1$s = %2$s'),
    ('$gt', 'ordered', 'greater', 'never',
     '%1$s > %2$s', '', '', 'ordered', '%1$s > %2$s'),
    ('$gte', 'ordered', 'greater or equal', 'never',
     '%1$s >= %2$s', '', '', 'ordered', '%1$s >= %2$s'),
    ('$lt', 'ordered', 'less', 'never',
     '%1$s < %2$s', '', '', 'ordered', '%1$s < %2$s'),
    ('$lte', 'ordered', 'less or equal', 'never',
     '%1$s <= %2$s', '', '', 'ordered', '%1$s <= %2$s'),
    ('$in', 'list', 'one of these, or a list with one of them in it', 'never',
     'exists(%1$s ? (%2$s)) || exists(%1$s[*] ? (%2$s))', '@ == %2$s', ' || ', 'equal', '%1$s = any (array[%2$s]::%4$s[])'),
    ('$nin', 'list', 'none of these and no list with one of them in it, or not there', 'always',
     'exists(%1$s ? (%2$s)) || exists(%1$s[*] ? (%2$s))', '@ == %2$s', ' || ', 'equal', '%1$s = any (array[%2$s]::%4$s[])'),
    ('$between', 'range', 'one of the two, or between them', 'never',
     '%1$s >= %2$s && %1$s <= %3$s', '', '', 'ordered', '%1$s >= %2$s and %1$s <= %3$s'),
    ('$exists', 'flag', 'there, or with `false` not there', 'false',
     'exists(%1$s)', '', '', 'nothing', '%1$s is not null'),
    ('$like', 'pattern', 'a string of this pattern', 'never',
     'jsonb_typeof(%1$s) = ''string'' and (%1$s #>> ''{}'') like %2$s', '', '', 'text', '%1$s::text like %2$s'),
    ('$ilike', 'pattern', 'a string of this pattern in upper or lower case', 'never',
     'jsonb_typeof(%1$s) = ''string'' and (%1$s #>> ''{}'') ilike %2$s', '', '', 'text', '%1$s::text ilike %2$s'),
    ('$contains', 'element', 'a list with this in it', 'never',
     '%1$s.type() == "array" && exists(%1$s[*] ? (@ == %2$s))', '', '', 'jsonb', ''),
    ('$containsAny', 'list', 'a list with any of these in it', 'never',
     'exists(%1$s[*] ? (%2$s))', '@ == %2$s', ' || ', 'jsonb', ''),
    ('$containsAll', 'list', 'a list with all of these in it', 'never',
     '%1$s.type() == "array" && %2$s', 'exists(%1$s[*] ? (@ == %2$s))', ' && ', 'jsonb', ''))
  select jsonb_object_agg(o.name, to_jsonb(o) || to_jsonb(k))
    from (select row_number() over () as place, o.* from operators as o) as o
    join kinds as k on k.kind = o.kind
   where o is not null
     and k is not null
     and o.negated in ('never', 'always', 'false')
     and (o.each = '') = (o.joined = '')
     and (o.joined <> '' or k.kind <> 'list')
     and (o.reads = 'jsonb') = (o.over_column = '')
$$;
comment on function pgvec.filter_operators() is
  'The operators of a filter by name, but for $and, $or, $not and $text: place in the list, kind of operand, how it is checked, told and compiled. '
  'select key, value ->> ''takes'', value ->> ''meaning'' from jsonb_each(pgvec.filter_operators()) lists them.';
revoke all on function pgvec.filter_operators() from public;
select pgvec.grant_execute('pgvec.filter_operators()', 'reader');
