"""Rows of users' tables: what a statement on them is made of, and how its answer is spelled on the wire."""

from freehold.db.rows.aggregates import aggregate
from freehold.db.rows.bulk import choose, delete_many, insert_many, update_many
from freehold.db.rows.columns import ID_ENCODERS, Column, Operand
from freehold.db.rows.operators import Change
from freehold.db.rows.reach import within
from freehold.db.rows.references import Reference
from freehold.db.rows.relations import MAX_RELATED, Link, Load, Related, load
from freehold.db.rows.statement import Scope, Statement, Values
from freehold.db.rows.table import RowTable, Shape
from freehold.db.rows.upserts import Upserted, change_each, upsert_many

__all__ = [
    "ID_ENCODERS",
    "MAX_RELATED",
    "Change",
    "Column",
    "Link",
    "Load",
    "Operand",
    "Reference",
    "Related",
    "RowTable",
    "Scope",
    "Shape",
    "Statement",
    "Upserted",
    "Values",
    "aggregate",
    "change_each",
    "choose",
    "delete_many",
    "insert_many",
    "load",
    "update_many",
    "upsert_many",
    "within",
]
