"""Endpoints of the project service."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec

from freehold import ids
from freehold.errors import InvalidParameter, ProjectNotFound
from freehold.services import projects
from freehold.services.project import store
from freehold.services.project.errors import (
    KeyAlreadyExists,
    KeyCreationDenied,
    KeyNotFound,
    PlatformAlreadyExists,
    PlatformNotFound,
    PlatformOfOtherKind,
)
from freehold.services.project.keys import as_key, checked_scopes, in_utc, must_hold, sealing_key
from freehold.services.project.models import (
    AnyPlatform,
    CreateAndroidPlatform,
    CreateApplePlatform,
    CreateEphemeralKey,
    CreateKey,
    CreateLinuxPlatform,
    CreateWebPlatform,
    CreateWindowsPlatform,
    EphemeralKey,
    Key,
    KeyList,
    LegacyProtocolSwitch,
    LegacyServiceSwitch,
    PlatformList,
    UpdateAndroidPlatform,
    UpdateApplePlatform,
    UpdateKey,
    UpdateLabels,
    UpdateLinuxPlatform,
    UpdateSwitch,
    UpdateWebPlatform,
    UpdateWindowsPlatform,
)
from freehold.services.project.platforms import as_platform, kind_of_old
from freehold.services.projects import Project, as_project
from freehold.web.auth import ORIGINS_TAG, project_tag
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery, wire_time

routes = Routes("project", console=False)

_HERE = "/v1/projects/{projectId}"


@routes.get("/v1/project", scope="project.read", aliases=(_HERE,))
async def get(call: Call) -> Project:
    """Get the project."""
    return await _project(call)


@routes.delete("/v1/project", scope="project.write", event="projects.[projectId].delete", status=204,
               aliases=(_HERE,))  # fmt: skip
async def delete(call: Call) -> None:
    """Delete the project with all that is in it."""
    call.event_ids["projectId"] = call.project.id
    call.tells(await _project(call))
    await projects.delete_project(call, call.project.id)


@routes.patch(
    "/v1/project/auth-methods/{methodId}",
    scope="project.write",
    event="authMethod.[methodId].update",
    aliases=(f"{_HERE}/auth/{{methodId}}",),
)
async def update_auth_method(call: Call, method_id: str, body: UpdateSwitch) -> Project:
    """Switch a way of signing in on or off."""
    return await _switch(call, "disabledAuthMethods", "methodId", method_id, body.enabled)


@routes.get("/v1/project/keys", scope="keys.read", aliases=(f"{_HERE}/keys",))
async def list_keys(call: Call, query: ListQuery) -> KeyList:
    """List the API keys."""
    found = await store.fetch_keys(call.db, call.project.id, query.queries, total=query.total)
    return KeyList(total=found.total, keys=[as_key(call, row) for row in found.rows])


@routes.post(
    "/v1/project/keys",
    scope="keys.write",
    event="keys.[keyId].create",
    status=201,
    aliases=(f"{_HERE}/keys",),
    raises=(KeyAlreadyExists, KeyCreationDenied),
)
async def create_key(call: Call, body: CreateKey) -> Key:
    """Create an API key. People on the console may; an API key makes ephemeral ones only."""
    if call.identity.kind != "admin":
        raise KeyCreationDenied(reason="An API key cannot make others that last. Make an ephemeral one.")
    new = store.NewKey(
        id=ids.resolve(body.key_id),
        name=body.name,
        scopes=checked_scopes(body.scopes),
        expires_at=in_utc(body.expire),
    )
    sealing = sealing_key(call.app.settings.secret)
    row, _ = await store.create_key(call.db, sealing, call.project.id, new)
    return _told(call, as_key(call, row))


@routes.post(
    "/v1/project/keys/ephemeral",
    scope="keys.write",
    event="keys.[keyId].create",
    status=201,
    aliases=(f"{_HERE}/jwts",),
    raises=(KeyCreationDenied,),
)
async def create_ephemeral_key(call: Call, body: CreateEphemeralKey) -> EphemeralKey:
    """Make a key that holds for a while. It can do no more than the key that makes it."""
    granted = checked_scopes(body.scopes)
    must_hold(call, granted)
    claims = {"projectId": call.project.id, "realm": call.project.realm, "scopes": granted}
    left_s = call.identity.expires_at - time.time()  # not beyond its maker's own end
    duration_s = max(1, int(min(body.duration, left_s)))
    made = wire_time(datetime.now(UTC))
    key = EphemeralKey(
        id="",
        created_at=made,
        updated_at=made,
        name="",
        description="",
        expire=wire_time(datetime.fromtimestamp(time.time() + duration_s, UTC)),
        scopes=granted,
        secret="ephemeral_" + call.app.auth.write_jwt(claims, duration_s),
        accessed_at="",
        sdks=[],
    )
    call.event_ids["keyId"] = "ephemeral"
    call.tells(msgspec.structs.replace(key, secret=""))
    return key


@routes.get(
    "/v1/project/keys/{keyId}",
    scope="keys.read",
    aliases=(f"{_HERE}/keys/{{keyId}}",),
    raises=(KeyNotFound,),
)
async def get_key(call: Call, key_id: str) -> Key:
    """Get an API key. Its secret is shown to people on the console, and to keys that can do as much."""
    row = await store.find_key(call.db, call.project.id, key_id)
    if row is None:
        raise KeyNotFound()
    return as_key(call, row)


@routes.put(
    "/v1/project/keys/{keyId}",
    scope="keys.write",
    event="keys.[keyId].update",
    aliases=(f"{_HERE}/keys/{{keyId}}",),
    raises=(KeyNotFound, KeyCreationDenied),
)
async def update_key(call: Call, key_id: str, body: UpdateKey) -> Key:
    """Change what an API key may do, and until when."""
    row = await store.find_key(call.db, call.project.id, key_id)
    if row is None:
        raise KeyNotFound()
    granted = checked_scopes(body.scopes)
    must_hold(call, set(granted) - set(row["scopes"]))
    row = await store.update_key(call.db, call.project.id, key_id, body.name, granted, in_utc(body.expire))
    if row is None:
        raise KeyNotFound()
    call.changed(project_tag(call.project.id))
    return _told(call, as_key(call, row))


@routes.delete(
    "/v1/project/keys/{keyId}",
    scope="keys.write",
    event="keys.[keyId].delete",
    status=204,
    aliases=(f"{_HERE}/keys/{{keyId}}",),
    raises=(KeyNotFound,),
)
async def delete_key(call: Call, key_id: str) -> None:
    """Delete an API key. Whoever uses it is a guest from now on."""
    row = await store.delete_key(call.db, call.project.id, key_id)
    if row is None:
        raise KeyNotFound()
    call.changed(project_tag(call.project.id))
    _told(call, as_key(call, row))


@routes.put(
    "/v1/project/labels",
    scope="project.write",
    event="projects.[projectId].update",
    aliases=(f"{_HERE}/labels",),
)
async def update_labels(call: Call, body: UpdateLabels) -> Project:
    """Replace the project's labels."""
    await store.set_labels(call.db, call.project.id, list(dict.fromkeys(body.labels)))
    call.changed(project_tag(call.project.id))
    return await _project(call)


