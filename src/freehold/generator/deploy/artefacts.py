"""The files that a schema's `deploy:` asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freehold.generator.deploy.container import DATABASE_IMAGE, METRICS_PORT, PORT, USER, Container
from freehold.generator.plan import ServicePlan
from freehold.generator.render import render

TEMPLATES = Path(__file__).parent / "templates"

IMAGE = "docker"

NEEDS_IMAGE = frozenset({"compose", "fly", "render", "railway", "kubernetes", "aws", "terraform", "github"})
"""What runs or builds the image, and so brings the Dockerfile along."""

LABEL = 40
"""Characters: a name of Kubernetes has 63 at most, and `-production` is appended to it."""

SHUTDOWN = {"proxies_s": 5, "drain_s": 5, "requests_s": 20, "deregister_s": 30, "stop_s": 40}
"""Seconds: until proxies have heard of it; not ready yet serving; finishing what was begun; the three
together, for load balancers; and after which a platform may kill."""

BALANCER_IDLE_S = 60
"""Seconds after which a load balancer drops an idle connection. Services keep theirs for longer."""


def files(plan: ServicePlan, container: Container) -> dict[str, str]:
    """Path to text of every file of the parts that the schema names."""
    parts = dict.fromkeys(plan.deploy)
    if NEEDS_IMAGE & parts.keys():
        parts[IMAGE] = None
    values: dict[str, Any] = {
        "plan": plan,
        "name": label(plan.name),
        "container": container,
        "database_image": DATABASE_IMAGE,
        "port": PORT,
        "metrics_port": METRICS_PORT,
        "user": USER,
        "shutdown": SHUTDOWN,
        "balancer_idle_s": BALANCER_IDLE_S,
        "provider": plan.provider,
    }
    found = {}
    for part in parts:
        folder = TEMPLATES / part
        for template in sorted(folder.rglob("*.j2")):
            name = template.relative_to(folder).as_posix()
            found[_emitted(name)] = render(folder, name, values)
    return found


def label(name: str) -> str:
    """The name of the service as every platform takes it: a letter first, and not too long."""
    spelled = name if name[0].isalpha() else f"api-{name}"
    return spelled[:LABEL].rstrip("-")


def _emitted(template: str) -> str:
    """`dot.github/ci.yml.j2` is emitted as `.github/ci.yml`."""
    parts = template.removesuffix(".j2").split("/")
    return "/".join("." + part.removeprefix("dot.") if part.startswith("dot.") else part for part in parts)
