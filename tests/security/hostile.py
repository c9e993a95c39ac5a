"""Names that attackers send."""

from __future__ import annotations

HOSTILE = [
    'name"; drop table t; --',
    "name' or '1'='1",
    "name->>'a'",
    "name.a",
    "name#0",
    "name\u02bc",
    "$1",
    "_permissions",
    "_id",
    "__proto__",
    'name") from t; select ("name',
    "{0.__class__}",
    "name, (select secret_digest from freehold.keys)",
]
"""What attackers write where the name of a column stands, or its value."""
