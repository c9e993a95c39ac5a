"""Tokens that let a plan be carried out, once it was shown, for as long as it is still what would be done."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

import msgspec


class ApprovalRefused(ValueError):
    """The token is not one of the plan as it would be carried out now."""


class Approvals:
    """Makes and checks tokens. They are good for this process alone."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, tool: str, arguments: Mapping[str, object], plan: object) -> str:
        """The token of a plan: of the tool, what it is told, and everything that it would do."""
        shown = msgspec.json.encode([tool, arguments, plan], order="deterministic")
        return hmac.new(self._key, shown, hashlib.sha256).hexdigest()

    def check(self, token: str, tool: str, arguments: Mapping[str, object], plan: object) -> None:
        """Raises ApprovalRefused."""
        expected = self.token(tool, arguments, plan)
        if not hmac.compare_digest(token.encode(), expected.encode()):
            raise ApprovalRefused(
                "The token is not one for this plan: the schema, the files or the database changed since it"
                " was shown, or it was shown with other arguments. Nothing was written. Ask"
                f" plan_{tool} again, and read the new plan."
            )
