"""Gives entities and fields the ids of the lock, and asks where a rename cannot be told from a drop."""

from __future__ import annotations

from msgspec.structs import replace

from freehold.schema.document import Value
from freehold.schema.drafts import Drafts
from freehold.schema.lock import AmbiguousChange, Decisions, Lock, LockedEntity, Question, alike, exchangeable
from freehold.schema.model import Entity, Field, Schema
from freehold.schema.problems import Problem, Problems, did_you_mean


def identify(schema: Schema, drafts: Drafts, lock: Lock | None, decisions: Decisions) -> Schema:
    """The schema with stable ids. Without a lock, ids are counted in the order of the file."""
    naming = _Naming(schema, drafts, lock or Lock(), decisions, is_new=lock is None)
    identified = naming.schema_with_ids()
    naming.problems.raise_any()
    if naming.questions:
        raise AmbiguousChange(naming.asked, naming.questions)
    return identified


class _Naming:
    def __init__(
        self, schema: Schema, drafts: Drafts, lock: Lock, decisions: Decisions, *, is_new: bool
    ) -> None:
        self.schema = schema
        self.drafts = drafts
        self.lock = lock
        self.decisions = decisions
        self.is_new = is_new
        self.next = lock.next
        self.problems = Problems()
        self.questions: list[Question] = []
        self.asked: list[Problem] = []

    def schema_with_ids(self) -> Schema:
        ids = self._entity_ids()
        return replace(
            self.schema,
            entities=tuple(self._entity(entity, ids[entity.name]) for entity in self.schema.entities),
        )

    def _entity_ids(self) -> dict[str, str]:
        present = [entity.name for entity in self.schema.entities]
        was = {name: self._was(self.drafts.entities[name]) for name in present}
        renamed = {old: new for old, new in self.decisions.renames.items() if "." not in old}
        ids = self._matched(
            present, was, {each.name: id_ for id_, each in self.lock.entities.items()}, renamed, "entity"
        )
        gone = {id_: entity for id_, entity in self.lock.entities.items() if id_ not in ids.values()}
        for entity in gone.values():
            candidates = tuple(
                each.name
                for each in self.schema.entities
                if each.name not in ids and alike(entity, (field.name for field in each.fields))
            )
            self._ask(entity.name, candidates, self.drafts.named)
        return {name: ids.get(name) or self._new("e") for name in present}

    def _entity(self, entity: Entity, id_: str) -> Entity:
        locked = self.lock.entities.get(id_, LockedEntity(name=entity.name, fields={}))
        present = [field.name for field in entity.fields]
        was = {name: self._was(self.drafts.fields[(entity.name, name)]) for name in present}
        renamed = {
            old.partition(".")[2]: new
            for old, new in self.decisions.renames.items()
            if old.partition(".")[0] in (entity.name, locked.name) and "." in old
        }
        ids = self._matched(
            present,
            was,
            {each.name: id_ for id_, each in locked.fields.items()},
            renamed,
            f"field of `{entity.name}`",
        )
        for field_id, gone in locked.fields.items():
            if field_id in ids.values():
                continue
            candidates = tuple(
                field.name
                for field in entity.fields
                if field.name not in ids and exchangeable(gone.type, str(field.type))
            )
            self._ask(f"{entity.name}.{gone.name}", candidates, self.drafts.field_maps)
        fields = tuple(self._field(field, ids.get(field.name)) for field in entity.fields)
        return replace(entity, id=id_, fields=fields)

    def _field(self, field: Field, id_: str | None) -> Field:
        return replace(field, id=id_ or self._new("f"))

    def _matched(
        self,
        present: list[str],
        was: dict[str, Value | None],
        locked: dict[str, str],
        renamed: dict[str, str],
        what: str,
    ) -> dict[str, str]:
        """The ids of those that were here before, by name or by the name that they had."""
        ids = {name: locked[name] for name in present if name in locked}
        for old, new in renamed.items():
            if old in locked and new in present and new not in ids and locked[old] not in ids.values():
                ids[new] = locked[old]
        for name in present:
            value = was[name]
            if value is None or (name in ids and value.data not in locked) or value.data == name:
                continue
            old = value.data
            if name not in ids and old in locked and locked[old] not in ids.values():
                ids[name] = locked[old]
            elif old in locked:
                self.problems.add(
                    value.problem(
                        f"`{old}` is still here, so `{name}` cannot have been it",
                        "leave `was:` out; names are exchanged in two steps",
                    )
                )
            elif not self.is_new and name not in locked:
                self.problems.add(
                    value.problem(
                        f"there was no {what} called `{old}`", did_you_mean(old, locked) or "leave `was:` out"
                    )
                )
        return ids

    def _was(self, body: Value) -> Value | None:
        value = body.get("was") if body.kind == "map" else None
        if value is not None and value.kind != "text":
            self.problems.add(value.problem("is not a text", "the name that it had"))
            return None
        return value

    def _ask(self, path: str, candidates: tuple[str, ...], maps: dict[str, Value]) -> None:
        if not candidates or path in self.decisions.drops:
            return
        self.questions.append(Question(path=path, candidates=candidates))
        first = candidates[0]
        holder = maps[path.partition(".")[0] if "." in path else first]
        name = path.rpartition(".")[2]
        listed = " or ".join(f"`{each}`" for each in candidates)
        self.asked.append(
            holder.problem(
                f"`{name}` is gone and {listed} is new: was it renamed, or dropped?",
                f"add `was: {name}` to `{first}`, or say `--rename {path}={first}` or `--drop {path}`",
                key=first,
            )
        )

    def _new(self, prefix: str) -> str:
        number, self.next = self.next, self.next + 1
        return f"{prefix}{number}"
