-- Events of what others than the platform write to tables that are set so.

create function freehold.tell_what_was_written() returns trigger
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 as $tell$
declare
    place record;
    written text;
    told bigint;
begin
    -- The platform writes the events of its statements itself. What comes of them, such as rows that go with
    -- others, is written by triggers, and told here. Nobody else is silent by a setting.
    if pg_trigger_depth() = 1 and current_setting('freehold.events', true) = 'written'
        and pg_has_role(session_user, current_user, 'member')
    then
        return null;
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
