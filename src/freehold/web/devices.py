"""What a user agent tells of the browser, the system and the device."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import ua_parser

_READ = 500
"""Characters of a user agent that are kept and read."""

_OS_CODES = {
    "Android": "AND",
    "Chrome OS": "COS",
    "Debian": "DEB",
    "Fedora": "FED",
    "FreeBSD": "BSD",
    "iOS": "IOS",
    "Linux": "LIN",
    "Mac OS X": "MAC",
    "Ubuntu": "UBT",
    "Windows": "WIN",
}
_CLIENTS = {
    # family: code, engine
    "Chrome": ("CH", "Blink"),
    "Chrome Mobile": ("CM", "Blink"),
    "Chrome Mobile iOS": ("CI", "WebKit"),
    "Edge": ("PS", "Blink"),
    "Firefox": ("FF", "Gecko"),
    "Firefox Mobile": ("FM", "Gecko"),
    "Mobile Safari": ("MF", "WebKit"),
    "Opera": ("OP", "Blink"),
    "Safari": ("SF", "WebKit"),
}


class Device(NamedTuple):
    """What is known of it; what is not known is empty."""

    os_code: str = ""
    os_name: str = ""
    os_version: str = ""
    client_type: str = ""
    client_code: str = ""
    client_name: str = ""
    client_version: str = ""
    client_engine: str = ""
    client_engine_version: str = ""
    device_name: str = ""
    device_brand: str = ""
    device_model: str = ""


def kept(user_agent: str) -> str:
    """As much of a user agent as is kept."""
    return user_agent.replace("\0", "")[:_READ]


async def read_all(user_agents: list[str]) -> list[Device]:
    """Read user agents off the event loop: the first one loads a thousand patterns."""
    distinct = list(dict.fromkeys(user_agents))
    devices = await asyncio.to_thread(lambda: {each: _read(each) for each in distinct})
    return [devices[each] for each in user_agents]


def _read(user_agent: str) -> Device:
    if not user_agent:
        return Device()
    found = ua_parser.parse(user_agent[:_READ])
    device = Device()
    if found.os is not None and found.os.family != "Other":
        system = found.os
        device = device._replace(
            os_code=_OS_CODES.get(system.family, ""),
            os_name=system.family,
            os_version=_version(system.major, system.minor),
        )
    if found.user_agent is not None and found.user_agent.family != "Other":
        client = found.user_agent
        code, engine = _CLIENTS.get(client.family, ("", ""))
        device = device._replace(
            client_type="browser" if code else "",
            client_code=code,
            client_name=client.family,
            client_version=_version(client.major, client.minor),
            client_engine=engine,
        )
    if found.device is not None and found.device.family != "Other":
        brand, model = found.device.brand or "", found.device.model or ""
        device = device._replace(device_brand=brand, device_model=model)
    return device._replace(device_name=_device_name(device, user_agent))


def _device_name(device: Device, user_agent: str) -> str:
    if device.os_name in ("Android", "iOS"):
        is_tablet = "iPad" in user_agent or (device.os_name == "Android" and "Mobile" not in user_agent)
        return "tablet" if is_tablet else "smartphone"
    return "desktop" if device.client_type else ""


def _version(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
