"""Every setting, with the sentence that is its documentation, and where its value comes from."""

# ruff: noqa: RUF009 - `_setting` makes a dataclass field

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import secrets
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

FILE_NAME = "freehold.toml"
PREFIX = "FREEHOLD_"
LEAST_SECRET_CHARACTERS = 32


class Refusal(Exception):
    """We do not go on. The message says why, and what to do, to whoever started us."""


class ConfigError(Refusal):
    """Settings that cannot be used: one line for each, naming where it stands and how to mend it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Kind(NamedTuple):
    """How a setting is written, and what becomes of it."""

    says: str
    read: Callable[[str], Any]


def _setting(
    kind: Kind,
    says: str,
    *,
    default: Any,
    shown: str = "",
    secret: bool = False,
    names: tuple[str, ...] = (),
) -> Any:
    """A setting. `names` are variables that may set it besides FREEHOLD_<its name>, which wins over them."""
    facts = {
        "kind": kind,
        "says": says,
        "shown": shown,
        "secret": secret,
        "names": names,
    }
    return field(default=default, repr=not secret, metadata=facts)


def _read_flag(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off", ""):
        return False
    raise ValueError


def _whole(least: int, most: int) -> Kind:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return Kind(f"a whole number from {least} to {most}", read)


def _number(least: float, most: float) -> Kind:
    def read(text: str) -> float:
        number = float(text)
        if not least <= number <= most:  # also refuses nan
            raise ValueError
        return number

    return Kind(f"a number from {least:g} to {most:g}", read)


def _size(least: int, most: int) -> Kind:
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


def _one_of(*words: str) -> Kind:
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
PORT = _whole(0, 65535)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation can be told. Immutable; every part of the process reads the same."""

    data: Path = _setting(
        DIRECTORY,
        "Where everything that this installation keeps in files lies.",
        default=Path("data"),
    )
    database_url: str = _setting(
        DATABASE_URL,
        "The PostgreSQL (15 or newer) to use. Without it an embedded one runs below the data directory.",
        default="",
        shown="the embedded PostgreSQL",
        secret=True,
        names=("DATABASE_URL",),
    )
    host: str = _setting(
        TEXT,
        "The address to listen on. Take 0.0.0.0 to be reached from other machines.",
        default="127.0.0.1",
    )
    port: int = _setting(
        PORT,
        "The port to listen on; 0 takes a free one.",
        default=8080,
        names=("PORT",),
    )
    public_endpoint: str = _setting(
        ENDPOINT,
        "The endpoint as clients reach it, when a proxy or a domain stands in front.",
        default="",
        shown="made of host and port",
    )
    admin_host: str = _setting(
        TEXT,
        "The address on which /metrics, /healthz and /readyz are served.",
        default="127.0.0.1",
    )
    admin_port: int = _setting(
        PORT,
        "The port of /metrics, /healthz and /readyz; 0 takes a free one and prints it.",
        default=0,
    )
    workers: int = _setting(
        _whole(0, 256),
        "How many processes answer requests; 0 is one for each core.",
        default=0,
    )
    secret: str = _setting(
        TEXT,
        "The key that signs tokens and seals stored secrets, at least 32 characters. Set it to the same"
        " value on"
        " every machine of an installation; `openssl rand -hex 32` makes one.",
        default="",
        shown="made at the first start, and kept in the data directory",
        secret=True,
    )
    dev: bool = _setting(
        FLAG,
        "For development and tests only: rate limits off, any Host header accepted, mock providers served.",
        default=False,
    )
    domains: tuple[str, ...] = _setting(
        LIST,
        "The host names that this server answers to beside localhost and plain addresses.",
        default=(),
        shown="none besides the host of the public endpoint, which need not be named",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        NETWORKS,
        "The proxies whose X-Forwarded-For, -Proto and -Host are believed. From anybody else they are"
        " ignored.",
        default=(),
        shown="none",
    )
    private_hosts: tuple[str, ...] = _setting(
        LIST,
        "The host names inside your network that projects may sign people in with, such as the one of a"
        " Keycloak. Calls to what people enter reach no other private addresses.",
        default=(),
        shown="none",
    )
    outside_stand_in: str = _setting(
        TEXT,
        "For tests, with FREEHOLD_DEV: the URL of a server that is called in place of all others, with the"
        " host that was meant in the Host header.",
        default="",
        shown="none",
    )
    console_emails: tuple[str, ...] = _setting(
        LIST,
        "Who may register on the console beside its first user, as e-mail addresses.",
        default=(),
        shown="nobody",
    )
    console_ips: tuple[str, ...] = _setting(
        NETWORKS,
        "From where people may register on the console.",
        default=(),
        shown="anywhere",
    )
    smtp_host: str = _setting(
        TEXT,
        "The SMTP server that mail leaves through, unless a project has its own. See docs/mail.md.",
        default="",
        shown="none: mail is not sent, and with --dev written to the folder `mail` of the data directory",
    )
    smtp_port: int = _setting(
        PORT,
        "The SMTP server's port; 0 is the usual one: 587 with starttls, 465 with tls, 25 with none.",
        default=0,
    )
    smtp_security: str = _setting(
        _one_of("starttls", "tls", "none"),
        "How the connection to the SMTP server is encrypted.",
        default="starttls",
    )
    smtp_username: str = _setting(
        TEXT,
        "The user name for the SMTP server.",
        default="",
        shown="none",
    )
    smtp_password: str = _setting(
        TEXT,
        "The password for the SMTP server.",
        default="",
        shown="none",
        secret=True,
    )
    smtp_sender: str = _setting(
        MAILBOX,
        "Whom mail comes from. The name may be left out; then it is the project's.",
        default="noreply@localhost",
    )
    smtp_reply_to: str = _setting(
        MAILBOX,
        "Where answers to mail go.",
        default="",
        shown="to the sender",
    )
    sms_provider: str = _setting(
        SMS_PROVIDER,
        "The provider that text messages leave through, with its account. See docs/mail.md.",
        default="",
        shown="none: text messages are not sent, and with --dev written beside the mail",
        secret=True,
    )
    sms_sender: str = _setting(
        TEXT,
        "Whom text messages come from: a number such as +15550100, or what the provider takes instead.",
        default="",
    )
    locale: str = _setting(
        TEXT,
        "The language of mail and text messages when a request names none in X-Appwrite-Locale.",
        default="en",
    )
    private_networks: tuple[str, ...] = _setting(
        NETWORKS,
        "The private networks that a project may have us connect to, as with an SMTP server of its own."
        " Public addresses need no mention.",
        default=(),
        shown="none",
    )
    body_limit: int = _setting(
        _size(1024, 1024**3),
        "The largest request body that is read.",
        default=12 * 1024**2,
        shown="12MB",
    )
    file_limit: int = _setting(
        _size(1024, 1024**4),
        "The largest file that a bucket may be told to take.",
        default=5 * 1024**3,
        shown="5GB",
    )
    storage_keys: tuple[str, ...] = _setting(
        STORAGE_KEYS,
        "The keys that files are encrypted under. The first seals; the others still open what they sealed."
        " See docs/storage.md; `openssl rand -hex 32` makes one.",
        default=(),
        shown="one that is made of FREEHOLD_SECRET",
        secret=True,
    )
    clamav: str = _setting(
        CLAMAV,
        "The virus scanner (clamd) that files are sent to, of buckets that want it.",
        default="",
        shown="none: nothing is scanned, and no bucket says that it were",
    )
    s3_bucket: str = _setting(
        TEXT,
        "The bucket of an S3-compatible store that keeps the contents of files, for all machines of an"
        " installation. See docs/storage.md.",
        default="",
        shown="none: they are kept in the data directory",
    )
    storage: str = _setting(
        _one_of("disk", "s3"),
        "Where the contents of new files go. Those of others are found in both, and `freehold storage move`"
        " moves them.",
        default="",
        shown="s3 when FREEHOLD_S3_BUCKET is set, else disk",
    )
    s3_endpoint: str = _setting(
        WEB_ADDRESS,
        "The store's endpoint.",
        default="",
        shown="that of Amazon S3",
    )
    s3_region: str = _setting(TEXT, "The store's region.", default="us-east-1")
    s3_access_key: str = _setting(
        TEXT,
        "The access key for the store.",
        default="",
        shown="as the machine's own role has it",
    )
    s3_secret_key: str = _setting(
        TEXT,
        "The secret key for the store.",
        default="",
        shown="as the machine's own role has it",
        secret=True,
    )
    pool_size: int = _setting(
        _whole(1, 1000),
        "The most database connections that one process holds.",
        default=10,
    )
    sockets: int = _setting(
        _whole(1, 1_000_000),
        "How many WebSockets one process holds.",
        default=20_000,
    )
    graphql_depth: int = _setting(
        _whole(1, 100),
        "How many fields deep a GraphQL document may be nested.",
        default=4,
    )
    graphql_complexity: int = _setting(
        _whole(1, 10_000),
        "How many fields the GraphQL documents of a request may ask for.",
        default=250,
    )
    statement_timeout_s: float = _setting(
        _number(0.1, 3600),
        "After how many seconds PostgreSQL ends a statement of a request.",
        default=15.0,
    )
    shutdown_timeout_s: float = _setting(
        _number(0, 3600),
        "How many seconds running requests and jobs get to finish when we are stopped.",
        default=20.0,
    )
    jobs_at_once: int = _setting(
        _whole(1, 1000), "How many jobs one worker runs at the same time.", default=10
    )
    outbox_days: float = _setting(
        _number(0.01, 3650),
        "For how many days the events of the past are kept for readers that lag behind.",
        default=3.0,
    )
    audit_days: float = _setting(
        _number(1, 36500),
        "For how many days the audit log keeps who changed what.",
        default=365.0,
    )
    photo_url: str = _setting(
        WEB_ADDRESS,
        "Where users' photos are looked for, by the SHA-256 of their addresses, such as"
        " https://gravatar.com/avatar. Its owner learns who asks for whom.",
        default="",
        shown="nowhere: users have their initials",
    )
    chromium: str = _setting(
        TEXT,
        "The Chromium that shows pages for screenshots, as a path. See docs/avatars.md.",
        default="",
        shown="the one that is installed, if there is one",
    )
    chromium_sandbox: bool = _setting(
        FLAG,
        "Whether Chromium keeps its own sandbox around pages. Containers that forbid user namespaces cannot"
        " have it, and root may not; without it, whoever finds a hole in Chromium is on this machine.",
        default=True,
    )
    pwned_url: str = _setting(
        WEB_ADDRESS,
        "Where projects that refuse leaked passwords look for them, by the first five digits of a hash."
        " A mirror of Have I Been Pwned does too.",
        default="https://api.pwnedpasswords.com",
    )
    log_level: str = _setting(
        _one_of("debug", "info", "warning", "error"),
        "The least level that is logged.",
        default="info",
    )
    log_format: str = _setting(
        _one_of("auto", "json", "text"),
        "How logs are written; auto is text on a terminal, else json.",
        default="auto",
    )
    access_log: float = _setting(
        _number(0, 1),
        "The share of requests that are logged; answers of 500 and above always are.",
        default=1.0,
    )
    postgres_port: int = _setting(
        PORT,
        "The loopback port of the embedded PostgreSQL; 0 takes a free one.",
        default=0,
    )
    postgres_user: str = _setting(
        TEXT,
        "The system's user to run the embedded PostgreSQL as when we are root.",
        default="",
        shown="the first of freehold, postgres, nobody that the system has",
    )

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that are this installation's own, besides localhost."""
        endpoint = urlsplit(self.public_endpoint).hostname
        return frozenset(self.domains) | ({endpoint} if endpoint else frozenset())

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a process that we start."""
        return {
            variable_name(one): _written(getattr(self, one.name))
            for one in fields(self)
            if _is_told(self, one)
        }

    @property
    def worker_count(self) -> int:
        """How many processes answer requests."""
        if self.workers:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_settings(
    overrides: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """Read the settings: overrides (the command line) win over the environment, that over freehold.toml.

    Raises ConfigError with everything that is wrong at once.
    """
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    values: dict[str, Any] = {}
    file = Path(environment.get(f"{PREFIX}CONFIG") or (directory or Path.cwd()) / FILE_NAME)
    in_file = _read_file(file, named=f"{PREFIX}CONFIG" in environment, problems=problems)
    _refuse_misspelt(in_file, environment, file, problems)
    for one in fields(Settings):
        for where, text in _places(one, overrides or {}, environment, in_file, file):
            kind: Kind = one.metadata["kind"]
            try:
                values[one.name] = kind.read(text)
            except ValueError:
                problems.append(
                    f"{where} {_shown_value(one, text)}, but it has to be {kind.says}. {one.metadata['says']}"
                )
            break
    if values.get("secret"):
        problems += _problems_of_secret(values["secret"])
    if values.get("storage") == "s3" and not values.get("s3_bucket"):
        problems.append("FREEHOLD_STORAGE is s3, but no bucket is named. Set FREEHOLD_S3_BUCKET.")
    if problems:
        raise ConfigError(problems)
    return Settings(**values)


def with_secret(settings: Settings) -> Settings:
    """The settings with their secret: the one told, or this installation's own, made at its first start."""
    if settings.secret:
        return settings
    path = settings.data / "secret"
    if not path.exists():
        settings.data.mkdir(parents=True, exist_ok=True)
        draft = settings.data / f"secret.{os.getpid()}.new"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails when another process was first, whose secret then holds
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise ConfigError(
            [f"{path} can be read by others than its owner. Run `chmod 600 {path}`, then start again."]
        )
    secret = path.read_text().strip()
    if problems := _problems_of_secret(secret, where=str(path)):
        raise ConfigError(problems)
    return replace(settings, secret=secret)


