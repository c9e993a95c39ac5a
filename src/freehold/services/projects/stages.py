"""Stages: what somebody who begins with a project does once, and whether that is done yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

from freehold import audit
from freehold.db.pool import Queries, Record
from freehold.errors import AccessForbidden, ProjectNotFound
from freehold.services.projects.access import must_hold
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Input, Output, wire_time

routes = Routes("projects", raises=(AccessForbidden, ProjectNotFound))

_PATH = "/v1/projects/{projectId}/stages"

StageId = Literal["platform", "key", "ping", "user", "table"]
Status = Literal["pending", "completed", "skipped"]

_COMPLETED_BY: dict[str, StageId] = {
    "platforms.create": "platform",
    "keys.create": "key",
    "user.create": "user",
    "table.create": "table",
}
"""The stage that the first event of a kind completes. Pings are no events: counting notes them."""


class Stage(Output):
    id: str
    sdk: str
    """The SDK that was used, as it calls itself; empty when it was none, or is not known."""
    status: Status
    at: str
    """When it was completed or skipped; empty while it is pending."""
    actor_type: str
    """What completed or skipped it, as logs say it; empty when that is not known."""


class StageList(Output):
    stages: list[Stage]


class UpdateStage(Input):
    skip: bool = True


@routes.get(_PATH, scope="stages.read")
async def list_stages(call: Call, project_id: str) -> StageList:
    """List what there is to begin with in a project: an application, a key, a ping, a user, a table."""
    await must_hold(call, project_id, "stages.read")
    found = {row["id"]: row for row in await _fetch(call.db, project_id)}
    return StageList(stages=[_as_stage(found[each]) for each in get_args(StageId)])


@routes.patch(
    f"{_PATH}/{{stageId}}", scope="stages.write", event="projects.[projectId].stages.[stageId].update"
)
async def update_stage(call: Call, project_id: str, stage_id: StageId, body: UpdateStage) -> Stage:
    """Skip a stage, or take that back. One that is completed stays so."""
    await must_hold(call, project_id, "stages.write")
    await _skip(call.db, project_id, stage_id, call.user_type if body.skip else "")
    [row] = [row for row in await _fetch(call.db, project_id) if row["id"] == stage_id]
    return _as_stage(row)


def _as_stage(row: Record) -> Stage:
    noted: datetime | None = row["completed_at"]
    found: datetime | None = row["found_at"]
    if noted is not None and (found is None or noted <= found):
        return Stage(
            id=row["id"],
            sdk=row["sdk"],
            status="completed",
            at=wire_time(noted),
            actor_type=row["completed_by"],
        )
    if found is not None:  # before anything was noted: by the first start, say
        return Stage(id=row["id"], sdk="", status="completed", at=wire_time(found), actor_type="")
    return Stage(
        id=row["id"],
        sdk="",
        status="pending" if row["skipped_at"] is None else "skipped",
        at=wire_time(row["skipped_at"]),
        actor_type=row["skipped_by"],
    )


async def note(db: Queries, happened: Sequence[Record]) -> None:
    """Note which stages events complete, in the transaction that takes these over."""
    first: dict[tuple[str, str], tuple[datetime, str, str]] = {}
    for event in happened:
        name: str = event["event"]
        if not name.endswith(".create") or ".rows." in name:
            continue  # most events are of rows
        stage = _COMPLETED_BY.get(audit.subject(name).action)
        if stage is not None and (event["project_id"], stage) not in first:
            caller = audit.caller_of(event)
            user_type = audit.user_type(event["actor"], caller.mode, is_console=False)
            first[event["project_id"], stage] = (event["created_at"], user_type, caller.sdk)
    if first:
        await _complete(db, [(*which, *told) for which, told in first.items()])


# -- SQL -----------------------------------------------------------------------------------------------------

# What there is counts before anything was noted of it, and what was noted when it is there no more.
_FOUND = """
    select s.id, s.found_at, n.completed_at, n.skipped_at, coalesce(n.completed_by, '') as completed_by,
           coalesce(n.skipped_by, '') as skipped_by, coalesce(n.sdk, '') as sdk
    from (values
        ('platform', (select min(created_at) from freehold.platforms where project_id = $1)),
        ('key', (select min(created_at) from freehold.keys where project_id = $1)),
        ('ping', null),
        ('user', (select min(created_at) from freehold.users where project_id = $1)),
        ('table', (select min(created_at) from freehold.tables where project_id = $1))
    ) as s (id, found_at)
    left join freehold.stages n on n.project_id = $1 and n.id = s.id
"""


async def _fetch(db: Queries, project_id: str) -> list[Record]:
    return await db.rows(_FOUND, project_id)


async def _skip(db: Queries, project_id: str, stage_id: str, user_type: str) -> None:
    """Note by what a stage is skipped; by nothing, that it is not."""
    await db.run(
        """
        insert into freehold.stages as s (project_id, id, skipped_at, skipped_by)
        values ($1, $2, case when $3 <> '' then now() end, $3)
        on conflict (project_id, id) do update
            set skipped_at = excluded.skipped_at, skipped_by = excluded.skipped_by
        """,
        project_id,
        stage_id,
        user_type,
    )


async def _complete(db: Queries, told: Sequence[tuple[str, str, datetime, str, str]]) -> None:
    """Note what came through a stage first. Of a project that is gone nothing is kept."""
    await db.run(
        """
        insert into freehold.stages as s (project_id, id, completed_at, completed_by, sdk)
        select p.id, c.id, c.completed_at, c.completed_by, c.sdk
        from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
            as c (project_id, id, completed_at, completed_by, sdk)
        join freehold.projects p on p.id = c.project_id and p.id <> 'console'
        order by 1, 2
        on conflict (project_id, id) do update
            set completed_at = excluded.completed_at, completed_by = excluded.completed_by, sdk = excluded.sdk
            where s.completed_at is null
        """,
        *map(list, zip(*told, strict=True)),
    )
