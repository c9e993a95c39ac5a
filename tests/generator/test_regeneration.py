"""Generating again: what is unchanged is not touched, and what its owner wrote is never lost."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.generator.command import run
from freehold.generator.write import CONFLICTS, INCOMING, Outcome, OutsideFolder, put
from tests.generator.golden import HERE

SMALL = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")


class Workshop:
    """A schema file and the service that is made from it."""

    def __init__(self, folder: Path, lang: str = "python") -> None:
        self.lang = lang
        self.schema = folder / "freehold.yaml"
        self.out = folder / "service"
        self.schema.write_text(SMALL, encoding="utf-8")

    def edit_schema(self, *changes: tuple[str, str]) -> None:
        text = self.schema.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.schema.write_text(text, encoding="utf-8")

    def generate(self, **options: object) -> dict[str, Outcome]:
        """Path to outcome of each file that did not stay the same."""
        report = run(self.lang, self.out, self.schema, approve=("project", "audit_log"), **options)  # type: ignore[arg-type]
        self.exit_code = report.exit_code
        return {each.path: each.outcome for each in report.decisions if each.outcome is not Outcome.SAME}

    def read(self, path: str) -> str:
        return (self.out / path).read_text(encoding="utf-8")

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        file = self.out / path
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")

    def state(self) -> dict[str, tuple[int, bytes]]:
        files = (path for path in self.out.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path)
    workshop.generate()
    return workshop


@pytest.fixture
def go_shop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path, "go")
    workshop.generate()
    return workshop


NEW_FIELD = ("      budget: ", "      notes:    { type: text, nullable: true }\n      budget: ")
ROUTES = "app/projects/routes.py"
SCHEMAS = "app/projects/schemas.py"


def test_the_second_run_writes_nothing_at_all(shop: Workshop):
    before = shop.state()

    assert shop.generate() == {}
    assert shop.state() == before
    assert shop.exit_code == 0


def test_check_tells_and_writes_nothing(shop: Workshop):
    shop.edit_schema(NEW_FIELD)
    before = shop.state()
    found = shop.generate(check=True)

    assert found[SCHEMAS] is Outcome.UPDATED
    assert shop.exit_code == 1
    assert shop.state() == before


def test_a_changed_schema_adds_a_migration_and_leaves_the_old_one(shop: Workshop):
    first = shop.read("db/migrations/0001_create_tables.sql")
    shop.edit_schema(NEW_FIELD)
    found = shop.generate()

    added = [path for path, outcome in found.items() if path.startswith("db/") and outcome is Outcome.CREATED]
    assert len(added) == 1
    assert "ADD COLUMN notes text" in shop.read(added[0])
    assert "DROP COLUMN notes" in shop.read(added[0]).partition("-- migrate:down")[2]
    assert shop.read("db/migrations/0001_create_tables.sql") == first
    assert shop.generate() == {}


def test_an_edit_survives_while_the_generator_has_nothing_new(shop: Workshop):
    shop.edit(ROUTES, lambda text: text + "\n\nMINE = 1\n")

    assert shop.generate() == {ROUTES: Outcome.EDITED}
    assert shop.read(ROUTES).endswith("MINE = 1\n")
    assert shop.exit_code == 0


def test_a_file_that_is_written_once_is_its_owners_from_then_on(shop: Workshop):
    hooks = "app/projects/hooks.py"
    shop.edit(hooks, lambda text: text.replace("about to be made", "MINE"))
    shop.edit_schema(("  project:\n", "  job:\n    was: project\n"))
    (shop.out / "app/people/hooks.py").unlink()

    found = shop.generate()
    assert found["app/jobs/hooks.py"] is Outcome.CREATED
    assert found["app/people/hooks.py"] is Outcome.DELETED
    assert found[hooks] is Outcome.ORPHANED
    assert "MINE" in shop.read(hooks)
    shop.edit("app/jobs/hooks.py", lambda _: "MINE = 1\n")
    shop.edit_schema(("A piece of work with a budget.", "Another."))
    assert "app/jobs/hooks.py" not in shop.generate()
    assert shop.read("app/jobs/hooks.py") == "MINE = 1\n"


def test_an_edit_and_a_new_field_are_both_there_afterwards(shop: Workshop):
    shop.edit(SCHEMAS, lambda text: text.replace('"""A new project."""', '"""Mine."""'))
    shop.edit_schema(NEW_FIELD)

    assert shop.generate()[SCHEMAS] is Outcome.MERGED
    assert '"""Mine."""' in shop.read(SCHEMAS)
    assert "notes: Text | None = None" in shop.read(SCHEMAS)


def test_a_file_that_was_only_reformatted_is_brought_up_to_date_in_that_format(shop: Workshop):
    shop.edit("ruff.toml", lambda text: text.replace("line-length = 120", "line-length = 79"))
    ruff = Path(sys.executable).parent / "ruff"
    subprocess.run([ruff, "format", "-q", SCHEMAS], cwd=shop.out, check=True, timeout=30)
    shop.edit_schema(NEW_FIELD)

    assert shop.generate()[SCHEMAS] is Outcome.MERGED
    assert "notes: Text | None = None" in shop.read(SCHEMAS)
    done = subprocess.run([ruff, "format", "--check", "-q", SCHEMAS], cwd=shop.out, check=False, timeout=30)
    assert done.returncode == 0


def test_a_conflict_is_shown_and_the_file_left_alone_until_someone_decides(shop: Workshop):
    shop.edit(SCHEMAS, lambda text: text.replace("max_length=100", "max_length=120"))
    shop.edit_schema(("name:     { type: string(100)", "name:     { type: string(90)"))
    mine = shop.read(SCHEMAS)

    for _ in range(2):  # it is offered again: nothing is forgotten
        assert shop.generate()[SCHEMAS] is Outcome.CONFLICT
        assert shop.exit_code == 2
        assert shop.read(SCHEMAS) == mine
        marked = shop.read(f"{CONFLICTS}/{SCHEMAS}")
        assert "<<<<<<< yours" in marked
        assert "max_length=120" in marked
        assert "max_length=90" in marked

    found = shop.generate(take_generated=[SCHEMAS])
    assert found[SCHEMAS] is Outcome.UPDATED
    assert "max_length=90" in shop.read(SCHEMAS)
    assert not (shop.out / CONFLICTS).exists()
    assert shop.generate() == {}


def test_taking_mine_settles_a_conflict_for_good(shop: Workshop):
    shop.edit(SCHEMAS, lambda text: text.replace("max_length=100", "max_length=120"))
    shop.edit_schema(("name:     { type: string(100)", "name:     { type: string(90)"))
    shop.generate(take_yours=[SCHEMAS])

    assert shop.generate() == {SCHEMAS: Outcome.EDITED}
    assert "max_length=120" in shop.read(SCHEMAS)
    assert shop.exit_code == 0


def test_a_merge_that_would_not_parse_is_a_conflict(shop: Workshop):
    shop.edit(
        SCHEMAS,
        lambda text: text.replace('class ProjectCreate(Body):\n    """A new project."""\n', "if True:\n"),
    )
    shop.edit_schema(NEW_FIELD)
    shop.edit(SCHEMAS, lambda text: text.replace("if True:\n", "if True\n"))

    assert shop.generate()[SCHEMAS] is Outcome.CONFLICT


def test_what_is_no_longer_emitted_goes_unless_it_was_edited(shop: Workshop):
    shop.edit_schema(("\n  person:\n", "\n  human:\n"), ("ref(person)", "ref(human)"))
    shop.edit("app/people/routes.py", lambda text: text + "\n# mine\n")
    (shop.schema.parent / "schema.lock.json").unlink()
    found = shop.generate()

    assert found["app/people/schemas.py"] is Outcome.REMOVED
    assert found["app/people/routes.py"] is Outcome.ORPHANED
    assert not (shop.out / "app/people/schemas.py").exists()
    assert shop.read("app/people/routes.py").endswith("# mine\n")
    assert (shop.out / "app/humans/routes.py").exists()


def test_a_file_that_its_owner_deleted_stays_deleted(shop: Workshop):
    (shop.out / "AGENTS.md").unlink()

    assert shop.generate() == {"AGENTS.md": Outcome.DELETED}
    assert not (shop.out / "AGENTS.md").exists()
    shop.generate(take_generated=["AGENTS.md"])
    assert (shop.out / "AGENTS.md").exists()


def test_a_file_that_was_there_first_is_never_overwritten(tmp_path: Path):
    shop = Workshop(tmp_path)
    shop.out.mkdir()
    (shop.out / "Makefile").write_text("mine:\n")

    assert shop.generate()["Makefile"] is Outcome.INCOMING
    assert shop.read("Makefile") == "mine:\n"
    assert "make help" in shop.read(f"{INCOMING}/Makefile")
    assert shop.exit_code == 2


def test_an_edit_of_what_follows_from_the_schema_is_refused(shop: Workshop):
    shop.edit("openapi.json", lambda text: text.replace("acme-works", "acme"))
    shop.edit_schema(NEW_FIELD)

    assert shop.generate()["openapi.json"] is Outcome.LOCKED
    assert shop.exit_code == 2


def test_nothing_is_written_through_a_link_that_leads_out_of_the_folder(tmp_path: Path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "app").symlink_to(outside)

    with pytest.raises(OutsideFolder):
        put(root, "app/x.py", "text")
    with pytest.raises(OutsideFolder):
        put(root, "../x.py", "text")
    assert list(outside.iterdir()) == []


SCHEMA_CHANGES = (
    NEW_FIELD,
    ("string(120)", "string(200)"),
    ("enum(draft, active, 1st)", "enum(draft, active, 1st, done)"),
    ("    soft_delete: true\n    audit: true\n", "    soft_delete: true\n"),
    ("    index: [[status, -created_at]]\n", ""),
)


@pytest.mark.parametrize("seed", range(4))
def test_no_line_of_its_owner_is_ever_lost(shop: Workshop, seed: int):
    chance = random.Random(seed)
    marks: list[str] = []
    changes = list(SCHEMA_CHANGES)
    chance.shuffle(changes)

    for change in changes[:3]:
        files = sorted(path for path in (shop.out / "app").rglob("*.py") if path.stat().st_size)
        for file in chance.sample(files, 8):
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            mark = f"# mine {seed} {len(marks)}\n"
            lines.insert(chance.randrange(len(lines) + 1), mark)
            file.write_text("".join(lines), encoding="utf-8")
            marks.append(mark)
        shop.edit_schema(change)
        shop.generate()
        shop.generate()

    found = "".join(path.read_text(encoding="utf-8") for path in shop.out.rglob("*.py"))
    assert [mark for mark in marks if mark not in found] == []
    conflicts = shop.out / CONFLICTS
    for marked in conflicts.rglob("*.py") if conflicts.exists() else ():
        assert "<<<<<<< yours" in marked.read_text(encoding="utf-8")


GO_TYPES = "internal/projects/types.go"


def test_go_an_edit_and_a_new_field_are_both_there_afterwards(go_shop: Workshop):
    assert go_shop.generate() == {}
    go_shop.edit(
        GO_TYPES, lambda text: text.replace("// ProjectCreate is a new project.", "// ProjectCreate: mine.")
    )
    go_shop.edit_schema(NEW_FIELD)

    assert go_shop.generate()[GO_TYPES] is Outcome.MERGED
    assert "// ProjectCreate: mine." in go_shop.read(GO_TYPES)
    assert 'wire.Nullable(body, "notes", readNotes)' in go_shop.read(GO_TYPES)


def test_go_a_conflict_is_shown_and_the_file_left_alone_until_someone_decides(go_shop: Workshop):
    go_shop.edit(GO_TYPES, lambda text: text.replace("AtMost(100)", "AtMost(120)"))
    go_shop.edit_schema(("name:     { type: string(100)", "name:     { type: string(90)"))
    mine = go_shop.read(GO_TYPES)

    assert go_shop.generate()[GO_TYPES] is Outcome.CONFLICT
    assert go_shop.read(GO_TYPES) == mine
    assert "AtMost(90)" in go_shop.read(f"{CONFLICTS}/{GO_TYPES}")
    assert go_shop.generate(take_generated=[GO_TYPES])[GO_TYPES] is Outcome.UPDATED
    assert go_shop.generate() == {}


def test_go_a_merge_that_would_not_parse_is_a_conflict(go_shop: Workshop):
    go_shop.edit(GO_TYPES, lambda text: text + "\nfunc mine( {\n")
    go_shop.edit_schema(NEW_FIELD)

    assert go_shop.generate()[GO_TYPES] is Outcome.CONFLICT


def test_go_a_longer_name_realigns_its_neighbours_and_an_edit_elsewhere_stays(go_shop: Workshop):
    routes = "internal/projects/routes.go"
    go_shop.edit(routes, lambda text: text + "\n// mine\n")
    go_shop.edit_schema(
        ("      budget: ", "      a_very_much_longer_name: { type: text, nullable: true }\n      budget: ")
    )
    found = go_shop.generate()

    assert found[GO_TYPES] is Outcome.UPDATED
    assert found[routes] is Outcome.MERGED
    assert go_shop.read(routes).endswith("// mine\n")
    shaped = subprocess.run(
        ["gofmt", "-l", "."], cwd=go_shop.out, capture_output=True, check=True, timeout=60
    )
    assert shaped.stdout == b""


def _add_beside(text: str, before: str, line: str) -> str:
    assert before in text, before
    return text.replace(before, f"{line}\n{before}", 1)


GO_EDITS: dict[str, Callable[[str], str]] = {
    "internal/projects/routes.go": lambda text: _add_beside(
        text, "\tpage, included, err := api.ReadPage(", "\t// mine: lists are counted here"
    ),
    "internal/projects/types.go": lambda text: (
        text + '\nfunc (p Project) isMine() bool { return p.Name == "" }\n'
    ),
    "internal/projects/repository.go": lambda text: _add_beside(
        text, "// GetProject is the project", "func mine() {}\n"
    ),
    "internal/access/principal.go": lambda text: text.replace("// Nobody is who", "// Nobody, mine, is who"),
    "internal/server/server.go": lambda text: text.replace("2 * time.Minute", "3 * time.Minute"),
    "internal/api/lists.go": lambda text: text.replace("defaultLimit = 25", "defaultLimit = 50"),
    "internal/config/config.go": lambda text: text.replace('"PORT", 8000', '"PORT", 9000'),
    "cmd/api/main.go": lambda text: text + "\n// mine\n",
    "Makefile": lambda text: text + "\nmine:\n\techo mine\n",
    "go.mod": lambda text: text.replace("go 1.26.0\n", "go 1.26.0\n\n// mine\n"),
    "README.md": lambda text: text + "\nMine.\n",
}
GO_MARKS = {
    "internal/projects/routes.go": "mine: lists are counted here",
    "internal/projects/types.go": "isMine",
    "internal/projects/repository.go": "func mine",
    "internal/access/principal.go": "Nobody, mine",
    "internal/server/server.go": "3 * time.Minute",
    "internal/api/lists.go": "= 50",
    "internal/config/config.go": "9000",
    "cmd/api/main.go": "// mine",
    "Makefile": "echo mine",
    "go.mod": "// mine",
    "README.md": "Mine.",
}
GO_CHANGES = (
    (NEW_FIELD,),
    (("string(120)", "string(200)"),),
    (("enum(draft, active, 1st)", "enum(draft, active, 1st, done)"),),
    (("      code:     {", "      started:  { type: date, nullable: true, sort: true }\n      code:     {"),),
    (("    audit: true\n", ""),),
    (("    index: [[status, -created_at]]\n", ""),),
    (("read: admin, write: admin }", "read: member, write: admin }"),),
)


def test_go_eleven_edits_and_seven_changes_of_the_schema_lose_nothing_and_compile(go_shop: Workshop):
    for path, change in GO_EDITS.items():
        go_shop.edit(path, change)
    conflicts = 0
    for changes in GO_CHANGES:
        go_shop.edit_schema(*changes)
        conflicts += list(go_shop.generate().values()).count(Outcome.CONFLICT)

    assert conflicts == 0
    assert [path for path, mark in GO_MARKS.items() if mark not in go_shop.read(path)] == []
    done = subprocess.run(
        ["go", "vet", "./..."], cwd=go_shop.out, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
