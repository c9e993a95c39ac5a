"""What belongs to what: the relations that `include` follows and that bodies link, by resource and name."""

from __future__ import annotations

from app.core.include import Far, Relations, many, one
from app.people import repository as people
from app.people.schemas import Person
from app.projects import repository as projects
from app.projects.schemas import ProjectSummary

TO_PROJECTS = Far("project", ProjectSummary, projects.related_projects)
TO_PEOPLE = Far("person", Person, people.related_people)

RELATIONS: Relations = {
    "project": {
        "owner": one(TO_PEOPLE, "owner_id", "id", ("project", "owner_id")),
    },
    "person": {
        "projects": many(TO_PROJECTS, "id", "owner_id", ("project", "owner_id")),
    },
}
