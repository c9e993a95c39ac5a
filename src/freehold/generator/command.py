"""`freehold generate`, `upgrade` and `diff`: a service's folder brought up to date, with a report."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from freehold import __version__
from freehold.config import Refusal
from freehold.generator import differences, own_routes, write
from freehold.generator.generate import find
from freehold.generator.generate import generate as emit
from freehold.generator.migrations import FOLDER, SNAPSHOT, History, losses, needs, read_snapshot
from freehold.generator.migrations import snapshot as snapshot_of
from freehold.generator.releases import Release, is_newer, since
from freehold.generator.target import FormatterMissing
from freehold.generator.write import Decision, Outcome, Repository
from freehold.schema.lock import Decisions, lock_of, lock_text, read_lock, write_lock
from freehold.schema.model import Schema
from freehold.schema.sketch import Note, told
from freehold.schema.sources import read_source

HINTS = {
    Outcome.CONFLICT: "both you and the generator changed the same lines",
    Outcome.LOCKED: "follows from the schema: undo the edit, and change the schema",
    Outcome.INCOMING: "was there already and is not the generator's",
    Outcome.ORPHANED: "is no longer emitted, and stays because you edited it",
    Outcome.DELETED: "was deleted by you, and stays so",
}
DEFAULT_LANG = "python"


class NotThisService(ValueError):
    """The folder holds a service that this run must not touch."""


class NotApproved(ValueError):
    """A migration would lose data, and nobody said that it may."""

    def __init__(self, unapproved: Mapping[str, list[str]]) -> None:
        lost = "; ".join(dict.fromkeys(text for texts in unapproved.values() for text in texts))
        said = " ".join(f"--approve {table}" for table in sorted(unapproved))
        super().__init__(
            f"The migrations of this change would lose {lost}. Nothing was written. Say {said} if that may"
            " be, or put back what was taken out of the schema."
        )


@dataclass(frozen=True)
class Report:
    """What was done, or with `--check` would be."""

    decisions: list[Decision]
    lock_changes: bool
    check: bool
    notes: tuple[Note, ...] = ()
    """What the schema's author has to decide, when it is an `.apsorc`."""
    releases: tuple[Release, ...] = ()
    """The versions of the generator that come to the service with this."""
    diff: str | None = None
    """What changes in the files, when it was asked for."""
    losses: Mapping[str, list[str]] = field(default_factory=dict)
    """What the new migrations would lose, by the table that loses it."""
    unapproved: Mapping[str, list[str]] = field(default_factory=dict)
    """Those of them that nobody has approved."""
    needs: tuple[str, ...] = ()
    """What the new migrations ask of the rows that are there, and fail without."""

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 `--check` found something to do, 2 someone has to decide."""
        if self.unapproved or any(each.outcome in write.REFUSALS for each in self.decisions):
            return 2
        return int(self.check and self.changes)

    @property
    def changes(self) -> bool:
        return self.lock_changes or any(each.outcome in write.CHANGES for each in self.decisions)


@dataclass(frozen=True)
class Prepared:
    """A run that was thought through, and has not written anything."""

    repository: Repository
    lang: str
    schema: Schema
    decisions: list[Decision]
    notes: tuple[Note, ...] = ()
    releases: tuple[Release, ...] = ()
    lock_folder: Path | None = None
    """Where the ids of the schema are kept; None when the schema is the service's own snapshot."""
    losses: Mapping[str, list[str]] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    """The tables that may lose data."""
    needs: tuple[str, ...] = ()

    @property
    def unapproved(self) -> dict[str, list[str]]:
        return {table: texts for table, texts in self.losses.items() if table not in self.approved}

    @property
    def lock_changes(self) -> bool:
        if self.lock_folder is None:
            return False
        before = read_lock(self.lock_folder)
        return before is None or lock_text(before) != lock_text(lock_of(self.schema, before))

    def report(self, *, check: bool, diff: bool = False) -> Report:
        """What performing this does."""
        shown = differences.of_decisions(self.repository, self.decisions) if diff else None
        return Report(
            self.decisions,
            self.lock_changes,
            check,
            self.notes,
            self.releases,
            shown,
            self.losses,
            self.unapproved,
            self.needs,
        )

    def perform(self) -> None:
        """Write it. Raises NotApproved."""
        if self.unapproved:
            raise NotApproved(self.unapproved)
        out = self.repository.root
        out.mkdir(parents=True, exist_ok=True)
        write.perform(out, self.decisions, target=self.lang, schema=snapshot_of(self.schema))
        if self.lock_folder is not None:
            write_lock(self.lock_folder, lock_of(self.schema, read_lock(self.lock_folder)))


