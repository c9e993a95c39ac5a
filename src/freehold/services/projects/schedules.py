"""Endpoints of schedules: when something of a project is run, as cron has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from cronsim import CronSim, CronSimError
from msgspec import Meta

from freehold import ids
from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, text
from freehold.db.pool import Queries, Record
from freehold.errors import AccessForbidden, InvalidParameter, NotFound, ProjectNotFound
from freehold.services.projects.access import must_hold
from freehold.services.projects.errors import (
    ExecutionNotFound,
    FunctionNotFound,
    MessageNotFound,
    ScheduleNotFound,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Id, Input, ListQuery, Object, Output, Resource, wire_time

routes = Routes("projects", raises=(AccessForbidden, ProjectNotFound))

_PATH = "/v1/projects/{projectId}/schedules"
_FIELDS = 5
_DATA_BYTES = 65_536

ResourceType = Literal["function", "execution", "message"]
Find = Callable[[Queries, str, str], Awaitable[bool]]
"""Tells whether a project, named by its id, has something with an id."""

KEPT: dict[ResourceType, Find] = {}
"""What can be run, and how it is found: a line of each service that keeps such things. What none keeps is not
there."""

_MISSING: dict[ResourceType, type[NotFound]] = {
    "function": FunctionNotFound,
    "execution": ExecutionNotFound,
    "message": MessageNotFound,
}


class Schedule(Resource):
    resource_type: str
    resource_id: str
    resource_updated_at: str
    """When what is run was last changed."""
    project_id: str
    schedule: str
    """When it is run, as cron has it, in UTC."""
    data: dict[str, Any]
    """What whoever runs it has to know."""
    active: bool
    region: str


class ScheduleList(Output):
    total: int
    schedules: list[Schedule]


class CreateSchedule(Input):
    resource_type: ResourceType
    resource_id: Id
    schedule: Annotated[str, Meta(max_length=256, description="Five fields, such as `0 4 * * *`, in UTC")]
    active: bool = False
    data: Object = {}


@routes.get(_PATH, scope="schedules.read")
async def list_schedules(call: Call, project_id: str, query: ListQuery) -> ScheduleList:
    """List when something of a project is run."""
    await must_hold(call, project_id, "schedules.read")
    found = await _fetch(call.db, project_id, query.queries, total=query.total)
    return ScheduleList(total=found.total, schedules=[_as_schedule(row) for row in found.rows])


@routes.post(
    _PATH,
    scope="schedules.write",
    status=201,
    event="schedules.[scheduleId].create",
    raises=(FunctionNotFound, ExecutionNotFound, MessageNotFound),
)
async def create_schedule(call: Call, project_id: str, body: CreateSchedule) -> Schedule:
    """Have something of a project run at certain times. It has to be there."""
    await must_hold(call, project_id, "schedules.write")
    _check_cron(body.schedule)
    data = msgspec.json.encode(body.data)
    if len(data) > _DATA_BYTES:
        raise InvalidParameter(name="data", reason=f"It takes at most {_DATA_BYTES} bytes.")
    find = KEPT.get(body.resource_type)
    if find is None or not await find(call.db, project_id, body.resource_id):
        raise _MISSING[body.resource_type](id=body.resource_id)
    return _as_schedule(await _create(call.db, project_id, body, data))


@routes.get(f"{_PATH}/{{scheduleId}}", scope="schedules.read", raises=(ScheduleNotFound,))
async def get_schedule(call: Call, project_id: str, schedule_id: str) -> Schedule:
    """Get one of a project's schedules."""
    await must_hold(call, project_id, "schedules.read")
    row = await _find(call.db, project_id, schedule_id)
    if row is None:
        raise ScheduleNotFound()
    return _as_schedule(row)


def _check_cron(schedule: str) -> None:
    """Raises InvalidParameter when that is no time, or one that never comes."""
    if len(schedule.split()) != _FIELDS:
        raise InvalidParameter(
            name="schedule",
            reason="It takes five fields: minute, hour, day of the month, month and day of the week.",
        )
    try:
        CronSim(schedule, datetime.now(UTC))
    except CronSimError as error:
        raise InvalidParameter(name="schedule", reason=f"{error}.") from error


def _as_schedule(row: Record) -> Schedule:
    return Schedule(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        resource_type=row["resource_type"],
        resource_id=row["resource_id"],
        resource_updated_at=wire_time(row["resource_updated_at"]),
        project_id=row["project_id"],
        schedule=row["schedule"],
        data=msgspec.json.decode(row["data"]),
        active=row["active"],
        region=row["region"],
    )


# -- SQL -----------------------------------------------------------------------------------------------------

_SCHEDULE = """
    s.id, s.project_id, s.resource_type, s.resource_id, s.resource_updated_at, s.schedule, s.data, s.active,
    s.region, s.created_at, s.updated_at
"""

SCHEDULES = Listing(
    columns=_SCHEDULE,
    source="freehold.schedules s",
    id="s.id",
    created_at="s.created_at",
    attributes={
        "$id": text("s.id"),
        "$createdAt": moment("s.created_at"),
        "$updatedAt": moment("s.updated_at"),
        "resourceType": text("s.resource_type"),
        "resourceId": text("s.resource_id"),
        "projectId": text("s.project_id"),
        "schedule": text("s.schedule"),
        "active": flag("s.active"),
        "region": text("s.region"),
    },
)


async def _fetch(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    where = {"s.project_id = {}": project_id}
    return await listing.fetch(db, SCHEDULES, queries, where=where, total=total)


async def _find(db: Queries, project_id: str, schedule_id: str) -> Record | None:
    return await db.row(
        f"select {_SCHEDULE} from freehold.schedules s where s.project_id = $1 and s.id = $2",
        project_id,
        schedule_id,
    )


async def _create(db: Queries, project_id: str, said: CreateSchedule, data: bytes) -> Record:
    row = await db.row(
        f"""
        insert into freehold.schedules as s
            (project_id, id, resource_type, resource_id, schedule, data, active, region)
        select p.id, $2, $3, $4, $5, $6, $7, p.region from freehold.projects p where p.id = $1
        returning {_SCHEDULE}
        """,
        project_id,
        ids.new_id(),
        said.resource_type,
        said.resource_id,
        said.schedule,
        data,
        said.active,
    )
    if row is None:
        raise ProjectNotFound(id=project_id)
    return row
