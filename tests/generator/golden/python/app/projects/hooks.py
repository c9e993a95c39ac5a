"""What else happens when projects change. This file is yours: it was written once, and is never written again.

Each function runs in the transaction of the change, so that raising a `Problem` refuses it and undoes everything.
Bodies may be changed before they are written. Batches call the same functions, once for each item.
"""

from __future__ import annotations

from uuid import UUID

from app.core.db import Tx
from app.projects.schemas import Project, ProjectCreate, ProjectUpdate


async def before_create(tx: Tx, body: ProjectCreate) -> None:
    """A project is about to be made, or changed by its natural key."""


async def after_create(tx: Tx, row: Project) -> None:
    """A project was made."""


async def before_update(tx: Tx, id: UUID, patch: ProjectUpdate) -> None:
    """A project is about to be changed, if the caller may."""


async def after_update(tx: Tx, row: Project) -> None:
    """A project was changed."""


async def before_delete(tx: Tx, id: UUID) -> None:
    """A project is about to be deleted, if the caller may."""


async def after_delete(tx: Tx, id: UUID) -> None:
    """A project was deleted."""
