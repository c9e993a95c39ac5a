"""SQL of what webhooks are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from freehold import audit
from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, number, text
from freehold.db.pool import Queries, Record
from freehold.jobs import enqueue
from freehold.services.webhooks.grammar import all_names

DELIVER = "webhooks.deliver"

_DELIVERY = """
    d.key, d.webhook_id, d.event, d.resource, d.state, d.attempts, d.run_at, d.error, d.created_at,
    d.updated_at
"""

DELIVERIES = Listing(
    columns=_DELIVERY,
    source="freehold.webhook_deliveries d",
    id="d.key::text",
    created_at="d.created_at",
    attributes={
        "$id": text("d.key::text"),
        "$createdAt": moment("d.created_at"),
        "$updatedAt": moment("d.updated_at"),
        "event": text("d.event"),
        "status": text("d.state"),
        "attempts": number("d.attempts"),
    },
)


async def fetch(
    db: Queries, project_id: str, webhook_id: str, queries: Sequence[str], *, total: bool
) -> Found:
    """List what a webhook is still to be told, and what it could not be told."""
    where = {"d.project_id = {}": project_id, "d.webhook_id = {}": webhook_id}
    return await listing.fetch(db, DELIVERIES, queries, where=where, total=total)


async def replay(db: Queries, project_id: str, webhook_id: str, key: str) -> Record | None:
    """Let what was given up be tried again, at once."""
    return await db.row(
        f"""
        update freehold.webhook_deliveries d
        set state = 'waiting', attempts = 0, run_at = now(), error = '', updated_at = now()
        where d.project_id = $1 and d.webhook_id = $2 and d.key::text = $3 and d.state = 'dead'
        returning {_DELIVERY}
        """,
        project_id,
        webhook_id,
        key,
    )


async def note(db: Queries, happened: Sequence[Record]) -> None:
    """Note what webhooks are to be told of events, in the transaction that takes them over."""
    webhooks = await db.rows(
        "select project_id, id, events from freehold.webhooks where enabled and project_id = any($1)",
        list({event["project_id"] for event in happened}),
    )
    if not webhooks:
        return
    told: list[tuple[int, str, str]] = []
    receivers: set[tuple[str, str]] = set()
    for event in happened:
        own = [each for each in webhooks if each["project_id"] == event["project_id"]]
        names = frozenset(all_names(event["event"])) if own else frozenset()
        for each in own:
            if not names.isdisjoint(each["events"]):
                told.append((event["id"], each["id"], audit.subject(event["event"]).resource))
                receivers.add((each["project_id"], each["id"]))
    if told:
        await db.run(
            """
            insert into freehold.webhook_deliveries
                (project_id, webhook_id, event, resource, actor, payload, happened_at)
            select o.project_id, told.webhook_id, o.event, told.resource, o.actor, o.payload, o.created_at
            from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality
                as told (event_id, webhook_id, resource, at)
            join freehold.outbox o on o.id = told.event_id
            order by told.at
            """,
            *map(list, zip(*told, strict=True)),
        )
    for project_id, webhook_id in sorted(receivers):
        await have_told(db, project_id, webhook_id)


class Webhook(msgspec.Struct, frozen=True):
    """Whom a job tells."""

    webhook_id: str


async def have_told(db: Queries, project_id: str, webhook_id: str) -> None:
    """Have a webhook told what is due, unless that is under way."""
    await enqueue(db, DELIVER, Webhook(webhook_id), project_id=project_id, unique_key=webhook_id)


async def find_receiver(db: Queries, project_id: str, webhook_id: str) -> Record | None:
    """Find a webhook that may be told something now."""
    return await db.row(
        """
        select name, url, tls, auth_username, auth_password_sealed, secret_sealed, attempts
        from freehold.webhooks
        where project_id = $1 and id = $2 and enabled and coalesce(paused_until <= now(), true)
        """,
        project_id,
        webhook_id,
    )


async def due(db: Queries, project_id: str, webhook_id: str, after: str, most: int) -> list[Record]:
    """Of each resource behind `after`, in the order of their names, what has waited longest, if it is due."""
    return await db.rows(
        """
        with recursive first as (
            (select d.* from freehold.webhook_deliveries d
              where d.project_id = $1 and d.webhook_id = $2 and d.state = 'waiting' and d.resource > $3
              order by d.resource, d.id limit 1)
            union all
            select next.* from first cross join lateral (
                select d.* from freehold.webhook_deliveries d
                 where d.project_id = $1 and d.webhook_id = $2 and d.state = 'waiting'
                   and d.resource > first.resource
                 order by d.resource, d.id limit 1
            ) next
        )
        select id, key, event, resource, actor, payload, attempts from first where run_at <= now() limit $4
        """,
        project_id,
        webhook_id,
        after,
        most,
    )


async def settle_done(db: Queries, delivery_ids: Sequence[int]) -> None:
    """Forget what has been taken."""
    await db.run("delete from freehold.webhook_deliveries where id = any($1)", list(delivery_ids))


async def settle_failed(db: Queries, delivery_id: int, error: str, wait_s: float | None) -> None:
    """Note that a delivery has failed; without `wait_s` it is given up."""
    await db.run(
        """
        update freehold.webhook_deliveries
        set attempts = attempts + 1, error = $2, updated_at = now(),
            state = case when $3::float8 is null then 'dead' else 'waiting' end,
            run_at = now() + make_interval(secs => coalesce($3::float8, 0))
        where id = $1
        """,
        delivery_id,
        error,
        wait_s,
    )


async def note_success(db: Queries, project_id: str, webhook_id: str) -> None:
    """Forget how often a webhook had failed."""
    await db.run(
        """
        update freehold.webhooks set attempts = 0, paused_until = null
        where project_id = $1 and id = $2 and attempts > 0
        """,
        project_id,
        webhook_id,
    )


async def note_failure(
    db: Queries, project_id: str, webhook_id: str, says: str, wait_s: float, most_attempts: int
) -> bool:
    """Let a webhook rest, and disable it when it has failed too often. Whether that is so now."""
    return bool(
        await db.value(
            """
            update freehold.webhooks
            set attempts = attempts + 1, logs = $3, paused_until = now() + make_interval(secs => $4),
                enabled = attempts + 1 < $5, updated_at = now()
            where project_id = $1 and id = $2 and enabled
            returning not enabled
            """,
            project_id,
            webhook_id,
            says,
            wait_s,
            most_attempts,
        )
    )


async def tell_organization(db: Queries, project_id: str, webhook_id: str, title: str, body: str) -> None:
    """Note something for those who run the project, where they are told of things: on the console."""
    await db.run(
        """
        insert into freehold.notifications
            (project_id, id, user_id, type, channel, resource_type, resource_id, about_project_id, title,
             body)
        select 'console', replace(gen_random_uuid()::text, '-', ''), m.user_id, 'alert', 'console',
               'webhooks', $2, $1, $3, $4
        from freehold.projects p
        join freehold.memberships m on m.project_id = 'console' and m.team_id = p.team_id and m.confirmed
        where p.id = $1 and m.roles && array['owner', 'developer', format('project-%s-owner', p.id),
                                            format('project-%s-developer', p.id)]
        """,
        project_id,
        webhook_id,
        title,
        body,
    )


async def waiting(db: Queries) -> list[Record]:
    """The webhooks that something is due for."""
    return await db.rows(
        """
        select distinct d.project_id, d.webhook_id
        from freehold.webhook_deliveries d
        join freehold.webhooks w on w.project_id = d.project_id and w.id = d.webhook_id
        where d.state = 'waiting' and d.run_at <= now() and w.enabled
          and coalesce(w.paused_until <= now(), true)
        """
    )


async def forget(db: Queries, days: float, most: int) -> int:
    """Delete what was given up so long ago, and what has waited so long for a webhook that is off."""
    deleted: list[Any] = await db.rows(
        """
        delete from freehold.webhook_deliveries where id in (
            select id from freehold.webhook_deliveries
            where updated_at < now() - $1 * interval '1 day' order by updated_at limit $2
        ) returning 1
        """,
        days,
        most,
    )
    return len(deleted)
