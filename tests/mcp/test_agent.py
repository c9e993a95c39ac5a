"""An agent that works through `freehold mcp`, with the official client, over standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from freehold.generator.command import run
from tests.generator.golden import HERE
from tests.platform import Project, platform, project

__all__ = ["platform", "project"]

ROOT = Path(__file__).parents[2]
SMALL = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")
DESK = """
freehold: 1
service: desk
roles: { agent: [] }
entities:
  remark:
    tenant: none
    access: { read: agent }
    fields: { text: string(40), note: { type: string(40), nullable: true } }
"""


class Agent:
    """What an agent does: it calls tools, and reads their answers."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, **arguments: object) -> dict[str, Any]:
        """The answer of a tool that does what it is asked."""
        answer = await self.client.call_tool(tool, arguments)
        assert not answer.is_error, answer.content
        assert answer.structured_content is not None
        return answer.structured_content

    async def refused(self, tool: str, **arguments: object) -> str:
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error, answer.content
        return "".join(getattr(each, "text", "") for each in answer.content)


@asynccontextmanager
async def agent(folder: Path, *words: str, **told: str) -> AsyncIterator[Agent]:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "freehold", "mcp", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **told},
    )
    async with Client(stdio_client(server)) as client:
        yield Agent(client)


def walk(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(400):
            await work()

    asyncio.run(bounded())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "freehold.yaml").write_text(SMALL)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_agent_reads_a_plan_and_carries_it_out_with_its_token(folder: Path):
    async def work() -> None:
        async with agent(folder, "--allow-writes") as freehold:
            checked = await freehold("check_schema")
            before = files(folder)
            plan = await freehold("plan_generate", service="service", language="go")
            assert files(folder) == before, "a plan writes nothing"
            more = await freehold(
                "plan_generate", service="service", language="go", diff_offset=plan["next_offset"]
            )
            done = await freehold("generate", service="service", language="go", token=plan["token"])
            listed = await freehold("list_service_files", service="service")
            readme = await freehold("read_service_file", service="service", path="README.md")
            again = await freehold("plan_generate", service="service")
            upgrade = await freehold("plan_upgrade", service="service")

        assert checked["valid"] is True
        assert "budget" in checked["entities"]["project"]
        assert {"path": "go.mod", "outcome": "created"} in plan["files"]
        assert len(plan["diff"]) == 40_000
        assert plan["diff"].startswith("--- /dev/null\n+++ b/.editorconfig\n")
        assert more["diff"] not in plan["diff"]
        assert more["token"] == plan["token"], "it is the same plan"
        assert done["written"] == len(plan["files"])
        assert listed["language"] == "go"
        assert "go.mod" in listed["files"]
        assert listed["edited"] == []
        assert readme["content"] == (folder / "service/README.md").read_text()
        assert (again["changes"], again["diff"]) == (False, "")
        assert (upgrade["changes"], upgrade["diff"]) == (False, "")

    walk(work)


def test_a_token_is_refused_once_the_schema_or_a_file_has_changed(folder: Path):
    run("python", folder / "service", folder / "freehold.yaml")
    schema, routes = folder / "freehold.yaml", folder / "service/app/projects/routes.py"

    async def work() -> None:
        async with agent(folder, "--allow-writes") as freehold:
            schema.write_text(SMALL.replace("string(100)", "string(90)"))
            plan = await freehold("plan_generate", service="service")
            schema.write_text(SMALL.replace("string(100)", "string(80)"))
            other_schema = await freehold.refused("generate", service="service", token=plan["token"])
            schema.write_text(SMALL.replace("string(100)", "string(90)"))
            routes.write_text(routes.read_text() + "\n# mine\n")
            before = files(folder)
            other_file = await freehold.refused("generate", service="service", token=plan["token"])
            new = await freehold("plan_generate", service="service")
            other_tool = await freehold.refused("upgrade", service="service", token=new["token"])
            other_arguments = await freehold.refused(
                "generate", service="service", token=new["token"], take_generated=["app/projects/routes.py"]
            )
            invented = await freehold.refused("generate", service="service", token="é" * 32)
            assert files(folder) == before
            await freehold("generate", service="service", token=new["token"])

        for refusal in (other_schema, other_file, other_tool, other_arguments, invented):
            assert "The token is not one for this plan" in refusal
        assert "max_length=90" in (folder / "service/app/projects/schemas.py").read_text()
        assert routes.read_text().endswith("# mine\n")

    walk(work)


