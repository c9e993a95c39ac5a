"""Endpoints that switch ways in, protocols and services on and off."""

from __future__ import annotations

from freehold.errors import InvalidParameter
from freehold.services import projects
from freehold.services.project import store
from freehold.services.project.current import current_project
from freehold.services.project.models import (
    LegacyProtocolSwitch,
    LegacyServiceSwitch,
    LegacySwitch,
    UpdateSwitch,
)
from freehold.services.projects import Project
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import project_tag

routes = Routes("project", console=False)

_HERE = "/v1/projects/{projectId}"


@routes.patch(
    "/v1/project/auth-methods/{methodId}",
    scope="project.write",
    event="authMethod.[methodId].update",
    aliases=(f"{_HERE}/auth/{{methodId}}",),
    older={"status": "enabled"},
)
async def update_auth_method(call: Call, method_id: str, body: UpdateSwitch) -> Project:
    """Switch a way of signing in on or off."""
    return await _switch(call, "disabledAuthMethods", "methodId", method_id, body.enabled)


@routes.patch(
    "/v1/project/protocols/{protocolId}",
    scope="project.write",
    event="protocols.[protocolId].update",
    aliases=("/v1/project/protocols/{protocolId}/status",),
)
async def update_protocol(call: Call, protocol_id: str, body: UpdateSwitch) -> Project:
    """Switch a protocol on or off for clients."""
    return await _switch(call, "disabledProtocols", "protocolId", protocol_id, body.enabled)


@routes.patch(f"{_HERE}/api", scope="project.write", event="protocols.[protocolId].update", reference=False)
async def update_protocol_of_old(call: Call, body: LegacyProtocolSwitch, project_id: str) -> Project:
    """Switch a protocol on or off, as older SDKs ask for it."""
    name = "websocket" if body.api == "realtime" else body.api
    call.event_ids["protocolId"] = name
    return await _switch(call, "disabledProtocols", "api", name, body.status)


@routes.patch(
    "/v1/project/services/{serviceId}",
    scope="project.write",
    event="services.[serviceId].update",
    aliases=("/v1/project/services/{serviceId}/status",),
)
async def update_service(call: Call, service_id: str, body: UpdateSwitch) -> Project:
    """Switch a service on or off for clients."""
    return await _switch(call, "disabledServices", "serviceId", service_id, body.enabled)


@routes.patch(f"{_HERE}/service", scope="project.write", event="services.[serviceId].update", reference=False)
async def update_service_of_old(call: Call, body: LegacyServiceSwitch, project_id: str) -> Project:
    """Switch a service on or off, as older SDKs ask for it."""
    call.event_ids["serviceId"] = body.service
    return await _switch(call, "disabledServices", "service", body.service, body.status)


@routes.patch(f"{_HERE}/api/all", scope="project.write", event="protocols.all.update", reference=False,
              name="updateAPIStatusAll")  # fmt: skip
async def update_all_protocols(call: Call, body: LegacySwitch, project_id: str) -> Project:
    """Switch all protocols on or off for clients."""
    return await _switch_all(call, "disabledProtocols", body.status)


@routes.patch(f"{_HERE}/service/all", scope="project.write", event="services.all.update", reference=False,
              name="updateServiceStatusAll")  # fmt: skip
async def update_all_services(call: Call, body: LegacySwitch, project_id: str) -> Project:
    """Switch all services on or off for clients."""
    return await _switch_all(call, "disabledServices", body.status)


_SWITCHES = {
    "disabledAuthMethods": projects.AUTH_METHODS,
    "disabledProtocols": projects.PROTOCOLS,
    "disabledServices": projects.SERVICES,
}


async def _switch(call: Call, setting: str, parameter: str, name: str, enabled: bool) -> Project:
    if name not in _SWITCHES[setting]:
        known = ", ".join(_SWITCHES[setting])
        raise InvalidParameter(name=parameter, reason=f"It has to be one of {known}.")
    await store.switch(call.db, call.project.id, setting, name, enabled)
    call.changed(project_tag(call.project.id))
    return await current_project(call)


async def _switch_all(call: Call, setting: str, enabled: bool) -> Project:
    for name in _SWITCHES[setting]:
        await store.switch(call.db, call.project.id, setting, name, enabled)
    call.changed(project_tag(call.project.id))
    return await current_project(call)
