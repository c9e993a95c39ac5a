"""Kinds of settings: how each is written, and what becomes of it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Kind(NamedTuple):
    """How a setting is written, and what becomes of it."""

    says: str
    read: Callable[[str], Any]


def _read_flag(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError


def whole(least: int, most: int) -> Kind:
    """A whole number within bounds."""

    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return Kind(f"a whole number from {least} to {most}", read)


def number(least: float, most: float) -> Kind:
    """A number within bounds."""

    def read(text: str) -> float:
        value = float(text)
        if not least <= value <= most:  # also refuses nan
            raise ValueError
        return value

    return Kind(f"a number from {least:g} to {most:g}", read)


def size(least: int, most: int) -> Kind:
    """A number of bytes within bounds, said with or without a unit."""
    units = {"": 1, "b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}

    def read(text: str) -> int:
        match = re.fullmatch(r"\s*(\d{1,15})\s*([kmg]?b?)\s*", text.lower())
        if (
            match is None
            or match[2] not in units
            or not least <= (size := int(match[1]) * units[match[2]]) <= most
        ):
            raise ValueError
        return size

    return Kind(f"a size such as 12MB, from {size_text(least)} to {size_text(most)}", read)


def size_text(size: int) -> str:
    """A size in the largest unit that says it exactly."""
    for unit, name in ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB")):
        if size and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


def one_of(*words: str) -> Kind:
    """One of some words."""

    def read(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError
        return text.strip().lower()

    return Kind(f"one of {', '.join(words)}", read)


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(part, strict=False)) for part in _read_list(text))


def _read_database_url(text: str) -> str:
    url = urlsplit(text.strip())
    if url.scheme not in ("postgresql", "postgres") or not (url.netloc or url.query):
        raise ValueError
    return text.strip()


def _read_endpoint(text: str) -> str:
    url = urlsplit(text.strip().rstrip("/"))
    if url.scheme not in ("http", "https") or not url.hostname or not url.path.endswith("/v1") or url.query:
        raise ValueError
    return url.geturl()


def _read_web_address(text: str) -> str:
    url = urlsplit(text.strip().rstrip("/"))
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise ValueError
    return url.geturl()


def _read_directory(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError
    return Path(text).expanduser()


def _read_mailbox(text: str) -> str:
    _name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    if not local or not at or not domain or not text.isprintable() or " " in address:
        raise ValueError
    return text.strip()


def _read_sms_provider(text: str) -> str:
    url = urlsplit(text.strip())
    own = url.scheme in ("http", "https")
    if url.scheme not in SMS_VENDORS or not (url.hostname if own else url.username and url.password):
        raise ValueError
    return text.strip()


def _read_storage_keys(text: str) -> tuple[str, ...]:
    keys = _read_list(text)
    names = [each.partition(":")[0] for each in keys]
    if not all(_STORAGE_KEY.fullmatch(each) for each in keys) or len(set(names)) < len(names):
        raise ValueError
    return tuple(each.lower() for each in keys)


def _read_clamav(text: str) -> str:
    address = text.strip()
    host, _, port = address.rpartition(":")
    if not address.startswith("/") and not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError
    return address


_STORAGE_KEY = re.compile(r"[a-zA-Z0-9._-]{1,32}:[0-9a-fA-F]{64}")

SMS_VENDORS = ("twilio", "vonage", "msg91", "telesign", "textmagic", "https", "http")

FLAG = Kind("true or false", _read_flag)
MAILBOX = Kind("an address such as noreply@example.com or Shop <noreply@example.com>", _read_mailbox)
SMS_PROVIDER = Kind(
    f"a URL such as twilio://SID:TOKEN@, of one of {', '.join(SMS_VENDORS)}", _read_sms_provider
)
STORAGE_KEYS = Kind(
    "a list of names with 64 hex digits each, such as 2026:0a1b..., separated by commas", _read_storage_keys
)
CLAMAV = Kind("host:port, or the path of a socket", _read_clamav)
TEXT = Kind("text", str.strip)
LIST = Kind("a list, separated by commas", _read_list)
NETWORKS = Kind("addresses or networks such as 10.0.0.0/8, separated by commas", _read_networks)
DIRECTORY = Kind("a directory", _read_directory)
DATABASE_URL = Kind("a URL such as postgresql://user:password@host:5432/database", _read_database_url)
ENDPOINT = Kind("a URL that ends in /v1, such as https://api.example.com/v1", _read_endpoint)
WEB_ADDRESS = Kind("a URL such as https://example.com", _read_web_address)
PORT = whole(0, 65535)