@routes.get(
    "/v1/project/platforms", scope="platforms.read", aliases=(f"{_HERE}/platforms",), model="platformList"
)
async def list_platforms(call: Call, query: ListQuery) -> PlatformList:
    """List the platforms: the applications and sites that may use the project from a browser or a device."""
    found = await store.fetch_platforms(call.db, call.project.id, query.queries, total=query.total)
    return PlatformList(total=found.total, platforms=[as_platform(row) for row in found.rows])


@routes.get(
    "/v1/project/platforms/{platformId}",
    scope="platforms.read",
    aliases=(f"{_HERE}/platforms/{{platformId}}",),
    model="platform",
    raises=(PlatformNotFound,),
)
async def get_platform(call: Call, platform_id: str) -> AnyPlatform:
    """Get a platform."""
    row = await store.find_platform(call.db, call.project.id, platform_id)
    if row is None:
        raise PlatformNotFound()
    return as_platform(row)


@routes.delete(
    "/v1/project/platforms/{platformId}",
    scope="platforms.write",
    event="platforms.[platformId].delete",
    status=204,
    aliases=(f"{_HERE}/platforms/{{platformId}}",),
    raises=(PlatformNotFound,),
)
async def delete_platform(call: Call, platform_id: str) -> None:
    """Delete a platform. Browsers are refused for its origin from now on."""
    row = await store.delete_platform(call.db, call.project.id, platform_id)
    if row is None:
        raise PlatformNotFound()
    _platforms_changed(call)
    call.tells(as_platform(row))


_CREATE = {
    "scope": "platforms.write",
    "event": "platforms.[platformId].create",
    "status": 201,
    "raises": (PlatformAlreadyExists,),
}
_UPDATE = {
    "scope": "platforms.write",
    "event": "platforms.[platformId].update",
    "raises": (PlatformNotFound, PlatformOfOtherKind),
}


@routes.post("/v1/project/platforms/web", aliases=(f"{_HERE}/platforms",), model="platformWeb", **_CREATE)
async def create_web_platform(call: Call, body: CreateWebPlatform) -> AnyPlatform:
    """Let pages of a site use the project. Older SDKs make platforms of every type here."""
    kind = kind_of_old(body.type)
    identifier = body.hostname if kind == "web" else body.key
    return await _create_platform(call, body.platform_id, kind, body.name, identifier)


