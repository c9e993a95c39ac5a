-- Imports and exports of tables: what was asked for, and how far it has come.

create table freehold.transfers (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    direction     text not null check (direction in ('import', 'export')),
    format        text not null check (format in ('csv', 'json')),
    database_id   text not null,
    table_id      text not null,
    options       jsonb not null,
    actor         text not null,
    tenant        text not null default '',
    status        text not null default 'pending'
                  check (status in ('pending', 'processing', 'completed', 'failed')),
    stage         text not null default 'init',
    step          bigint not null default 0,
    position      bigint not null default 0,
    todo          jsonb not null default '[]',
    left_out      jsonb not null default '[]',
    written       bigint not null default 0,
    skipped       bigint not null default 0,
    bad           bigint not null default 0,
    waiting       bigint not null default 0,
    errors        text[] not null default '{}',
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.transfers.actor is 'Who asked for it, and as whom it is done.';
comment on column freehold.transfers.step is 'Moves with each batch: of two that work on the same one, the slower is told so.';
comment on column freehold.transfers.position is 'How many rows of the file have been dealt with.';
comment on column freehold.transfers.left_out is 'The batches with bad rows, as the first row of each and the one after the last.';
comment on column freehold.transfers.todo is 'Of those, what a retry has still to try again.';
comment on column freehold.transfers.waiting is 'Rows that are fine, but left out with their batch.';
create index transfers_created_at_idx on freehold.transfers (project_id, created_at, id);
