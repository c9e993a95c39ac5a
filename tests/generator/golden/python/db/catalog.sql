-- What is in the schema that is searched: an object, a fact of it, and its value. `drift` asks this of the
-- tables that are there and of those that the migrations make. What db/roles.sql arranges, comments,
-- extensions and the triggers of a platform on the same tables are left out.
with own as (
    select relname as name from pg_class where relnamespace = quote_ident(current_schema())::regnamespace
    except
    select c.relname from pg_class c join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid
    where c.relnamespace = quote_ident(current_schema())::regnamespace and d.deptype = 'e'
),
object as (
SELECT 'table ' || c.relname AS name,
       jsonb_build_object(
           'kind', c.relkind, 'persistence', c.relpersistence, 'row_security', c.relrowsecurity,
           'forced', c.relforcerowsecurity, 'comment', obj_description(c.oid, 'pg_class'),
           'grants', (SELECT jsonb_agg(acl::text ORDER BY acl::text) FROM unnest(c.relacl) AS acl)
       ) AS facts
FROM pg_class c WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
union all
SELECT 'column ' || c.relname || '.' || a.attname AS name,
       jsonb_build_object(
           'type', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
           'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity, 'generated', a.attgenerated,
           'collation', CASE WHEN a.attcollation <> t.typcollation
                             THEN a.attcollation::regcollation::text END,
           'comment', col_description(c.oid, a.attnum)
       ) AS facts
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
union all
SELECT 'constraint ' || c.relname || '.' || k.conname AS name,
       jsonb_build_object(
           'definition', pg_get_constraintdef(k.oid, true), 'validated', k.convalidated,
           'deferrable', k.condeferrable
       ) AS facts
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = quote_ident(current_schema())::regnamespace AND k.contype <> 'n'
union all
SELECT 'index ' || i.relname AS name,
       jsonb_build_object(
           'definition', pg_get_indexdef(x.indexrelid, 0, true), 'valid', x.indisvalid,
           'unique', x.indisunique, 'primary', x.indisprimary, 'table', c.relname
       ) AS facts
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
union all
SELECT 'policy ' || c.relname || '.' || p.polname AS name,
       jsonb_build_object(
           'command', p.polcmd, 'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid),
           'with_check', pg_get_expr(p.polwithcheck, p.polrelid),
           'roles', (SELECT jsonb_agg(r.oid::regrole::text ORDER BY r.oid::regrole::text)
                     FROM unnest(p.polroles) AS r(oid))
       ) AS facts
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
union all
SELECT 'trigger ' || c.relname || '.' || t.tgname AS name,
       jsonb_build_object('definition', pg_get_triggerdef(t.oid, true), 'enabled', t.tgenabled) AS facts
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND NOT t.tgisinternal
union all
SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
       jsonb_build_object(
           'source', p.prosrc, 'returns', pg_get_function_result(p.oid), 'language', l.lanname,
           'security_definer', p.prosecdef, 'volatility', p.provolatile, 'settings', to_jsonb(p.proconfig),
           'grants', (SELECT jsonb_agg(acl::text ORDER BY acl::text) FROM unnest(p.proacl) AS acl)
       ) AS facts
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = quote_ident(current_schema())::regnamespace AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
)
union all
SELECT 'identity ' || c.relname || '.' || a.attname AS name,
       jsonb_build_object(
           'start', s.seqstart, 'step', s.seqincrement, 'most', s.seqmax, 'least', s.seqmin,
           'cycles', s.seqcycle
       ) AS facts
FROM pg_sequence s
JOIN pg_depend d ON d.objid = s.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('i', 'a')
JOIN pg_class c ON c.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
union all
SELECT 'grant ' || c.relname || '.' || coalesce(r.rolname, 'public') AS name,
       jsonb_build_object('privileges', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)) AS facts
FROM pg_class c
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.grantee <> c.relowner
  AND NOT (r.rolname IN ('app_api', 'app_admin')
           AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))
GROUP BY c.relname, r.rolname
),
named as (
    select case when name like 'index %' then 'index ' || (facts ->> 'table') || '.' || substr(name, 7)
                else name end as name,
           facts - 'grants' - 'comment' as facts
    from object
    where name not like 'trigger %' or facts ->> 'definition' not like '% EXECUTE FUNCTION freehold.%'
)
select named.name, fact.key as fact,
       case fact.key when 'source' then md5(fact.value) else fact.value end as value
from named cross join lateral jsonb_each_text(jsonb_strip_nulls(named.facts)) as fact
where split_part(named.name, ' ', 1) = 'function'
   or split_part(substr(named.name, strpos(named.name, ' ') + 1), '.', 1) in (
       select name from own where name <> 'schema_migrations'
   )
order by named.name collate "C", fact.key collate "C"
