-- Events of what others than the platform write to tables that are set so.

create function freehold.tell_what_was_written() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $tell$
declare
    setting text;
    place record;
    written text;
    told bigint;
    zone text;
    digits text;
begin
    -- Only who may act as the owner of the tables is silent by a setting: `off` is all that it writes. `written`
    -- is what the platform says, which tells of the table that its statement names, and not of what comes of
    -- it: rows that PostgreSQL deletes or changes with those, and what triggers of others write.
    setting := current_setting('freehold.events', true);
    if setting in ('off', 'written') and pg_has_role(session_user, current_user, 'member') then
        written := case tg_op when 'DELETE' then 'delete from ' when 'UPDATE' then 'update ' end
            || tg_table_schema || '.' || tg_table_name || ' /*';
        if setting = 'off' or pg_trigger_depth() = 1
            and (tg_op in ('INSERT', 'TRUNCATE') or strpos(replace(current_query(), '"', ''), written) > 0)
        then
            return null;
        end if;
    end if;
    select d.project_id, d.id into place from freehold.databases d where d.namespace = tg_table_schema;
    if not found then
        return null;
    end if;
    if tg_op = 'TRUNCATE' then
        raise exception 'TRUNCATE of % would keep from those who follow its rows that they are gone', tg_table_name
            using errcode = 'feature_not_supported',
                  hint = 'Use DELETE, or switch the events of the table off before.';
    end if;

    written := case tg_op
        when 'INSERT' then $each$
            select after ->> $1 as id, null::jsonb as before, after, at
            from (select to_jsonb(a), row_number() over () from rows_after a) each (after, at)
        $each$
        when 'DELETE' then $each$
            select before ->> $1 as id, before, null::jsonb as after, at
            from (select to_jsonb(b), row_number() over () from rows_before b) each (before, at)
        $each$
        else $each$
            select id, (array_agg(row) filter (where is_before))[1] as before,
                   (array_agg(row) filter (where not is_before))[1] as after, min(at) as at
            from (
                select row ->> $1, row, is_before, at from (
                    select to_jsonb(b), true, row_number() over () from rows_before b
                    union all
                    select to_jsonb(a), false, row_number() over () from rows_after a
                ) each (row, is_before, at)
            ) each (id, row, is_before, at)
            group by id
        $each$
    end;
    -- As the platform writes values, whatever the session says. Set for the whole function it would cost the
    -- platform's statements more than all the rest.
    zone := current_setting('timezone');
    digits := current_setting('extra_float_digits');
    perform set_config('timezone', 'UTC', true), set_config('extra_float_digits', '1', true);
    -- Not as a statement of this function, which would be planned once for few rows and for many. Rows that
    -- are deleted softly are gone; what was not there before and is not there after is nothing to tell.
    execute format($sql$
        insert into freehold.outbox (project_id, event, payload, actor, request_id, caller)
        select $4, $5 || id || case
                   when not is_there then '.delete' when was_there then '.update' else '.create'
               end,
               coalesce(after, before) - $3, $6, '', $7
        from (
            select id, at, before, after, before is not null and before ->> $2 is null,
                   after is not null and after ->> $2 is null
            from (%s) written
        ) judged (id, at, before, after, was_there, is_there)
        where (was_there or is_there) and char_length(id) between 1 and 255 and id !~ '[[:cntrl:]]'
        order by at, is_there
    $sql$, written) using
        tg_argv[1], tg_argv[3], tg_argv[2],
        place.project_id, 'databases.' || place.id || '.tables.' || tg_argv[0] || '.rows.',
        'role:' || session_user, jsonb_build_object('name', session_user);
    get diagnostics told = row_count;
    perform set_config('timezone', zone, true), set_config('extra_float_digits', digits, true);
    if told > 0 then
        perform pg_notify('freehold_unnumbered', '');
    end if;
    return null;
end
$tell$;
comment on function freehold.tell_what_was_written() is
    'Writes the events of the table whose trigger it is: of an entity, by the names of its id, its words and its soft deletion.';
-- Who makes a trigger has to be allowed to call its function: nobody else has it tell of tables of theirs.
revoke all on function freehold.tell_what_was_written() from public;
