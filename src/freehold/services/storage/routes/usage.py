"""Endpoints of how much buckets hold."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.services.storage import store, usage
from freehold.services.storage.errors import BucketNotFound
from freehold.services.storage.models import UsageBuckets, UsageStorage
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Input, Metric, UsageRange, wire_time

routes = Routes("storage")


class UsageQuery(Input):
    range: UsageRange = "30d"


@routes.get("/v1/storage/usage", scope="buckets.read", name="getUsage", reference=False)
async def get_usage(call: Call, query: UsageQuery) -> UsageStorage:
    """Tell how much all buckets hold: hour by hour, or day by day."""
    periods = await usage.periods(call.db, call.project.id, query.range)
    now = periods[-1]
    return UsageStorage(
        range=query.range,
        buckets_total=now["buckets"],
        files_total=now["files"],
        files_storage_total=now["bytes"],
        buckets=_series(periods, "buckets"),
        files=_series(periods, "files"),
        storage=_series(periods, "bytes"),
    )


@routes.get(
    "/v1/storage/{bucketId}/usage",
    scope="buckets.read",
    name="getBucketUsage",
    raises=(BucketNotFound,),
    reference=False,
)
async def get_bucket_usage(call: Call, bucket_id: str, query: UsageQuery) -> UsageBuckets:
    """Tell how much a bucket holds: hour by hour, or day by day."""
    bucket = await store.find_bucket(call.db, call.project.id, bucket_id)
    if bucket is None:
        raise BucketNotFound(id=bucket_id)
    periods = await usage.periods(
        call.db, call.project.id, query.range, bucket_id, since=bucket["created_at"]
    )
    now = periods[-1]
    return UsageBuckets(
        range=query.range,
        files_total=now["files"],
        files_storage_total=now["bytes"],
        files=_series(periods, "files"),
        storage=_series(periods, "bytes"),
    )


def _series(periods: list[Record], what: str) -> list[Metric]:
    return [Metric(value=each[what], date=wire_time(each["start"])) for each in periods]
