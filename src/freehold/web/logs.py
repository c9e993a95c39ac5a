"""Logs: one JSON object a line (or readable text on a terminal), without anybody's secrets."""

from __future__ import annotations

import logging
import os
import random
import re
import sys
import time
import traceback
from collections.abc import Iterable, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import urlsplit

import msgspec
import structlog

from freehold.config import Settings

REDACTED = "[redacted]"

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered. What is logged meanwhile carries it."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_ENCODER = msgspec.json.Encoder(enc_hook=str)


def configure(settings: Settings, *, process: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process, the standard library's included. `process` names it on each line."""
    stream = stream or sys.stderr
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and stream.isatty())
    level = _LEVELS[settings.log_level]
    redact = Redactor(_literal_secrets(settings))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _Facts(process),
            _exception_as_text,
            redact,
            _render_text if as_text else _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(level, logging.INFO), handlers=[_ToStructlog()], force=True)
    logging.getLogger("uvicorn").setLevel(max(level, logging.WARNING))  # it tells each step of its start
    _access.share = settings.access_log if level <= logging.INFO else 0.0
    _access.process, _access.as_text, _access.stream = process, as_text, stream


def access(*, request_id: str, method: str, route: str, status: int, elapsed_s: float, project: str) -> None:
    """Log a request that was answered: all that failed on our side, and of the others a share."""
    _access.log(request_id, method, route, status, elapsed_s, project)


class _Answered(msgspec.Struct):
    """A line of the access log."""

    time: str
    level: str
    event: str
    process: str
    request_id: str
    method: str
    route: str
    status: int
    ms: float
    project: str


class _AccessLog:
    """Writes the lines of answered requests past structlog: they are many, and hold nothing to redact."""

    def __init__(self) -> None:
        self.share = 0.0
        self.process = ""
        self.as_text = False
        self.stream: TextIO = sys.stderr
        self._second = 0
        self._prefix = ""

    def log(self, id_: str, method: str, route: str, status: int, elapsed_s: float, project: str) -> None:
        share = self.share
        if share < 1.0 and status < 500 and (share == 0.0 or random.random() >= share):  # noqa: S311
            return
        ms = int(elapsed_s * 100_000 + 0.5) / 100
        level = "info" if status < 500 else "error"
        line = _Answered(
            self._time(), level, "request", self.process, id_, method, route, status, ms, project
        )
        text = _render_text(None, level, msgspec.structs.asdict(line)) if self.as_text else _to_json(line)
        self.stream.write(text + "\n")
        self.stream.flush()

    def _time(self) -> str:
        moment = time.time()
        second = int(moment)
        if second != self._second:
            self._second = second
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return f"{self._prefix}{int((moment - second) * 1000):03}Z"


_access = _AccessLog()


class Redactor:
    """Takes secrets out of what is logged: by the name of a value, by their look, and our own by heart."""

    def __init__(self, literals: Iterable[str] = ()) -> None:
        known = sorted((re.escape(one) for one in literals if len(one) >= 8), key=len, reverse=True)
        self._literals = re.compile("|".join(known)) if known else None

    def __call__(self, _: object, __: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: self.value(name, value) for name, value in facts.items()}

    def value(self, name: str, value: Any) -> Any:
        """A value as it may be logged under this name."""
        if value and _SECRET_NAME.search(name) and not isinstance(value, (bool, int, float)):
            return REDACTED
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {str(key): self.value(str(key), inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            # A pair such as (b"cookie", b"...") is how headers come.
            items = list(value)
            if len(items) == 2 and isinstance(items[0], (str, bytes)):
                label = items[0].decode("latin-1") if isinstance(items[0], bytes) else items[0]
                return [label, self.value(label, items[1])]
            return [self.value(name, inner) for inner in items]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def text(self, text: str) -> str:
        """A text with what looks like a secret taken out."""
        if self._literals is not None:
            text = self._literals.sub(REDACTED, text)
        for look, instead in _LOOKS:
            text = look.sub(instead, text)
        return text


_NAMES = (
    r"passw|secret|token|cookie|authorization|credential|jwt|\botp\b|api[-_]?key|dsn|database_url"
    r"|recovery_code|x-appwrite-(?:key|session|dev-key)|private_key|signature"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_QUOTED = r"""b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'"""

_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A JSON web token.
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), REDACTED),
    # The password in a URL.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\ba_session_[^=\s;,]+=[^\s;,]+"), REDACTED),
    (re.compile(r"\b(standard|dynamic|ephemeral|account|organization)_[0-9a-zA-Z]{24,}"), REDACTED),
    # name=value, "name": "value" and ("name", "value") in a text that somebody put together.
    (
        re.compile(
            rf"""((?:{_NAMES})[\w-]*(?:["']\s*,\s*(?=b?["'])|["']?\s*[:=]\s*))({_QUOTED}|[^\s,;&}})\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # Long hexadecimal texts: keys and session secrets of ours. Ids and digests of files are shorter.
    (re.compile(r"\b[0-9a-fA-F]{65,}\b"), REDACTED),
)


def _literal_secrets(settings: Settings) -> list[str]:
    """Our own secrets, to be found in whatever shape they turn up."""
    known = [settings.secret, settings.database_url, settings.smtp_password, settings.sms_provider]
    if settings.database_url:
        known.append(urlsplit(settings.database_url).password or "")
    return [one for one in known if one]


class _Facts:
    """Adds what every line has."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _: object, __: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event, level = facts.pop("event", ""), facts.pop("level", "info")
        line: dict[str, Any] = {"time": _now(), "level": level, "event": event, "process": self._process}
        if current := request_id.get():
            line["request_id"] = current
        line.update(facts)
        return line


def _exception_as_text(_: object, __: str, facts: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    trouble = facts.pop("exc_info", None)
    if trouble is True:
        trouble = sys.exc_info()
    if isinstance(trouble, BaseException):
        trouble = (type(trouble), trouble, trouble.__traceback__)
    if trouble and trouble[0] is not None:
        facts["exception"] = "".join(traceback.format_exception(*trouble)).rstrip()
    return facts


def _render_json(_: object, __: str, facts: MutableMapping[str, Any]) -> str:
    return _to_json(facts)


def _to_json(line: object) -> str:
    return _ENCODER.encode(line).decode()


def _render_text(_: object, __: str, facts: MutableMapping[str, Any]) -> str:
    facts = dict(facts)
    moment, level, event = facts.pop("time", ""), facts.pop("level", ""), facts.pop("event", "")
    trouble = facts.pop("exception", "")
    rest = " ".join(f"{name}={_one_line(value)}" for name, value in facts.items() if value not in ("", None))
    return f"{moment[11:23]} {level:<7} {_one_line(event)}  {rest}" + (f"\n{trouble}" if trouble else "")


def _one_line(value: Any) -> str:
    """A value without line breaks and control characters: nobody may write a line of the log but us."""
    text = str(value)
    return text if text.isprintable() else repr(text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _ToStructlog(logging.Handler):
    """Takes what libraries log by the standard library into the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        logger = structlog.get_logger()
        name = {50: "error", 40: "error", 30: "warning", 20: "info"}.get(record.levelno, "debug")
        getattr(logger, name)(message, logger=record.name, exc_info=record.exc_info or None, pid=os.getpid())