def test_without_leave_to_write_there_is_nothing_that_writes(folder: Path):
    async def work() -> None:
        before = files(folder)
        async with agent(folder) as freehold:
            tools = (await freehold.client.list_tools()).tools
            plan = await freehold("plan_generate", service="service")
            unknown = await freehold.refused("generate", service="service", token="x")

        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
        assert {"generate", "upgrade", "apply"}.isdisjoint(tool.name for tool in tools)
        assert plan["token"] is None
        assert "--allow-writes" in plan["why"]
        assert "generate" in unknown
        assert files(folder) == before

    walk(work)


def test_nothing_outside_of_the_folder_and_no_other_file_in_it_is_shown(tmp_path: Path):
    folder, outside = tmp_path / "project", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    secret = "do-not-show-1234"
    (folder / "freehold.yaml").write_text(SMALL)
    run("python", folder / "service", folder / "freehold.yaml")
    (outside / "freehold.yaml").write_text(f"freehold: 1\nservice: {secret}\n")
    (folder / ".env").write_text(f"freehold: {secret}\n")
    (folder / "compose.yaml").write_text(f"password: {secret}\n")
    (folder / "service" / ".env").write_text(secret)
    (folder / "link.yaml").symlink_to(outside / "freehold.yaml")
    (folder / "away").symlink_to(outside)
    (folder / "including.yaml").write_text(SMALL + "include: [../outside/freehold.yaml]\n")

    outsiders = [
        "../outside/freehold.yaml",
        str(outside / "freehold.yaml"),
        "link.yaml",
        "away/freehold.yaml",
    ]
    outsiders += [".env", "compose.yaml", "service/.env", "a\0b.yaml", "/etc/passwd"]

    async def work() -> None:
        async with agent(folder, "--allow-writes") as freehold:
            told = [await freehold.refused("read_schema", schema=name) for name in outsiders]
            for name in ("../outside", "/tmp", "away", "service/../../outside"):
                told.append(await freehold.refused("plan_generate", service=name))
            for name in (
                ".env",
                "../.env",
                "../../outside/freehold.yaml",
                "db/migrations/../../.env",
                ".freehold/manifest.json",
            ):
                told.append(await freehold.refused("read_service_file", service="service", path=name))
            told.append(str(await freehold("check_schema", schema="including.yaml")))

        assert secret not in "".join(told)
        assert list(outside.iterdir()) == [outside / "freehold.yaml"]

    walk(work)


def test_an_agent_changes_a_live_project_as_it_was_shown(tmp_path: Path, project: Project):
    schema = tmp_path / "freehold.yaml"
    schema.write_text(DESK)
    credentials = {
        "FREEHOLD_ENDPOINT": project.platform.endpoint,
        "FREEHOLD_PROJECT": project.id,
        "FREEHOLD_KEY": project.key,
    }

    async def work() -> None:
        async with agent(tmp_path, "--allow-writes", **credentials) as freehold:
            first = await freehold("plan_apply")
            written = files(tmp_path)
            made = await freehold("apply", token=first["token"])
            stale = await freehold.refused("apply", token=first["token"])
            schema.write_text(DESK.replace("note:", "memo:"))
            asked = await freehold.refused("plan_apply")
            renaming = await freehold("plan_apply", rename=["remark.note=memo"])
            await freehold("apply", rename=["remark.note=memo"], token=renaming["token"])
            schema.write_text(DESK.replace(", note: { type: string(40), nullable: true }", ""))
            lossy = await freehold("plan_apply")
            unapproved = await freehold.refused("apply", token=lossy["token"])
            other = await freehold.refused("apply", approve=["remark"], token=lossy["token"])
            approved = await freehold("plan_apply", approve=["remark"])
            done = await freehold("apply", approve=["remark"], token=approved["token"])

        assert set(written) == {str(schema)}, "a plan writes nothing"
        assert "CREATE TABLE" in first["steps"][0]["sql"]
        assert made["applied"] == len(first["steps"])
        assert "the database changed since" in stale
        assert "--rename remark.note=memo" in asked
        assert "RENAME COLUMN" in renaming["steps"][0]["sql"]
        assert lossy["loses_without_approval"] == ["remark"]
        assert "loses data, which has to be approved by name: remark" in unapproved
        assert "with other arguments" in other
        assert approved["loses_without_approval"] == []
        assert done["applied"] == len(approved["steps"])
        assert (tmp_path / "schema.lock.json").exists()

    walk(work)


