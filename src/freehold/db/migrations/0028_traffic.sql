-- How much projects are asked, by the hour.

create table freehold.traffic (
    project_id text not null references freehold.projects on delete cascade,
    hour       timestamptz(3) not null,
    requests   bigint not null,
    bytes      bigint not null,
    primary key (project_id, hour)
);
comment on column freehold.traffic.bytes is 'Of the bodies of requests and answers.';
create index traffic_hour_idx on freehold.traffic using brin (hour);
