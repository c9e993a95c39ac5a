"""A Dockerfile carried out without Docker: its very commands, each stage in a folder of its own.

A path of the image, such as /venv, lies below the folder of its stage; the base image is this machine.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """One stage, and after its last line what a container of it would be."""

    root: Path
    environment: dict[str, str]
    workdir: str = "/"
    user: str = "0"
    command: list[str] = field(default_factory=list)
    signal: str = ""

    def place(self, path: str) -> Path:
        return self.root / (path if path.startswith("/") else f"{self.workdir}/{path}").lstrip("/")

    def placed(self, text: str) -> str:
        """Absolute paths of the image, where they are here."""
        return re.sub(
            r"(?<![\w./-])/(service|venv|out|app|api-key|api|migrate|token)\b", f"{self.root}/\\1", text
        )


def build(context: Path, folder: Path, programs: Path) -> Stage:
    """Carry out every line. `programs` is a folder with what the base images have on their PATH."""
    context = _sent(context, folder / "context")
    stages: dict[str, Stage] = {}
    stage = Stage(folder, {})
    for line in _instructions((context / "Dockerfile").read_text(encoding="utf-8")):
        word, _, rest = line.partition(" ")
        match word:
            case "FROM":
                name = rest.partition(" AS ")[2] or "image"
                path = os.pathsep.join((str(programs), os.environ["PATH"]))
                stage = stages[name] = Stage(folder / name, {"PATH": path, "HOME": str(folder)})
                stage.root.mkdir(parents=True)
            case "WORKDIR":
                stage.workdir = rest
                stage.place(".").mkdir(parents=True, exist_ok=True)
            case "ENV":
                for part in shlex.split(rest):
                    key, _, value = part.partition("=")
                    stage.environment[key] = stage.placed(value).replace("$PATH", stage.environment["PATH"])
            case "COPY":
                _copy(rest.split(), context, stage, stages)
            case "RUN":
                _run(stage, rest)
            case "USER":
                stage.user = rest.partition(":")[0]
            case "STOPSIGNAL":
                stage.signal = rest
            case "CMD":
                stage.command = [stage.placed(part) for part in json.loads(rest)]
            case "EXPOSE":
                pass
            case _:
                raise AssertionError(f"{word} is not carried out here")
    return stage


def _sent(context: Path, folder: Path) -> Path:
    """What a builder gets: the context less what .dockerignore names."""
    ignored = (context / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.removeprefix("**/") for line in ignored if line and not line.startswith("#")]

    def left_out(place: str, names: list[str]) -> list[str]:
        here = Path(place).relative_to(context)
        return [
            name
            for name in names
            if any(fnmatch.fnmatch((here / name).as_posix(), each) or name == each for each in patterns)
        ]

    shutil.copytree(context, folder, ignore=left_out)
    return folder


def _instructions(text: str) -> list[str]:
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _copy(words: list[str], context: Path, stage: Stage, stages: dict[str, Stage]) -> None:
    origin = None
    if words[0].startswith("--from="):
        origin = stages[words.pop(0).removeprefix("--from=")]
    *sources, target = words
    for source in sources:
        found = origin.place(source) if origin else context / source
        place = stage.place(target)
        if target.endswith("/"):
            place = place / found.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(found, place)


def _run(stage: Stage, line: str) -> None:
    done = subprocess.run(
        ["sh", "-c", stage.placed(line)],
        cwd=stage.place("."),
        env=stage.environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
