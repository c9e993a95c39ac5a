"""What belongs to what: the relations that `include` follows and that bodies link, by resource and name."""

from __future__ import annotations

from app.core.include import Relation, Relations
from app.people import repository as people
from app.people.schemas import Person
from app.projects import repository as projects
from app.projects.schemas import ProjectSummary

RELATIONS: Relations = {
    "project": {
        "owner": Relation(
            entity="person",
            shape=Person,
            many=False,
            key="owner_id",
            column="id",
            guard=("project", "owner_id"),
            load=people.related_people,
        ),
    },
    "person": {
        "projects": Relation(
            entity="project",
            shape=ProjectSummary,
            many=True,
            key="id",
            column="owner_id",
            guard=("project", "owner_id"),
            load=projects.related_projects,
        ),
    },
}
