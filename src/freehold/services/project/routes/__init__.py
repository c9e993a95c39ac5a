"""Endpoints of the project service."""

from __future__ import annotations

from freehold.services.project.routes import (
    keys,
    mail_templates,
    mock_phones,
    oauth,
    platforms,
    policies,
    project,
    signing_keys,
    smtp,
    switches,
    usage,
    variables,
)
from freehold.web.endpoint import Routes

routes = Routes("project", console=False)
for each in (
    project,
    switches,
    policies,
    keys,
    platforms,
    signing_keys,
    oauth,
    variables,
    usage,
    smtp,
    mail_templates,
    mock_phones,
):
    routes.endpoints += each.routes.endpoints

__all__ = ["routes"]