def generate(
    lang: str | None,
    out: Path,
    schema: Path = Path("freehold.yaml"),
    *,
    check: bool = False,
    diff: bool = False,
    as_json: bool = False,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
    approve: Collection[str] = (),
    decisions: Decisions | None = None,
) -> int:
    """Bring the folder up to date with the schema. Answers with the exit code of the process."""
    with refusals(out):
        prepared = prepare(
            lang,
            out,
            schema,
            take_yours=take_yours,
            take_generated=take_generated,
            approve=approve,
            decisions=decisions,
        )
        return _done(prepared, check=check, diff=diff, as_json=as_json)


def upgrade(
    out: Path,
    *,
    check: bool = False,
    diff: bool = False,
    as_json: bool = False,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
) -> int:
    """Bring to the folder what this version of the generator emits. Answers with the process's exit code."""
    with refusals(out):
        prepared = prepare_upgrade(out, take_yours=take_yours, take_generated=take_generated)
        return _done(prepared, check=check, diff=diff, as_json=as_json)


def diff(out: Path) -> int:
    """Show what the owner changed in the emitted files. Answers with 1 when there is anything."""
    with refusals(out):
        shown = differences.of_edits(_service(out))
    print(shown or f"{out} is as it was emitted.", end="" if shown else "\n")  # noqa: T201
    return int(bool(shown))


def run(
    lang: str | None,
    out: Path,
    schema: Path,
    *,
    check: bool = False,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
    approve: Collection[str] = (),
    decisions: Decisions | None = None,
) -> Report:
    """`generate` without printing."""
    prepared = prepare(
        lang,
        out,
        schema,
        take_yours=take_yours,
        take_generated=take_generated,
        approve=approve,
        decisions=decisions,
    )
    report = prepared.report(check=check)
    if not check:
        prepared.perform()
    return report


def prepare(
    lang: str | None,
    out: Path,
    schema: Path,
    *,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
    approve: Collection[str] = (),
    decisions: Decisions | None = None,
) -> Prepared:
    """Think through what the schema makes of the folder."""
    repository = write.read(out)
    made = repository.made
    lang = lang or (made.target if made else DEFAULT_LANG)
    if made is not None and made.target != lang:
        raise NotThisService(
            f"{out} is a service in {made.target}. Say --lang {made.target}, or another folder with --out."
        )
    _refuse_older(repository)
    backend, notes = read_source(schema, decisions=decisions)
    folder = (schema if schema.is_dir() else schema.parent).resolve()
    before = history(out)
    emitted = emit(backend, lang, before)
    done = write.decide(repository, emitted, find(lang), take_yours=take_yours, take_generated=take_generated)
    return Prepared(
        repository,
        lang,
        backend,
        done,
        notes,
        _releases(repository),
        folder,
        losses(backend, before),
        frozenset(approve),
        tuple(needs(backend, before)),
    )


def prepare_upgrade(
    out: Path, *, take_yours: Collection[str] = (), take_generated: Collection[str] = ()
) -> Prepared:
    """Think through what this version of the generator makes of the schema that the service already has.

    The schema is the service's own snapshot: a change of the schema file waits for `generate`, so that what
    is reviewed here is the generator's doing alone."""
    repository = _service(out)
    assert repository.made is not None
    _refuse_older(repository)
    snapshot = repository.text(SNAPSHOT)
    if snapshot is None:
        raise NotThisService(f"{out / SNAPSHOT} is missing: restore it from version control.")
    if write.digest(snapshot) != repository.made.schema:
        raise NotThisService(f"{out / SNAPSHOT} was edited: restore it from version control.")
    lang, backend = repository.made.target, read_snapshot(snapshot)
    done = write.decide(
        repository,
        emit(backend, lang, history(out)),
        find(lang),
        take_yours=take_yours,
        take_generated=take_generated,
    )
    return Prepared(repository, lang, backend, done, releases=_releases(repository))


def history(out: Path) -> History:
    """The migrations that the folder has, the schema that they lead to, and its owner's own routes."""
    repository = write.Repository(out)
    snapshot = repository.text(SNAPSHOT)
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted((out / FOLDER).glob("*.sql"))}
    before = read_snapshot(snapshot) if snapshot is not None else None
    return History(before, found, repository.text(own_routes.FILE))


