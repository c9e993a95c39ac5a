"""A row for each method of the official SDKs, named like it: what it is called with, and what then holds.

Whatever else a row needs is done over plain HTTP, so that the SDK's method alone is what it tries.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import httpx

from tests.clients.languages import As, Language, plain
from tests.platform import Project, User, unique
from tests.services.inbox import Inbox, Mail
from tests.services.second_factor import ok

PAGE = "http://localhost:3000/welcome"


class Caller:
    """The methods of a service, under whatever name: `caller.updateName(name="Zed")`."""

    def __init__(self, scene: Scene, who: As) -> None:
        self._scene = scene
        self._who = who

    def __getattr__(self, method: str) -> Callable[..., Any]:
        scene = self._scene
        assert plain(method) == plain(scene.spelling), f"The row of {scene.spelling} calls {method}."

        def call(**said: Any) -> Any:
            scene.calls += 1
            return scene.language.call(scene.project, self._who, scene.service, scene.spelling, said)

        return call


class Scene:
    """A project of one's own with Jane in it, and one method of an SDK to be tried there."""

    def __init__(
        self, project: Project, inbox: Inbox, language: Language, service: str, spelling: str
    ) -> None:
        self.project = project
        self.inbox = inbox
        self.language = language
        self.service = service
        self.spelling = spelling
        self.calls = 0

    @cached_property
    def jane(self) -> User:
        return self.project.new_user("Jane")

    # Who calls

    @property
    def server(self) -> Caller:
        return Caller(self, As(key=self.project.key))

    @property
    def user(self) -> Caller:
        return Caller(self, As(session=self.jane.session))

    @property
    def guest(self) -> Caller:
        return Caller(self, As())

    def holder(self, session: str) -> Caller:
        """Whoever has this session."""
        return Caller(self, As(session=session))

    # What holds, over plain HTTP

    def get(self, path: str) -> Any:
        """As the server."""
        return ok(self.project.server.get(path)).json()

    def contents(self, given: bytes | str, session: str = "") -> bytes:
        """What an SDK gave of a file or picture; the web's gives a URL, which a browser then opens."""
        if isinstance(given, bytes):
            return given
        cookies = {f"a_session_{self.project.id}": session} if session else {}
        return ok(httpx.get(given, cookies=cookies, timeout=60)).content

    def is_gone(self, path: str) -> bool:
        return self.project.server.get(path).status_code == 404

    def me(self) -> Any:
        """What the server knows of Jane."""
        return self.get(f"/users/{self.jane.id}")

    def post(self, path: str, **said: Any) -> Any:
        """As the server."""
        return ok(self.project.server.post(path, json=said)).json()

    def ask(self, method: str, path: str, **said: Any) -> Any:
        """As Jane."""
        answer = ok(self.jane.client.request(method, path, json=said))
        return answer.json() if answer.content else None

    def mail(self, address: str = "") -> Mail:
        """The next one to Jane, or to another address."""
        return self.inbox.mail_to(address or self.jane.email)

    def address(self) -> str:
        return f"{unique('someone')}@example.com"

    def sessions(self, user_id: str = "") -> list[Any]:
        found: list[Any] = self.get(f"/users/{user_id or self.jane.id}/sessions")["sessions"]
        return found
