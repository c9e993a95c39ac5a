"""Lists of the audit log, for the services whose resources they tell of."""

from freehold.services.audit.logs import AUDIENCE_ERRORS, Log, LogList, LogQuery, list_logs, list_logs_of

__all__ = ["AUDIENCE_ERRORS", "Log", "LogList", "LogQuery", "list_logs", "list_logs_of"]
