-- What was done to all that a project has, but for its rows and files, of which there are many more.

create index audit_of_projects_idx on freehold.audit (project_id, position desc)
    where action not like 'row.%' and action not like 'file.%';