def variable_name(one: Field[Any]) -> str:
    return PREFIX + one.name.upper()


def render_reference() -> str:
    """The page of all settings, as docs/settings.md holds it."""
    lines = [
        "# Settings",
        "",
        "Made from `src/freehold/config.py` by `python -m freehold.config > docs/settings.md`; change it"
        " there.",
        "",
        "A setting is given as a variable, or under its lower-case name without the prefix in"
        " `freehold.toml` in the",
        "working directory (another file: `FREEHOLD_CONFIG`). The command line wins over the environment,"
        " and that over",
        "the file. Wrong values stop the start, with a message that says which and how to mend it.",
        "",
    ]
    for one in fields(Settings):
        facts = one.metadata
        also = "".join(f" or `{name}`" for name in facts["names"])
        default = facts["shown"] or f"`{_written(one.default)}`"
        lines += [f"## `{variable_name(one)}`{also}", "", facts["says"], ""]
        lines += [
            f"{facts['kind'].says[0].upper()}{facts['kind'].says[1:]}. Default: {default}.",
            "",
        ]
    return "\n".join(lines)


def _read_file(file: Path, *, named: bool, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            problems.append(
                f"{PREFIX}CONFIG names {file}, which is not there. Correct the path, or unset it."
            )
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{file} cannot be read: {error}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{file} is not TOML: {error}")
    return {}


def _refuse_misspelt(
    in_file: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path,
    problems: list[str],
) -> None:
    """Refuse unknown keys of the file, and variables that look like a setting misspelt."""
    known = [one.name for one in fields(Settings)]
    for key in in_file:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.6)
            hint = f"Did you mean {near[0]!r}?" if near else "docs/settings.md lists those that there are."
            problems.append(f"{file}: there is no setting {key!r}. {hint}")
    for variable in environment:
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name in (*known, "config"):
            continue
        if near := difflib.get_close_matches(name, known, 1, 0.85):
            problems.append(f"{variable}: there is no such setting. Did you mean {PREFIX}{near[0].upper()}?")


