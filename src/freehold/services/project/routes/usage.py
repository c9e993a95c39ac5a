"""How much a project is used."""

from __future__ import annotations

from freehold.services import databases, storage, users
from freehold.services.project import traffic
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import USAGE_PERIODS, Input, Metric, Output, UsageRange, wire_time

routes = Routes("project", console=False)


class UsageQuery(Input):
    range: UsageRange = "30d"


class UsageProject(Output):
    """What there is now, and what was in each hour or day of the range."""

    range: str
    requests_total: int
    network_total: int
    users_total: int
    databases_total: int
    documents_total: int
    rows_total: int
    databases_storage_total: int
    databases_reads_total: int
    databases_writes_total: int
    buckets_total: int
    files_total: int
    files_storage_total: int
    requests: list[Metric]
    network: list[Metric]
    users: list[Metric]
    databases_reads: list[Metric]
    databases_writes: list[Metric]


@routes.get("/v1/project/usage", scope="project.read", reference=False)
async def get_usage(call: Call, query: UsageQuery) -> UsageProject:
    """Tell how much the project is asked, and what it holds: hour by hour, or day by day."""
    await call.app.uses.settle()
    await call.app.traffic.settle()
    unit, number = USAGE_PERIODS[query.range]
    project_id = call.project.id
    passing = await traffic.series(call.db, project_id, unit, number)
    of_databases = await databases.usage.periods(call.db, project_id, query.range)
    made = await users.count_by_period(call.db, project_id, unit, number)
    files = await storage.count_all(call.db, project_id)
    now = of_databases[-1]
    return UsageProject(
        range=query.range,
        requests_total=sum(each["requests"] for each in passing),
        network_total=sum(each["bytes"] for each in passing),
        users_total=(await users.count_all(call.db, project_id))["users"],
        databases_total=now.databases,
        documents_total=now.rows,
        rows_total=now.rows,
        databases_storage_total=now.bytes,
        databases_reads_total=sum(each.reads for each in of_databases),
        databases_writes_total=sum(each.writes for each in of_databases),
        buckets_total=files["buckets"],
        files_total=files["files"],
        files_storage_total=files["bytes"],
        requests=[Metric(value=each["requests"], date=wire_time(each["start"])) for each in passing],
        network=[Metric(value=each["bytes"], date=wire_time(each["start"])) for each in passing],
        users=[Metric(value=each["users"], date=wire_time(each["start"])) for each in made],
        databases_reads=[Metric(value=each.reads, date=wire_time(each.start)) for each in of_databases],
        databases_writes=[Metric(value=each.writes, date=wire_time(each.start)) for each in of_databases],
    )
