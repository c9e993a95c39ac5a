"""Lists of the audit log, for the services whose resources they tell of."""

from freehold.services.audit.logs import (
    AUDIENCE_ERRORS,
    Log,
    LogList,
    LogQuery,
    ProjectLogList,
    list_logs,
    list_logs_for_owner,
    list_logs_of,
    list_project_logs,
)

__all__ = [
    "AUDIENCE_ERRORS",
    "Log",
    "LogList",
    "LogQuery",
    "ProjectLogList",
    "list_logs",
    "list_logs_for_owner",
    "list_logs_of",
    "list_project_logs",
]
