-- Work that is done after the request: written in the transaction that wants it, leased by a worker, deleted when done.

create table freehold.jobs (
    id            bigint generated always as identity primary key,
    project_id    text not null,
    kind          text not null,
    payload       jsonb not null,
    unique_key    text,
    state         text not null default 'waiting' check (state in ('waiting', 'running', 'dead')),
    attempts      int not null default 0,
    run_at        timestamptz(3) not null default date_trunc('milliseconds', now()), -- not rounded: not late
    leased_by     text,
    leased_until  timestamptz(3),
    error         text,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    check ((state = 'running') = (leased_by is not null and leased_until is not null))
);
comment on column freehold.jobs.project_id is 'Whom it is for; console for the platform itself. No reference: a job may outlive its project.';
comment on column freehold.jobs.unique_key is 'Of two living jobs of a kind with the same key, there is only one.';
comment on column freehold.jobs.state is 'A dead job failed too often. It stays, with its last error, until it is looked at or a month has passed.';
create index jobs_waiting_idx on freehold.jobs (project_id, run_at, id) where state = 'waiting';
create index jobs_leased_until_idx on freehold.jobs (leased_until) where state = 'running';
create index jobs_project_idx on freehold.jobs (project_id, id desc);
create unique index jobs_unique_key on freehold.jobs (project_id, kind, unique_key) where state <> 'dead';
