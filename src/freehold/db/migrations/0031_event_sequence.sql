-- The order in which a project's events became visible, for readers that come back.

alter table freehold.outbox add column sequence bigint;
comment on column freehold.outbox.sequence is 'Of the events of its project, given soon after the commit: ids follow the order in which statements began.';
create index outbox_unnumbered_idx on freehold.outbox (id) where sequence is null;
create unique index outbox_sequence_idx on freehold.outbox (project_id, sequence) where sequence is not null;

create table freehold.event_heads (
    project_id text primary key,
    sequence   bigint not null
);
comment on table freehold.event_heads is 'The last number that was given to an event of a project. It outlives the project: numbers never come again.';

create table freehold.presences (
    project_id  text not null references freehold.projects on delete cascade,
    id          text not null,
    user_id     text not null,
    status      text not null,
    source      text not null,
    metadata    jsonb not null default '{}',
    permissions text[] not null default '{}',
    expires_at  timestamptz(3),
    held_by     uuid,
    held_until  timestamptz(3),
    created_at  timestamptz(3) not null default now(),
    updated_at  timestamptz(3) not null default now(),
    primary key (project_id, id),
    foreign key (project_id, user_id) references freehold.users on delete cascade
);
comment on table freehold.presences is 'Who is there, until it expires, or the socket that says so is gone.';
comment on column freehold.presences.held_by is 'The socket that it goes with; its process renews held_until while it lives.';
create index presences_user_idx on freehold.presences (project_id, user_id);
create index presences_permissions_idx on freehold.presences using gin (permissions);
create index presences_expires_at_idx on freehold.presences (expires_at);
create index presences_held_until_idx on freehold.presences (held_until) where held_by is not null;
