-- Who changed what, from where: taken over from the outbox in the order of their ids, chained by hashes, and kept longer.

alter table freehold.outbox
    add caller  jsonb,
    add audited boolean not null default false;
comment on column freehold.outbox.caller is 'Who it was and where the call came from, as it was then.';
create index outbox_unaudited_idx on freehold.outbox (id) where not audited;

create table freehold.audit (
    project_id  text not null,
    position    bigint not null,
    event       text not null,
    action      text not null,
    resource    text not null,
    actor       text not null,
    actor_name  text not null,
    actor_email text not null,
    mode        text not null,
    ip          text not null,
    user_agent  text not null,
    request_id  text not null,
    happened_at timestamptz(3) not null,
    hash        bytea not null,
    primary key (project_id, position)
);
comment on table freehold.audit is 'No reference to the project: what was done to it outlives it, until its time is over.';
comment on column freehold.audit.resource is 'What was changed. Columns and indexes count as their table, sessions as their user.';
comment on column freehold.audit.hash is 'SHA-256 of the entry before, and of this one.';
create index audit_resource_idx on freehold.audit (project_id, resource, position desc);
create index audit_actor_idx on freehold.audit (project_id, actor, position desc);
create index audit_happened_at_idx on freehold.audit using brin (happened_at);

create table freehold.audit_chains (
    project_id     text primary key,
    position       bigint not null,
    hash           bytea not null,
    first_position bigint not null default 1,
    first_previous bytea not null default ''
);
comment on table freehold.audit_chains is 'Where each project''s chain ends, and where it begins: older entries have had their time.';
