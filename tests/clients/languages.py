"""The official SDKs behind one interface: what methods each has, and how to call them in the wire's words."""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from appwrite.input_file import InputFile
from pydantic import BaseModel

from tests.platform import Project

DRIVER = Path(__file__).parent / "driver.mjs"


class As(NamedTuple):
    """Who calls: a server with a key, a user with a session, or nobody."""

    key: str = ""
    session: str = ""


class File(NamedTuple):
    """One that is uploaded."""

    name: str
    contents: bytes


class Language(Protocol):
    """An SDK. Arguments are named as on the wire; what is given back is as it was on the wire."""

    name: str

    def methods(self, service: str) -> list[str]: ...

    def call(self, project: Project, who: As, service: str, method: str, said: dict[str, Any]) -> Any: ...


def plain(method: str) -> str:
    """What the spellings of one method share: create_md5_user, createMD5User and createMd5User."""
    return method.replace("_", "").lower()


class Python:
    name = "python"

    def methods(self, service: str) -> list[str]:
        made = self._class(service)
        return [name for name, each in vars(made).items() if inspect.isfunction(each) and name[0] != "_"]

    def call(self, project: Project, who: As, service: str, method: str, said: dict[str, Any]) -> Any:
        client = project.sdk(key=who.key or None, session=who.session or None)
        called = getattr(self._class(service)(client), method)
        given = called(**{_snake(name): self._argument(value) for name, value in said.items()})
        return given.to_dict() if isinstance(given, BaseModel) else given

    @staticmethod
    def _argument(value: Any) -> Any:
        return InputFile.from_bytes(value.contents, value.name) if isinstance(value, File) else value

    def _class(self, service: str) -> Any:
        return getattr(importlib.import_module(f"appwrite.services.{service.lower()}"), service)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


class Refused(Exception):
    """The SDK raised an error; as Python's own does for Python."""


class JavaScript:
    """An npm package, in a process of its own."""

    def __init__(self, name: str, package: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            ["node", DRIVER.name, package],
            cwd=DRIVER.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def methods(self, service: str) -> list[str]:
        found: list[str] = self._ask({"service": service})["given"]
        return found

    def call(self, project: Project, who: As, service: str, method: str, said: dict[str, Any]) -> Any:
        told = {"endpoint": project.platform.endpoint, "project": project.id, **who._asdict()}
        on_progress = said.get("onProgress", lambda _: None)
        arguments = {name: self._argument(value) for name, value in said.items()}
        answer = self._ask({**told, "service": service, "method": method, "said": arguments})
        for each in answer["progress"]:
            on_progress(each)
        given = answer["given"]
        is_contents = isinstance(given, dict) and given.keys() == {"contents"}
        return base64.b64decode(given["contents"]) if is_contents else given

    @staticmethod
    def _argument(value: Any) -> Any:
        if callable(value):
            return None  # the driver puts its own there
        if isinstance(value, File):
            return {"name": value.name, "contents": base64.b64encode(value.contents).decode()}
        return value

    def stop(self) -> None:
        self._process.communicate(timeout=10)

    def _ask(self, asked: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if "refused" in told:
            raise Refused(told["refused"])
        return told
