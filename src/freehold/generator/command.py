"""`freehold generate`: from the schema file to the service's folder, with a report of every file."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from freehold.config import Refusal
from freehold.generator import write
from freehold.generator.generate import find
from freehold.generator.generate import generate as emit
from freehold.generator.migrations import FOLDER, SNAPSHOT, History, read_snapshot
from freehold.generator.migrations import snapshot as snapshot_of
from freehold.generator.target import FormatterMissing
from freehold.generator.write import Decision, Outcome
from freehold.schema.lock import Decisions, lock_of, lock_text, read_lock, write_lock
from freehold.schema.sketch import Note, told
from freehold.schema.sources import read_source

HINTS = {
    Outcome.CONFLICT: "both you and the generator changed the same lines",
    Outcome.LOCKED: "follows from the schema alone: undo the edit, and change the schema",
    Outcome.INCOMING: "was there already and is not the generator's",
    Outcome.ORPHANED: "is no longer emitted, and stays because you edited it",
    Outcome.DELETED: "was deleted by you, and stays so",
}


@dataclass(frozen=True)
class Report:
    """What was done, or with `--check` would be."""

    decisions: list[Decision]
    lock_changes: bool
    check: bool
    notes: tuple[Note, ...] = ()
    """What the schema's author has to decide, when it is an `.apsorc`."""

    @property
    def exit_code(self) -> int:
        """0 all is well, 1 `--check` found something to do, 2 someone has to decide."""
        if any(each.outcome in write.REFUSALS for each in self.decisions):
            return 2
        return int(self.check and self.changes)

    @property
    def changes(self) -> bool:
        return self.lock_changes or any(each.outcome in write.CHANGES for each in self.decisions)


def generate(
    lang: str,
    out: Path,
    schema: Path = Path("freehold.yaml"),
    *,
    check: bool = False,
    as_json: bool = False,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
    decisions: Decisions | None = None,
) -> int:
    """Bring the folder up to date with the schema. Answers with the exit code of the process."""
    try:
        report = run(
            lang,
            out,
            schema,
            check=check,
            take_yours=take_yours,
            take_generated=take_generated,
            decisions=decisions,
        )
    except (ValueError, FormatterMissing) as error:  # each kind of mistake in the input is a ValueError
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(
            f"{error.filename or out} cannot be read or written: {error.strerror}. Make it so, or name"
            " another folder with --out."
        ) from error
    print(_json(report) if as_json else _text(report, out))  # noqa: T201 - this is what the command is for
    return report.exit_code


def run(
    lang: str,
    out: Path,
    schema: Path,
    *,
    check: bool = False,
    take_yours: Collection[str] = (),
    take_generated: Collection[str] = (),
    decisions: Decisions | None = None,
) -> Report:
    """The same without printing."""
    backend, notes = read_source(schema, decisions=decisions)
    folder = (schema if schema.is_dir() else schema.parent).resolve()
    before = read_lock(folder)
    lock = lock_of(backend, before)
    emitted = emit(backend, lang, history(out))
    done = write.decide(
        write.read(out), emitted, find(lang), take_yours=take_yours, take_generated=take_generated
    )
    lock_changes = before is None or lock_text(before) != lock_text(lock)
    if not check:
        out.mkdir(parents=True, exist_ok=True)
        write.perform(out, done, target=lang, schema=snapshot_of(backend))
        write_lock(folder, lock)
    return Report(done, lock_changes, check, notes)


def history(out: Path) -> History:
    """The migrations that the folder has, and the schema that they lead to."""
    snapshot = write.Repository(out).text(SNAPSHOT)
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted((out / FOLDER).glob("*.sql"))}
    return History(read_snapshot(snapshot) if snapshot is not None else None, found)


def _json(report: Report) -> str:
    files = [
        {"path": each.path, "outcome": str(each.outcome)}
        for each in report.decisions
        if each.outcome is not Outcome.SAME
    ]
    notes = [{"kind": note.kind, "where": note.where, "what": note.what} for note in report.notes]
    return json.dumps(
        {"exit_code": report.exit_code, "changes": report.changes, "files": files, "notes": notes}
    )


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
    if not lines:
        return "\n".join([*told(report.notes), f"{out} is up to date."])
    if report.check and report.changes:
        lines.append("Run without --check to write these.")
    return "\n".join([*lines, *told(report.notes)])


def _first_conflict(text: str) -> list[str]:
    """Ten lines of the first place where both sides changed something."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("<<<<<<<")), 0)
    return lines[start : start + 10]