@routes.put(
    "/v1/project/platforms/web/{platformId}",
    aliases=(f"{_HERE}/platforms/{{platformId}}",),
    model="platformWeb",
    **_UPDATE,
)
async def update_web_platform(call: Call, platform_id: str, body: UpdateWebPlatform) -> AnyPlatform:
    """Change a site. Older SDKs change platforms of every type here."""
    if body.key:
        return await _update_platform(call, platform_id, None, body.name, body.key)
    return await _update_platform(call, platform_id, "web", body.name, body.hostname)


@routes.post("/v1/project/platforms/apple", model="platformApple", **_CREATE)
async def create_apple_platform(call: Call, body: CreateApplePlatform) -> AnyPlatform:
    """Register an application for Apple's systems."""
    return await _create_platform(call, body.platform_id, "apple", body.name, body.bundle_identifier)


@routes.put("/v1/project/platforms/apple/{platformId}", model="platformApple", **_UPDATE)
async def update_apple_platform(call: Call, platform_id: str, body: UpdateApplePlatform) -> AnyPlatform:
    """Change an application for Apple's systems."""
    return await _update_platform(call, platform_id, "apple", body.name, body.bundle_identifier)


@routes.post("/v1/project/platforms/android", model="platformAndroid", **_CREATE)
async def create_android_platform(call: Call, body: CreateAndroidPlatform) -> AnyPlatform:
    """Register an application for Android."""
    return await _create_platform(call, body.platform_id, "android", body.name, body.application_id)


@routes.put("/v1/project/platforms/android/{platformId}", model="platformAndroid", **_UPDATE)
async def update_android_platform(call: Call, platform_id: str, body: UpdateAndroidPlatform) -> AnyPlatform:
    """Change an application for Android."""
    return await _update_platform(call, platform_id, "android", body.name, body.application_id)


@routes.post("/v1/project/platforms/windows", model="platformWindows", **_CREATE)
async def create_windows_platform(call: Call, body: CreateWindowsPlatform) -> AnyPlatform:
    """Register an application for Windows."""
    identifier = body.package_identifier_name
    return await _create_platform(call, body.platform_id, "windows", body.name, identifier)


@routes.put("/v1/project/platforms/windows/{platformId}", model="platformWindows", **_UPDATE)
async def update_windows_platform(call: Call, platform_id: str, body: UpdateWindowsPlatform) -> AnyPlatform:
    """Change an application for Windows."""
    return await _update_platform(call, platform_id, "windows", body.name, body.package_identifier_name)


@routes.post("/v1/project/platforms/linux", model="platformLinux", **_CREATE)
async def create_linux_platform(call: Call, body: CreateLinuxPlatform) -> AnyPlatform:
    """Register an application for Linux."""
    return await _create_platform(call, body.platform_id, "linux", body.name, body.package_name)


@routes.put("/v1/project/platforms/linux/{platformId}", model="platformLinux", **_UPDATE)
async def update_linux_platform(call: Call, platform_id: str, body: UpdateLinuxPlatform) -> AnyPlatform:
    """Change an application for Linux."""
    return await _update_platform(call, platform_id, "linux", body.name, body.package_name)


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
    return await _project(call)


async def _project(call: Call) -> Project:
    row = await projects.find(call.db, call.project.id)
    if row is None:
        raise ProjectNotFound(id=call.project.id)
    return as_project(row)


async def _create_platform(
    call: Call, platform_id: str, kind: str, name: str, identifier: str
) -> AnyPlatform:
    platform_id = ids.resolve(platform_id)
    row = await store.create_platform(
        call.db, call.project.id, platform_id, kind, name, _spelled(kind, identifier)
    )
    _platforms_changed(call)
    return as_platform(row)


async def _update_platform(
    call: Call, platform_id: str, kind: str | None, name: str, identifier: str
) -> AnyPlatform:
    row = await store.find_platform(call.db, call.project.id, platform_id)
    if row is None:
        raise PlatformNotFound()
    if kind is not None and row["type"] != kind:
        raise PlatformOfOtherKind(kind=row["type"])
    row = await store.update_platform(
        call.db, call.project.id, platform_id, name, _spelled(row["type"], identifier)
    )
    if row is None:
        raise PlatformNotFound()
    _platforms_changed(call)
    return as_platform(row)


def _spelled(kind: str, identifier: str) -> str:
    """Host names have no case; the identifiers of applications do."""
    return identifier.lower() if kind == "web" else identifier


def _platforms_changed(call: Call) -> None:
    call.changed(project_tag(call.project.id))
    call.changed(ORIGINS_TAG)


def _told(call: Call, key: Key) -> Key:
    """Let the event tell of the key without its secret."""
    call.tells(msgspec.structs.replace(key, secret=""))
    return key
