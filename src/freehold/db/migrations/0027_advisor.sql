-- What analyzers have found out about a project, and what console users are told of.

create table freehold.reports (
    project_id  text not null references freehold.projects on delete cascade,
    id          text not null,
    app_id      text not null,
    type        text not null,
    title       text not null,
    summary     text not null default '',
    target_type text not null,
    target      text not null,
    categories  text[] not null default '{}',
    analyzed_at timestamptz(3),
    created_at  timestamptz(3) not null default now(),
    updated_at  timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.reports.app_id is 'Who has handed the report in.';
comment on column freehold.reports.target is 'What was analyzed, such as a URL or the id of a database.';
create index reports_created_at_idx on freehold.reports (project_id, created_at);

create table freehold.insights (
    project_id           text not null,
    report_id            text not null,
    id                   text not null,
    type                 text not null,
    severity             text not null default 'info' check (severity in ('info', 'warning', 'critical')),
    status               text not null default 'active' check (status in ('active', 'dismissed')),
    resource_type        text not null,
    resource_id          text not null,
    parent_resource_type text not null default '',
    parent_resource_id   text not null default '',
    title                text not null,
    summary              text not null default '',
    ctas                 jsonb not null default '[]',
    analyzed_at          timestamptz(3),
    dismissed_at         timestamptz(3),
    dismissed_by         text,
    created_at           timestamptz(3) not null default now(),
    updated_at           timestamptz(3) not null default now(),
    primary key (project_id, report_id, id),
    foreign key (project_id, report_id) references freehold.reports on delete cascade
);
comment on column freehold.insights.ctas is 'What can be done about it: a list of {label, service, method, params}.';
create index insights_created_at_idx on freehold.insights (project_id, report_id, created_at);

create table freehold.notifications (
    project_id           text not null,
    id                   text not null,
    user_id              text not null,
    message_id           text,
    type                 text not null,
    channel              text not null,
    resource_type        text not null default '',
    resource_id          text not null default '',
    parent_resource_type text not null default '',
    parent_resource_id   text not null default '',
    about_project_id     text,
    title                text not null,
    body                 text not null default '',
    read                 boolean not null default false,
    first_seen_at        timestamptz(3),
    last_seen_at         timestamptz(3),
    created_at           timestamptz(3) not null default now(),
    updated_at           timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on column freehold.notifications.project_id is 'Where the user is one: the console.';
create index notifications_user_id_idx on freehold.notifications (project_id, user_id, created_at);
