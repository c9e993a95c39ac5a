-- What the API knows of each side of a relationship, beside the ref or the many in the schema model.

alter table freehold.columns
    add related_table_id text,
    add relation_type    text check (relation_type in ('oneToOne', 'oneToMany', 'manyToOne', 'manyToMany')),
    add side             text check (side in ('parent', 'child')),
    add two_way          boolean,
    add two_way_key      text,
    add on_delete        text check (on_delete in ('cascade', 'restrict', 'set_null')),
    add description      text not null default '',
    add foreign key (project_id, database_id, related_table_id) references freehold.tables
        on update cascade on delete cascade,
    add check ((type = 'relationship') = (related_table_id is not null and relation_type is not null
        and side is not null and two_way is not null and two_way_key is not null and on_delete is not null));
comment on column freehold.columns.field_id is 'The field in the entity of this table or, of a relationship, of the related one.';
comment on column freehold.columns.description is 'Of relationships; that of other columns stands in their fields.';
create index columns_related_table_idx on freehold.columns (project_id, database_id, related_table_id)
    where related_table_id is not null;