@contextmanager
def refusals(out: Path) -> Iterator[None]:
    """Say mistakes of the input as refusals. Raises Refusal."""
    try:
        yield
    except (ValueError, FormatterMissing) as error:  # each kind of mistake in the input is a ValueError
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(
            f"{error.filename or out} cannot be read or written: {error.strerror}. Make it so, or name"
            " another folder with --out."
        ) from error


def _service(out: Path) -> Repository:
    repository = write.read(out)
    if repository.made is None:
        raise NotThisService(
            f"{out} holds no service of Freehold: there is no {write.MANIFEST}. Name its folder with --out."
        )
    return repository


def _refuse_older(repository: Repository) -> None:
    made = repository.made
    if made is not None and is_newer(made.generator, __version__):
        raise NotThisService(
            f"{repository.root} was made by Freehold {made.generator}, and this is {__version__}, which would"
            " take it back. Install the newer one."
        )


def _releases(repository: Repository) -> tuple[Release, ...]:
    return tuple(since(repository.made.generator)) if repository.made else ()


def _done(prepared: Prepared, *, check: bool, diff: bool, as_json: bool) -> int:
    """Write, unless it is only to be seen, and tell."""
    report = prepared.report(check=check or diff, diff=diff)
    if not report.check:
        prepared.perform()
    print(_json(report) if as_json else _text(report, prepared.repository.root), end="")  # noqa: T201 - its work
    return report.exit_code


def _json(report: Report) -> str:
    return json.dumps(as_values(report)) + "\n"


def as_values(report: Report) -> dict[str, object]:
    """The report as JSON says it."""
    files = [
        {"path": each.path, "outcome": str(each.outcome)}
        for each in report.decisions
        if each.outcome is not Outcome.SAME
    ]
    notes = [{"kind": note.kind, "where": note.where, "what": note.what} for note in report.notes]
    releases = [{"version": each.version, "notes": list(each.notes)} for each in report.releases]
    values = {
        "exit_code": report.exit_code,
        "changes": report.changes,
        "files": files,
        "notes": notes,
        "releases": releases,
        "losses": dict(report.losses),
        "unapproved": sorted(report.unapproved),
        "needs": list(report.needs),
    }
    return values if report.diff is None else {**values, "diff": report.diff}


def _text(report: Report, out: Path) -> str:
    lines = []
    for each in report.decisions:
        if each.outcome is not Outcome.SAME:
            hint = HINTS.get(each.outcome, "")
            lines.append(f"{each.outcome:>9}  {each.path}" + (f": {hint}" if hint else ""))
        if each.outcome is Outcome.CONFLICT:
            lines += [f"           | {line}" for line in _first_conflict(each.text or "")]
    if any(each.outcome in (Outcome.CONFLICT, Outcome.INCOMING) for each in report.decisions):
        state, verb = out / write.STATE, "would be" if report.check else "are"
        lines += [
            "",
            f"Your files were not touched. The other versions {verb} in {state}/{{conflicts,incoming}}.",
            "Mend the file and run this again, or say --take-yours PATH or --take-generated PATH.",
        ]
    if report.losses:
        lines += ["", *(f"     loses  {each}" for texts in report.losses.values() for each in texts)]
    if report.needs:
        lines += ["", *(f"     needs  {each}" for each in report.needs)]
        lines.append(
            "Where rows do not have it, that migration fails: say a `default:` for what is missing, or change"
            " the rows, before it or in it. AGENTS.md says how rows are changed there."
        )
    if report.unapproved:
        said = " ".join(f"--approve {table}" for table in sorted(report.unapproved))
        lines.append(f"Nothing is written until that is approved: {said}")
    if not lines:
        lines = [*told(report.notes), f"{out} is up to date."]
    else:
        if report.check and report.changes and not report.unapproved:
            lines.append("Run without --check or --diff to write these.")
        lines += told(report.notes)
    for release in report.releases:
        lines += ["", f"New with {release.version}:", *(f"  {note}" for note in release.notes)]
    return (report.diff or "") + "\n".join(lines) + "\n"


def _first_conflict(text: str) -> list[str]:
    """Ten lines of the first place where both sides changed something."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("<<<<<<<")), 0)
    return lines[start : start + 10]
