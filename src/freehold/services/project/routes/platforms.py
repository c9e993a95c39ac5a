"""Endpoints of platforms: the applications that may call."""

from __future__ import annotations

from freehold import ids
from freehold.services.project import store
from freehold.services.project.errors import (
    PlatformAlreadyExists,
    PlatformNotFound,
    PlatformOfOtherKind,
)
from freehold.services.project.models import (
    AnyPlatform,
    CreateAndroidPlatform,
    CreateApplePlatform,
    CreateLinuxPlatform,
    CreateWebPlatform,
    CreateWindowsPlatform,
    PlatformList,
    UpdateAndroidPlatform,
    UpdateApplePlatform,
    UpdateLinuxPlatform,
    UpdateWebPlatform,
    UpdateWindowsPlatform,
)
from freehold.services.project.platforms import as_platform, kind_of_old
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import ORIGINS_TAG, project_tag
from freehold.web.wire import ListQuery

routes = Routes("project", console=False)

_HERE = "/v1/projects/{projectId}"


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
