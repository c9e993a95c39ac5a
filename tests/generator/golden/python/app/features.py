"""The resources of the API, in the order of the schema. Your own routes are in app/extra.py."""

from __future__ import annotations

from fastapi import APIRouter

from app.audit_log.routes import router as audit_log
from app.organizations.routes import router as organizations
from app.people.routes import router as people
from app.projects.routes import router as projects

ROUTERS: tuple[APIRouter, ...] = (
    organizations,
    projects,
    people,
    audit_log,
)