def _places(
    one: Field[Any],
    overrides: Mapping[str, object],
    environment: Mapping[str, str],
    in_file: Mapping[str, Any],
    file: Path,
) -> list[tuple[str, str]]:
    """Where a setting is told, the place that wins first. An empty variable tells nothing."""
    places: list[tuple[str, str]] = []
    if overrides.get(one.name) is not None:
        places.append((f"--{one.name.replace('_', '-')} is", _written(overrides[one.name])))
    for variable in (variable_name(one), *one.metadata["names"]):
        if environment.get(variable):
            places.append((f"{variable} is", environment[variable]))
    if one.name in in_file:
        places.append((f"{file}: {one.name} is", _written(in_file[one.name])))
    return places


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown_value(one: Field[Any], text: str) -> str:
    return "a value that is not shown here" if one.metadata["secret"] else repr(text[:80])


def _is_told(settings: Settings, one: Field[Any]) -> bool:
    return bool(getattr(settings, one.name) != one.default)


_WELL_KNOWN = re.compile(
    r"change.?me|your.?secret|secret.?key|insert.?key|example|password|passw0rd|default|qwerty|"
    r"0123456789abcdef0123456789abcdef|deadbeef|lorem|abcdefghijkl|123456789",
    re.IGNORECASE,
)


def _problems_of_secret(secret: str, where: str = f"{PREFIX}SECRET") -> list[str]:
    mend = "Make one with `openssl rand -hex 32`, or leave it out and one is made for you."
    if len(secret) < LEAST_SECRET_CHARACTERS:
        return [f"{where} is too short: a secret has at least {LEAST_SECRET_CHARACTERS} characters. {mend}"]
    if _WELL_KNOWN.search(secret) or len(set(secret)) < 10:
        return [f"{where} can be guessed: it is a well-known or a repeating text. {mend}"]
    return []


if __name__ == "__main__":
    sys.stdout.write(render_reference())
