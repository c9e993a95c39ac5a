-- How much databases are used: calls by the hour, and how large tables were then.

create table freehold.usage (
    project_id    text not null references freehold.projects on delete cascade,
    hour          timestamptz(3) not null,
    database_id   text not null,
    table_id      text not null,
    reads         bigint not null default 0,
    writes        bigint not null default 0,
    rows          bigint,
    bytes         bigint,
    primary key (project_id, hour, database_id, table_id)
);
comment on table freehold.usage is 'What outlives tables and databases: it is pruned by time.';
comment on column freehold.usage.table_id is 'Empty for the database itself, and what in it belongs to no table.';
comment on column freehold.usage.rows is 'When this was last measured in that hour; null when it never was.';
create index usage_hour_idx on freehold.usage using brin (hour);
