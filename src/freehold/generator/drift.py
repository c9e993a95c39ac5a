"""`db/catalog.sql`: what the tables of a service are, as a query that its runner asks twice and compares."""

from __future__ import annotations

from freehold.db.ddl import catalog

_HEAD = """\
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
"""

_GRANTS = """
SELECT 'grant ' || c.relname || '.' || coalesce(r.rolname, 'public') AS name,
       jsonb_build_object('privileges', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)) AS facts
FROM pg_class c
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.grantee <> c.relowner
  AND NOT (r.rolname IN ('app_api', 'app_admin')
           AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))
GROUP BY c.relname, r.rolname
"""

_FOOT = """
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
"""


def catalog_sql() -> str:
    """The query, from the ones that the planner is tested with."""
    queries = "\nunion all\n".join(each.strip("\n") for each in (*catalog.QUERIES, _GRANTS))
    asked = queries.replace("$1::regnamespace", "quote_ident(current_schema())::regnamespace")
    return f"{_HEAD}{asked}{_FOOT}"
