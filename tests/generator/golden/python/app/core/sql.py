"""The changing parts of a statement: conditions and assignments with their bound values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.core.access import Principal
from app.core.rules import ME, TENANT, Condition, MemberOf

Columns = Mapping[str, str]
"""What the API calls a field, and its column as SQL spells it."""


def select_list(columns: Columns) -> str:
    """The columns, each under the name that the API gives it."""
    return ", ".join(
        column if column.strip('"') == name else f'{column} as "{name}"' for name, column in columns.items()
    )


class Statement:
    """Collects conditions and values. Only names that this service wrote become part of the SQL text."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._conditions: list[str] = []

    def bind(self, value: object) -> str:
        """Keep the value, and answer with its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"

    def where(self, condition: str) -> None:
        self._conditions.append(condition)

    @property
    def conditions(self) -> str:
        return " and ".join(self._conditions) or "true"

    def allow(self, principal: Principal, permission: str, unless: str = "false") -> None:
        """Only the rows on which the caller has the permission, or for which `unless` holds."""
        grants = principal.grants(permission)
        if () in grants:
            return
        ways = [" and ".join(self._rule(principal, condition) for condition in grant) for grant in grants]
        self.where(f"({' or '.join([*ways, unless])})")

    def _rule(self, principal: Principal, condition: Condition) -> str:
        if isinstance(condition, MemberOf):
            user = self.bind(principal.id)
            return f"id in (select {condition.row_column} from {condition.link} where {condition.user_column} = {user})"
        values = [self._caller_value(principal, value) for value in condition.values]
        return f"{condition.column} in ({', '.join(self.bind(value) for value in values)})"

    @staticmethod
    def _caller_value(principal: Principal, value: object) -> object:
        if value is ME:
            return principal.id
        return principal.tenant_id if value is TENANT else value

    def version(self, versions: list[int] | None) -> None:
        """Only the row whose version the caller has seen, if it said which."""
        if versions is not None:
            self.where(f"version = any({self.bind(versions)}::bigint[])")

    def search(self, column: str, text: str | None) -> None:
        """Only the rows that have the words of a web search, if there is one."""
        if text is not None:
            self.where(f"{column} @@ websearch_to_tsquery('simple', {self.bind(text)})")

    def filter(self, columns: Columns, filters: Iterable[tuple[str, Any]]) -> None:
        """Conditions from query parameters such as `budget.gte`."""
        for parameter, value in filters:
            name, _, operator = parameter.partition(".")
            self.where(self._comparison(columns[name], operator, value))

    def _comparison(self, column: str, operator: str, value: Any) -> str:
        if operator == "is_null":
            return f"{column} is {'' if value else 'not '}null"
        if operator == "in":
            return f"{column} = any({self.bind(value)})"
        if operator in ("contains", "starts_with"):
            pattern = ("%" if operator == "contains" else "") + _escape_like(value) + "%"
            return f"{column} ilike {self.bind(pattern)}"
        sign = {"": "=", "eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[operator]
        return f"{column} {sign} {self.bind(value)}"

    def kept(self, columns: Columns, values: Mapping[str, object]) -> str:
        """Of each value whether the row has it already, as an array."""
        kept = (f"{columns[name]} is not distinct from {self.bind(value)}" for name, value in values.items())
        return f"array[{', '.join(kept)}]"

    def assignments(self, columns: Columns, values: Mapping[str, object]) -> str:
        """`name = $1, budget = $2, `: with a comma at the end, since `version` and its like follow."""
        return "".join(f"{columns[name]} = {self.bind(value)}, " for name, value in values.items())


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
