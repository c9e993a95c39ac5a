-- Indexes of tables that are made over the API hold who may read each row, so that lists are counted from them alone.
-- See docs/decisions/0023-reads-in-indexes.md.

do $each$
declare
    place record;
    index record;
begin
    for place in
        select format('%I.%I', d.namespace, t.entity ->> 'table') as "table", t.entity ->> 'table' as name
        from freehold.tables t
        join freehold.databases d on (d.project_id, d.id) = (t.project_id, t.database_id)
        where t.entity #>> '{layout,permissions}' = '_permissions'
        order by 1
    loop
        execute format(
            $add$
                alter table %s add column _reads text[] generated always as (
                    case when array_lower(_permissions, 1) <> 1 or array_upper(_permissions, 1) > 6 then null
                    else array_remove(array[
                        case when _permissions[1] like 'read(%%' then _permissions[1] end,
                        case when _permissions[2] like 'read(%%' then _permissions[2] end,
                        case when _permissions[3] like 'read(%%' then _permissions[3] end,
                        case when _permissions[4] like 'read(%%' then _permissions[4] end,
                        case when _permissions[5] like 'read(%%' then _permissions[5] end,
                        case when _permissions[6] like 'read(%%' then _permissions[6] end
                    ], null) end
                ) stored
            $add$, place."table");
        for index in
            select x.indexrelid::regclass::text as name, pg_get_indexdef(x.indexrelid) as made,
                   pg_get_indexdef(x.indexrelid, 1, false) = '_permissions' as is_of_permissions
            from pg_index x
            join pg_class i on i.oid = x.indexrelid
            join pg_am m on m.oid = i.relam
            where x.indrelid = place."table"::regclass and not x.indisunique
                and (m.amname = 'btree' or pg_get_indexdef(x.indexrelid, 1, false) = '_permissions')
        loop
            execute format('drop index %s', index.name);
            execute index.made || case when index.is_of_permissions then ' where _reads is null' else ' include (_reads)' end;
        end loop;
        execute format('create index %I on %s using gin (_reads)', place.name || '__reads_idx', place."table");
    end loop;
end
$each$;

update freehold.tables
set entity = jsonb_set(entity, '{layout,reads}', '"_reads"')
where entity #>> '{layout,permissions}' = '_permissions';
