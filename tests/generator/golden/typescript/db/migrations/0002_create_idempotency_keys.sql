-- migrate:up
set local lock_timeout = '3s';
set local statement_timeout = '10min';

create table if not exists idempotency_key (
    tenant text not null,
    principal text not null,
    key text not null,
    request_hash text not null,
    status integer,
    headers jsonb,
    body text,
    created_at timestamptz(3) default now() not null,
    constraint idempotency_key_pkey primary key (tenant, principal, key)
);

create index if not exists idempotency_key_created_at_idx on idempotency_key (created_at);

-- migrate:down
set local lock_timeout = '3s';
set local statement_timeout = '10min';

drop table if exists idempotency_key;