def test_an_agent_makes_the_buckets_that_it_was_shown_and_no_others(tmp_path: Path, project: Project):
    schema = tmp_path / "freehold.yaml"
    schema.write_text(DESK + "platform: { buckets: { avatars: { max_size: 5MB } } }\n")
    credentials = {
        "FREEHOLD_ENDPOINT": project.platform.endpoint,
        "FREEHOLD_PROJECT": project.id,
        "FREEHOLD_KEY": project.key,
    }

    async def work() -> None:
        async with agent(tmp_path, "--allow-writes", **credentials) as freehold:
            shown = await freehold("plan_apply")
            project.server.post("/storage/buckets", json={"bucketId": "avatars", "name": "Mine"})
            stale = await freehold.refused("apply", token=shown["token"])
            anew = await freehold("plan_apply")
            done = await freehold("apply", token=anew["token"])

        assert shown["buckets"] == ["Make the bucket avatars"]
        assert "changed since" in stale
        assert anew["buckets"] == ["Change the bucket avatars: maximumFileSize"]
        assert done["buckets"] == 1
        bucket = project.server.get("/storage/buckets/avatars").json()
        assert (bucket["name"], bucket["maximumFileSize"]) == ("Mine", 5 * 1024**2)

    walk(work)


def test_the_key_of_the_project_is_in_no_answer(tmp_path: Path):
    (tmp_path / "freehold.yaml").write_text(DESK)
    key = "standard_0123456789abcdef"
    closed = {
        "FREEHOLD_ENDPOINT": f"http://127.0.0.1:9/{key}/v1",
        "FREEHOLD_PROJECT": "p",
        "FREEHOLD_KEY": key,
    }

    async def work() -> None:
        async with agent(tmp_path, **closed) as freehold:
            refusal = await freehold.refused("plan_apply")
        async with agent(tmp_path) as freehold:
            missing = await freehold.refused("plan_apply")

        assert "/[key]/v1 did not answer" in refusal
        assert key not in refusal
        assert "FREEHOLD_ENDPOINT, FREEHOLD_PROJECT, FREEHOLD_KEY is not set" in missing

    walk(work)


def test_the_configuration_in_the_documentation_starts_it(folder: Path):
    told = re.search(r"```json\n(.*?)```", (ROOT / "docs/agents.md").read_text(), re.DOTALL)
    assert told is not None
    configuration = json.loads(told[1])["mcpServers"]["freehold"]
    binaries = str(Path(sys.executable).parent)

    async def work() -> None:
        server = StdioServerParameters(
            command=configuration["command"],
            args=configuration["args"],
            cwd=folder,
            env={"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        )
        async with Client(stdio_client(server)) as client:
            answer = await Agent(client)("read_schema")
            documented = {tool.name for tool in (await client.list_tools()).tools}

        assert answer == {"content": SMALL, "next_offset": None}
        assert all(f"`{name}`" in (ROOT / "docs/agents.md").read_text() for name in documented)

    walk(work)
