-- Transactions of rows: what was staged, in order, to be done when they are committed.

create table freehold.transactions (
    project_id    text not null references freehold.projects on delete cascade,
    id            text not null,
    owner         text not null,
    status        text not null default 'pending'
                  check (status in ('pending', 'committed', 'rolled_back', 'failed')),
    operations    int not null default 0,
    bytes         bigint not null default 0,
    expires_at    timestamptz(3) not null,
    created_at    timestamptz(3) not null default now(),
    updated_at    timestamptz(3) not null default now(),
    primary key (project_id, id)
);
comment on column freehold.transactions.owner is 'The user that began it; empty for keys and the console.';
comment on column freehold.transactions.bytes is 'How much all its operations are, as JSON.';
create index transactions_owner_idx on freehold.transactions (project_id, owner, created_at);
create index transactions_expires_at_idx on freehold.transactions (expires_at);

create table freehold.transaction_operations (
    project_id     text not null,
    transaction_id text not null,
    position       int not null,
    operation      jsonb not null,
    staged_at      timestamptz(3) not null,
    tenant         text not null,
    hit            text[],
    seen           jsonb not null,
    primary key (project_id, transaction_id, position),
    foreign key (project_id, transaction_id) references freehold.transactions on delete cascade
);
comment on column freehold.transaction_operations.tenant is 'The tenant that its caller named, as a header.';
comment on column freehold.transaction_operations.hit is 'The rows that a change by queries found, which are the ones it will change.';
comment on column freehold.transaction_operations.seen is 'What the rows that it is the first to touch were outside the transaction: their xmin, or null.';
