"""Shapes of the health service on the wire."""

from __future__ import annotations

from freehold.web.wire import Output


class HealthVersion(Output):
    version: str


class HealthStatus(Output):
    name: str
    ping: int
    """Milliseconds."""
    status: str


class HealthStatusList(Output):
    total: int
    statuses: list[HealthStatus]


class HealthTime(Output):
    remote_time: int
    local_time: int
    diff: int
