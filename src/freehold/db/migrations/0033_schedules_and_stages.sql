-- What runs on a schedule, and how far a project has come.

create table freehold.schedules (
    project_id          text not null references freehold.projects on delete cascade,
    id                  text not null,
    resource_type       text not null check (resource_type in ('function', 'execution', 'message')),
    resource_id         text not null,
    resource_updated_at timestamptz(3) not null default now(),
    schedule            text not null,
    data                jsonb not null,
    active              boolean not null,
    region              text not null,
    created_at          timestamptz(3) not null default now(),
    updated_at          timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.schedules.schedule is 'When it is run, as cron has it, in UTC.';
comment on column freehold.schedules.resource_updated_at is 'When what is run was last changed, so that whoever runs it can tell that it has to look again.';
create index schedules_created_at_idx on freehold.schedules (project_id, created_at, id);
create index schedules_resource_idx on freehold.schedules (project_id, resource_type, resource_id);

create table freehold.stages (
    project_id   text not null references freehold.projects on delete cascade,
    id           text not null,
    completed_at timestamptz(3),
    completed_by text not null default '',
    sdk          text not null default '',
    skipped_at   timestamptz(3),
    skipped_by   text not null default '',
    primary key (project_id, id)
);
comment on table freehold.stages is 'What is known of the stages of a project besides what it holds: who came through them first, and which are skipped.';
comment on column freehold.stages.completed_by is 'What acted, in the words of the logs: user, admin, guest, keyProject, keyAccount.';
