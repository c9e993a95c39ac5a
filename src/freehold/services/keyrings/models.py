"""What is said of a key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from freehold.ids import UNIQUE
from freehold.web.wire import CustomId, Input, Name


class SayKey(Input):
    name: Name
    scopes: Annotated[list[str], Meta(max_length=100)]
    expire: datetime | None = None


class CreateKey(SayKey, kw_only=True):
    key_id: CustomId = UNIQUE
