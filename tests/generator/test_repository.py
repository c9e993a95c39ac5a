"""The repository around the code: its README works as pasted, and its pages say what the schema says."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from urllib.request import Request, urlopen

import jwt
import pytest

from freehold.generator import TARGETS, generate
from freehold.schema.read import read_schema
from tests.conformance.running import ROOT, SECRET, do, emitted, environment, installed, running
from tests.generator.golden import HERE
from tests.postgres import Server

SCHEMAS = {
    "crm": ROOT / "examples" / "crm" / "freehold.yaml",
    "everything": HERE / "schemas" / "everything" / "freehold.yaml",
    "torture": HERE / "schemas" / "torture" / "freehold.yaml",
}
VERBS = {
    "api-key", "client",
    "help", "setup", "database", "migrate", "drift", "seed", "dev", "token", "test", "isolation", "lint",
    "format", "lint-migrations", "sbom", "generate", "generated",
}  # fmt: skip
CALLER = re.compile(r"^\| (\S+) \| (\S+) \| (\S+) \|$", re.MULTILINE)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_lines_of_the_readme_work_as_pasted(name: str, tmp_path: Path, postgres: Server):
    target = TARGETS["python"]
    service = emitted(target, SCHEMAS[name], tmp_path)
    cache = installed(target, service)
    readme = (service / "README.md").read_text(encoding="utf-8")
    pasted = re.search(r"make token ROLE=(\S+)(?: TENANT=(\S+))? USER_ID=(\S+) > token", readme)
    url = re.search(r"http://127\.0\.0\.1:8000(/v1/\S+)", readme)
    assert pasted
    assert url

    with running(target, service, postgres) as served:
        told = environment(target, ADMIN_DATABASE_URL=served.database.admin_url)
        seed = (*target.commands.migrate[:-1], "seed")
        for _ in range(2):
            do(seed, service, cache, **told)
        first = rows(served.url + url[1], pasted[1], pasted[2] or "", pasted[3])
        callers = [caller for caller in CALLER.findall(readme) if caller[1].startswith("01930000-")]
        seen = {caller: rows(served.url + url[1], *caller) for caller in callers}

    assert first
    assert len({caller[0] for caller in callers}) == len(callers) / 2
    one, other = (
        {row["id"] for caller, found in seen.items() if caller[1] == tenant for row in found}
        for tenant in sorted({caller[1] for caller in callers})
    )
    assert one.isdisjoint(other)


def rows(url: str, role: str, tenant: str, user: str) -> list[dict[str, object]]:
    """What the caller's token shows, as `make token` makes it."""
    claims = {"iss": "dev", "exp": int(time.time()) + 60, "roles": [role], "tenant_id": tenant, "sub": user}
    request = Request(url, headers={"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"})
    with urlopen(request, timeout=10) as answer:
        found: list[dict[str, object]] = json.load(answer)["data"]
        return found


def test_seeds_are_not_for_production(tmp_path: Path):
    target = TARGETS["python"]
    service = emitted(target, SCHEMAS["crm"], tmp_path)
    cache = installed(target, service)
    with pytest.raises(AssertionError, match="ENVIRONMENT is production"):
        do((*target.commands.migrate[:-1], "seed"), service, cache, ENVIRONMENT="production")


@pytest.mark.parametrize("lang", TARGETS)
def test_every_language_has_the_same_verbs(lang: str, tmp_path: Path):
    makefile = generate(read_schema(SCHEMAS["crm"]), lang)["Makefile"]
    (tmp_path / "Makefile").write_text(makefile, encoding="utf-8")
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=10
    ).stdout

    assert {line.split("\t")[0] for line in listed.splitlines()} == VERBS
    assert f"--lang {lang} " in makefile


def test_the_picture_and_the_matrix_say_what_the_schema_says():
    files = generate(read_schema(SCHEMAS["crm"]), "python")
    picture, matrix = files["docs/data-model.md"], files["docs/permissions.md"]
    deal = matrix.split("\n## deal\n")[1].split("\n## ")[0]

    assert "    company ||--o{ deal : company\n" in picture
    assert "    app_user |o--o{ deal : owner\n" in picture
    assert '    deal }o--o{ app_user : "watchers (deal_watchers)"\n' in picture
    assert "| update | yes | yes | owner_id = me and status in (open, on\\_hold) |  |  |  |  |" in deal
    assert "Written only: `discount` by `owner`, `admin`." in deal


def test_every_setting_is_in_the_example_of_the_environment():
    files = generate(read_schema(SCHEMAS["crm"]), "python")
    read = re.findall(r'reader\.\w+\(\s*"([A-Z_]+)"', files["app/settings.py"])
    read += re.findall(r'os\.environ\.get\("([A-Z_]+)"', files["app/migrate.py"])
    documented = set(re.findall(r"^(?:# )?([A-Z_]+)=", files[".env.example"], re.MULTILINE))
    about_providers = {name for name in read if name.startswith("AUTH_")}

    assert len(read) > 20
    assert set(read) - about_providers <= documented
