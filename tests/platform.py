"""A running platform to try things on, and short ways to the people and projects that a test needs."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from appwrite.client import Client
from appwrite.services.account import Account
from appwrite.services.users import Users

from freehold.access import scopes
from tests.postgres import Database, Server
from tests.process.installation import Installation
from tests.services.chromium import chromium_settings
from tests.services.inbox import Inbox, running_inbox
from tests.services.leaks import Leaks, running_leaks
from tests.services.vendors import Vendors, running_vendors

PASSWORD = "correct horse battery"
ROOT = "root@example.com"

_numbers = itertools.count(1)


def unique(word: str) -> str:
    """A word that no other test, in whichever process, uses."""
    return f"{word}-{os.getpid()}-{next(_numbers)}"


class User(NamedTuple):
    """A user, and a session of its."""

    id: str
    email: str
    name: str
    session: str
    client: httpx.Client
    sdk: Client


class Project:
    """A project, its owner on the console, and an API key with every scope."""

    def __init__(self, platform: Platform, project_id: str, key: str) -> None:
        self.platform = platform
        self.id = project_id
        self.key = key
        self.server = platform.client(project_id, key=key)
        """With the API key."""
        self.guest = platform.client(project_id)
        self.admin = platform.client(project_id, mode="admin", console_session=platform.root_session)
        """The project's owner, from the console."""

    def sdk(self, *, key: str | None = None, session: str | None = None) -> Client:
        return self.platform.sdk(self.id, key=key, session=session)

    def key_with(self, *granted: str) -> str:
        """Another API key of the project."""
        made = self.admin.post("/project/keys", json={"keyId": "unique()", "name": "k", "scopes": granted})
        assert made.status_code == 201, made.text
        return str(made.json()["secret"])

    def new_user(self, name: str = "Jane", **said: Any) -> User:
        """A user that has signed in."""
        email = said.pop("email", f"{unique(name.lower())}@example.com")
        made = Users(self.sdk(key=self.key)).create(
            said.pop("user_id", "unique()"), email=email, password=PASSWORD, name=name
        )
        session = self.sign_in(email)
        return User(
            id=made.id,
            email=email,
            name=name,
            session=session,
            client=self.platform.client(self.id, session=session),
            sdk=self.sdk(session=session),
        )

    def sign_in(self, email: str, password: str = PASSWORD) -> str:
        """Open another session, as a server that renders pages does. Gives it as headers carry it."""
        account = Account(self.sdk(key=self.key))
        return str(account.create_email_password_session(email, password).secret)


class Platform:
    """A running installation."""

    def __init__(self, installation: Installation, database: Database) -> None:
        self.installation = installation
        self.database_url = database.url
        """As the role that the platform itself works as."""
        self.admin_url = database.admin_url
        self.endpoint = installation.endpoint
        self.project: str = installation.announced["project"]
        self.key: str = installation.announced["key"]
        self.root_session = ""
        self.inbox: Inbox | None = None
        self.leaks: Leaks | None = None
        self.vendors: Vendors | None = None
        """Where its mail and text messages arrive, if it was told to send them there."""

    def register_root(self) -> None:
        """Make the console's first user, whom the default organization belongs to, and sign in."""
        console = self.client("console")
        body = {"userId": "unique()", "email": ROOT, "password": PASSWORD, "name": "Root"}
        assert console.post("/account", json=body).status_code == 201
        self.root_session = session_of(
            console.post("/account/sessions/email", json={"email": ROOT, "password": PASSWORD})
        )

    @property
    def console(self) -> httpx.Client:
        """The console's first user."""
        return self.client("console", session=self.root_session)

    def client(
        self,
        project: str,
        *,
        key: str = "",
        session: str = "",
        console_session: str = "",
        mode: str = "",
        **headers: str,
    ) -> httpx.Client:
        """A plain HTTP client. Sessions go in the header, as with SDKs on servers."""
        told = {"X-Appwrite-Project": project, **headers}
        if key:
            told["X-Appwrite-Key"] = key
        if session:
            told["X-Appwrite-Session"] = session
        if console_session:
            told["Cookie"] = f"a_session_console={console_session}"
        if mode:
            told["X-Appwrite-Mode"] = mode
        # Plain HTTP: loading certificates for every client would take longer than the request.
        return httpx.Client(base_url=self.endpoint, headers=told, timeout=20, verify=False)

    def sdk(self, project: str, *, key: str | None = None, session: str | None = None) -> Client:
        """The official SDK."""
        client = Client().set_endpoint(self.endpoint).set_project(project)
        if key is not None:
            client.set_key(key)
        if session is not None:
            client.set_session(session)
        return client

    def new_project(self, organization: str = "default") -> Project:
        """A project of the default organization, with a key that may do everything."""
        project_id = unique("p")
        body = {"projectId": project_id, "name": "Shop", "teamId": organization}
        made = self.console.post("/projects", json=body)
        assert made.status_code == 201, made.text
        key = self.console.post(
            f"/projects/{project_id}/keys",
            json={"keyId": "unique()", "name": "All", "scopes": sorted(scopes.ALL_PROJECT)},
        )
        assert key.status_code == 201, key.text
        return Project(self, project_id, key.json()["secret"])


def session_of(response: httpx.Response) -> str:
    """The session that an answer sets as a cookie."""
    project = response.request.headers["x-appwrite-project"]
    return response.cookies[f"a_session_{project}"]


def error_of(response: httpx.Response) -> tuple[int, str]:
    """The status and the type of an error."""
    body = response.json()
    assert set(body) == {"message", "code", "type", "version"}
    assert body["code"] == response.status_code
    return response.status_code, body["type"]


@contextmanager
def running_platform(postgres: Server, *options: str, **settings: str) -> Iterator[Platform]:
    """Start an installation on a fresh database of the test's PostgreSQL."""
    database = postgres.create_database()
    with tempfile.TemporaryDirectory(prefix="fh-platform-", dir="/tmp") as data:
        told = {"DATABASE_URL": database.url, "FREEHOLD_WORKERS": "2", **settings}
        installation = Installation(Path(data), told)
        try:
            installation.start(*options)
            yield Platform(installation, database)
        finally:
            installation.stop()
            installation.log.unlink(missing_ok=True)
            postgres.drop_database(database)


@pytest.fixture(scope="session")
def platform(postgres: Server) -> Iterator[Platform]:
    """One platform for this test process, in development mode, with its first console user and an inbox."""
    with (
        running_inbox() as inbox,
        running_leaks() as leaks,
        running_vendors() as vendors,
        chromium_settings() as chromium,
        running_platform(
            postgres,
            "--dev",
            **inbox.settings,
            **leaks.settings,
            **chromium,
            FREEHOLD_OUTSIDE_STAND_IN=vendors.url,
            FREEHOLD_PHOTO_URL="https://photos.example.com/avatar",
        ) as running,
    ):
        running.leaks = leaks
        running.inbox = inbox
        running.vendors = vendors
        running.register_root()
        yield running


@pytest.fixture
def project(platform: Platform) -> Project:
    """A project of the test's own."""
    return platform.new_project()


@pytest.fixture
def jane(project: Project) -> User:
    """A user of the project, signed in."""
    return project.new_user("Jane")


@pytest.fixture
def bob(project: Project) -> User:
    """Another user of the project, signed in."""
    return project.new_user("Bob")
