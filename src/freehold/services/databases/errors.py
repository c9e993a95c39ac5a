"""What can go wrong with databases, tables, columns, indexes and rows."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Forbidden, NotFound, Problem, UserUnauthorized


class DatabaseNotFound(NotFound, type="database_not_found"):
    """The database `{id}` was not found."""


class DatabaseAlreadyExists(Conflict, type="database_already_exists"):
    """There is a database with the id `{id}` already. Choose another id."""


class TableNotFound(NotFound, type="table_not_found"):
    """The table `{id}` was not found."""


class TableAlreadyExists(Conflict, type="table_already_exists"):
    """There is a table with the id `{id}` already. Choose another id."""


class TableFollowsSchema(BadRequest, type="general_feature_unsupported"):
    """The table `{id}` comes from a schema file. Change the file, and apply it with `freehold apply`."""


class ColumnNotFound(NotFound, type="column_not_found"):
    """The column `{key}` was not found."""


class ColumnAlreadyExists(Conflict, type="column_already_exists"):
    """There is a column with the key `{key}` already. Choose another key."""


class ColumnLimitExceeded(BadRequest, type="column_limit_exceeded"):
    """A table has at most {limit} columns."""


class ColumnSpaceExceeded(BadRequest, type="column_limit_exceeded"):
    """PostgreSQL has no room for another column: those that were deleted keep their place. Move the rows to
    a new table."""


class ColumnBoundExceeded(BadRequest, type="column_limit_exceeded"):
    """The value of `{key}` would pass {bound}."""


class ColumnTypeInvalid(BadRequest, type="column_type_invalid"):
    """The column `{key}` is of the type {type}. Use the route of that type."""


class ColumnValueInvalid(BadRequest, type="column_value_invalid"):
    """The column `{key}` cannot be so: {reason}."""


class ColumnDefaultUnsupported(BadRequest, type="column_default_unsupported"):
    """A required column, or one of a list, cannot have a default."""


class IndexNotFound(NotFound, type="column_index_not_found"):
    """The index `{key}` was not found."""


class IndexAlreadyExists(Conflict, type="column_index_already_exists"):
    """There is an index with the key `{key}` already. Choose another key."""


class IndexLimitExceeded(BadRequest, type="column_index_limit_exceeded"):
    """A table has at most {limit} indexes."""


class IndexInvalid(BadRequest, type="column_index_invalid"):
    """The index cannot be made: {reason}."""


class IndexDependency(Conflict, type="column_index_dependency"):
    """The index `{index}` needs the column `{key}`. Delete the index first."""


class RowNotFound(NotFound, type="row_not_found"):
    """The row `{id}` was not found."""


class RowAlreadyExists(Conflict, type="row_already_exists"):
    """There is a row with this id already. Choose another id, or update that row."""


class RowNotUnique(Conflict, type="row_unique_constraint_violation"):
    """Another row has the same value in {columns} already."""


class RowInvalidStructure(BadRequest, type="row_invalid_structure"):
    """Invalid row structure: {reason}"""


class RowMissingData(BadRequest, type="row_missing_data"):
    """The row's data is missing. Send it as the parameter `data`."""


class RowMissingPayload(BadRequest, type="row_missing_payload"):
    """There is nothing to change. Send `data`, `permissions`, or both."""


class RowUpdateConflict(Conflict, type="row_update_conflict"):
    """The row has been changed since. Read it again before you change it."""


class RowDeleteRestricted(Forbidden, type="row_delete_restricted"):
    """Other rows refer to this row. Delete them first."""


class NotPermitted(UserUnauthorized, type="user_unauthorized"):
    """You may not do this: {reason}."""


class RelationshipInBulk(BadRequest, type="general_bad_request"):
    """`{key}` is a relationship, which cannot be the same in all rows that fit. Upsert these rows instead."""


class NoTenant(BadRequest, type="general_argument_invalid"):
    """Invalid `X-Tenant-Id` header: {reason}"""


class TransactionNotFound(NotFound, type="transaction_not_found"):
    """The transaction `{id}` was not found. It may belong to somebody else, or be long gone."""


class TransactionNotReady(BadRequest, type="transaction_not_ready"):
    """The transaction is {status}, so nothing can be done with it any more. Begin another one."""


class TransactionExpired(Problem, type="transaction_expired", status=410):
    """The transaction has expired, and nothing of it was done. Begin another one, with a longer `ttl`."""


class TransactionConflict(Conflict, type="transaction_conflict"):
    """The row `{id}` of the table `{table}` was changed by somebody else since. Begin another transaction."""


class TransactionLimitExceeded(BadRequest, type="transaction_limit_exceeded"):
    """A transaction has at most {limit}. Commit what there is, and begin another one."""


class TransactionInvalid(BadRequest, type="transaction_invalid"):
    """Say either `commit` or `rollback`."""
