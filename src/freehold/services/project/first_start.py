"""What a first start makes, so that there is something to call: an organization, a project and an API key."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import structlog

from freehold.access import scopes
from freehold.db.pool import Database
from freehold.services import projects
from freehold.services.project import store
from freehold.services.project.keys import sealing_key

log = structlog.get_logger("freehold.project")

DEFAULT = "default"
"""The id of all three."""


class FirstProject(NamedTuple):
    """The project and the API key that the first start made; empty when they have been deleted since."""

    project: str
    key: str


async def first_start(db: Database, secret: str) -> FirstProject:
    """Make the first project, or find the one that an earlier start made. Starts that race make one."""
    sealing = sealing_key(secret)
    async with db.transaction() as transaction:
        settings = msgspec.json.decode(await store.hold_console(transaction))
        if "defaultOrganizationId" not in settings:
            await store.create_first(transaction, DEFAULT, DEFAULT)
            new = store.NewKey(id=DEFAULT, name="Default", scopes=sorted(scopes.ALL_PROJECT))
            _, text = await store.create_key(transaction, sealing, DEFAULT, new)
            return FirstProject(project=DEFAULT, key=text)
        project = await projects.find(transaction, DEFAULT)
        if project is None:
            return FirstProject(project="", key="")
        kept = await store.find_key_text(transaction, sealing, DEFAULT, DEFAULT)
        if kept is None and await store.find_key(transaction, DEFAULT, DEFAULT) is not None:
            log.warning(
                "another_secret",
                advice="This database was made with another FREEHOLD_SECRET. Tokens of the other machines are"
                " refused here, and API keys cannot be shown again. Set it to the same value everywhere;"
                " where it was not set, it stands in the file `secret` of the data directory.",
            )
        return FirstProject(project=DEFAULT, key=kept or "")
