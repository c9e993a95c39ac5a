-- What webhooks are told, until they have taken it.

alter table freehold.webhooks add column paused_until timestamptz(3);
comment on column freehold.webhooks.paused_until is 'Nothing is delivered before: it has failed, and is given time.';
comment on column freehold.webhooks.attempts is 'How many deliveries in a row have failed.';

create table freehold.webhook_deliveries (
    id          bigint generated always as identity primary key,
    key         uuid not null unique default gen_random_uuid(),
    project_id  text not null,
    webhook_id  text not null,
    event       text not null,
    resource    text not null,
    actor       text not null,
    payload     jsonb,
    state       text not null default 'waiting' check (state in ('waiting', 'dead')),
    attempts    int not null default 0,
    run_at      timestamptz(3) not null default now(),
    error       text not null default '',
    happened_at timestamptz(3) not null,
    created_at  timestamptz(3) not null default now(),
    updated_at  timestamptz(3) not null default now(),
    foreign key (project_id, webhook_id) references freehold.webhooks on delete cascade
);
comment on table freehold.webhook_deliveries is 'Made in the transaction in which the audit log takes an event over, gone when the receiver has answered.';
comment on column freehold.webhook_deliveries.key is 'The same in each attempt, so that the receiver can tell what it has had.';
comment on column freehold.webhook_deliveries.resource is 'Deliveries about one resource are made in the order of their ids.';
create index webhook_deliveries_waiting_idx on freehold.webhook_deliveries (project_id, webhook_id, resource, id)
    where state = 'waiting';
create index webhook_deliveries_run_at_idx on freehold.webhook_deliveries (run_at) where state = 'waiting';
create index webhook_deliveries_webhook_idx on freehold.webhook_deliveries (project_id, webhook_id, id);
create index webhook_deliveries_updated_at_idx on freehold.webhook_deliveries (updated_at);
