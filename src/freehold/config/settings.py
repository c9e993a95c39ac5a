"""Every setting, with the sentence that is its documentation."""

# ruff: noqa: RUF009 - `_setting` makes a dataclass field

from __future__ import annotations

import os
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from freehold.config.kinds import (
    CLAMAV,
    DATABASE_URL,
    DIRECTORY,
    ENDPOINT,
    FLAG,
    LIST,
    MAILBOX,
    NETWORKS,
    PORT,
    SMS_PROVIDER,
    STORAGE_KEYS,
    TEXT,
    WEB_ADDRESS,
    Kind,
    number,
    one_of,
    size,
    whole,
)

PREFIX = "FREEHOLD_"


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
        "The endpoint as clients reach it, when a proxy or a domain stands in front. JWTs of users name it"
        " as their issuer.",
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
        whole(0, 256),
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
        one_of("starttls", "tls", "none"),
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
        size(1024, 1024**3),
        "The largest request body that is read.",
        default=12 * 1024**2,
        shown="12MB",
    )
    body_timeout_s: float = _setting(
        number(0.1, 3600),
        "After so many seconds in which less than 240 bytes a second of a request body came, the request is"
        " answered with 408 and the connection closed.",
        default=60.0,
    )
    file_limit: int = _setting(
        size(1024, 1024**4),
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
        one_of("disk", "s3"),
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
        whole(1, 1000),
        "The most database connections that one process holds.",
        default=10,
    )
    sockets: int = _setting(
        whole(1, 1_000_000),
        "How many WebSockets one process holds.",
        default=20_000,
    )
    graphql_depth: int = _setting(
        whole(1, 100),
        "How many fields deep a GraphQL document may be nested.",
        default=4,
    )
    graphql_complexity: int = _setting(
        whole(1, 10_000),
        "How many fields the GraphQL documents of a request may ask for.",
        default=250,
    )
    statement_timeout_s: float = _setting(
        number(0.1, 3600),
        "After how many seconds PostgreSQL ends a statement of a request.",
        default=15.0,
    )
    shutdown_timeout_s: float = _setting(
        number(0, 3600),
        "How many seconds running requests and jobs get to finish when we are stopped.",
        default=20.0,
    )
    jobs_at_once: int = _setting(
        whole(1, 1000),
        "How many jobs one worker runs at the same time, of one project at most three quarters of them.",
        default=10,
    )
    outbox_days: float = _setting(
        number(0.01, 3650),
        "For how many days the events of the past are kept for readers that lag behind.",
        default=3.0,
    )
    audit_days: float = _setting(
        number(1, 36500),
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
        one_of("debug", "info", "warning", "error"),
        "The least level that is logged.",
        default="info",
    )
    log_format: str = _setting(
        one_of("auto", "json", "text"),
        "How logs are written; auto is text on a terminal, else json.",
        default="auto",
    )
    access_log: float = _setting(
        number(0, 1),
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

    @property
    def endpoint(self) -> str:
        """The endpoint as clients reach it, without a slash at its end."""
        if self.public_endpoint:
            return self.public_endpoint
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{in_url(host)}:{self.port}/v1"

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a process that we start."""
        return {
            variable_name(one): written(getattr(self, one.name))
            for one in fields(self)
            if _is_told(self, one)
        }

    @property
    def worker_count(self) -> int:
        """How many processes answer requests."""
        if self.workers:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def variable_name(one: Field[Any]) -> str:
    """The variable that sets it."""
    return PREFIX + one.name.upper()


def written(value: object) -> str:
    """A value as a variable has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_told(settings: Settings, one: Field[Any]) -> bool:
    return bool(getattr(settings, one.name) != one.default)


def in_url(host: str) -> str:
    """A host as URLs have it."""
    return f"[{host}]" if ":" in host else host
