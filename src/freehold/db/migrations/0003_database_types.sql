-- In which vocabulary a database was made. It can be reached in both.

alter table freehold.databases
    add column type text not null default 'tablesdb' check (type in ('legacy', 'tablesdb'));
