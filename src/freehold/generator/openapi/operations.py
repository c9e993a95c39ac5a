"""Operations: what can be done at each path."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.generator import names
from freehold.generator.documents import Json
from freehold.generator.limits import MAX_BATCH
from freehold.generator.openapi import parameters, responses, schemas, security
from freehold.generator.plan import EntityPlan, ServicePlan


def paths(plan: ServicePlan, entity: EntityPlan) -> Json:
    """The paths of an entity, and what can be done at each."""
    one, many = entity.name, entity.plural
    name = entity.class_name
    base = f"/v1/{entity.path}"
    noun = names.words(entity.name)
    identifier = parameters.identifier(entity)
    with_match = [identifier, *([parameters.if_match()] if entity.version else [])]
    changed = (412,) if entity.version else ()
    collection = {
        "get": _operation(
            plan,
            entity,
            "read",
            f"list_{many}",
            f"List {names.words(many)}",
            {"200": responses.page(entity)},
            (),
            given=parameters.of_list(entity),
            description="Those that the caller may read. All filters have to hold.",
        ),
        "post": _operation(
            plan,
            entity,
            "create",
            f"create_{one}",
            f"Create {names.article(noun)}",
            {"201": responses.row(entity, "The new row.", location=True)},
            (409, 413, 415, 422),
            given=[parameters.idempotency_key()],
            body=f"{name}Create",
            description="Fields that are left out get their defaults.",
        ),
    }
    single = {
        "get": _operation(
            plan,
            entity,
            "read",
            f"get_{one}",
            f"Get {names.article(noun)}",
            {"200": responses.answer(name)}
            | ({"304": {"description": "The caller has this version already."}} if entity.version else {}),
            (404,),
            given=[identifier, *parameters.include(entity)],
            description="One that the caller may not read is answered like one that is not there.",
        ),
        "patch": _operation(
            plan,
            entity,
            "update",
            f"update_{one}",
            f"Change {names.article(noun)}",
            {"200": responses.answer(name)},
            (404, 409, *changed, 413, 415, 422),
            given=with_match,
            body=f"{name}Update",
            description="What is left out stays as it is, and null empties it (RFC 7396). "
            "`application/merge-patch+json` is taken as well.",
        ),
        "delete": _operation(
            plan,
            entity,
            "delete",
            f"delete_{one}",
            f"Delete {names.article(noun)}",
            {"204": {"description": "It is deleted."}},
            (404, 409, *changed),
            given=with_match,
            description="It can be restored." if entity.soft_delete else "It cannot be restored.",
        ),
    }
    if entity.read_only:
        return {base: {"get": collection["get"]}, f"{base}/{{id}}": {"get": single["get"]}}
    found: Json = {base: collection, f"{base}/{{id}}": single}
    if entity.soft_delete:
        found[f"{base}/{{id}}/restore"] = {
            "post": _operation(
                plan,
                entity,
                "restore",
                f"restore_{one}",
                f"Restore {names.article(noun)}",
                {"200": responses.answer(name)},
                (404, 409, 413, 415),
                given=[identifier],
                description="Takes back that it was deleted.",
            )
        }
    if entity.batches:
        found |= _batch_paths(plan, entity, base)
    for relation in entity.links:
        target = plan.entity(relation.target)
        other = parameters.identifier(target) | {"name": "other"}
        for method, verb in (("put", "link"), ("delete", "unlink")):
            found.setdefault(f"{base}/{{id}}/{names.kebab(relation.name)}/{{other}}", {})[method] = (
                _operation(
                    plan,
                    entity,
                    "update",
                    f"{verb}_{one}_{relation.name}",
                    f"{verb.capitalize()} {names.article(noun)} and one of its {names.words(relation.name)}",
                    {"204": {"description": "It is so."}},
                    (404, 413, 415),
                    given=[identifier, other],
                    description="Nothing changes where it is so already.",
                )
            )
    return found


def _batch_paths(plan: ServicePlan, entity: EntityPlan, base: str) -> Json:
    """Many rows in one request: all of them or none."""
    plural, words = entity.plural, names.words(entity.plural)
    rows = responses.answer(f"{entity.class_name}Rows")
    changed = (412,) if entity.version else ()
    refused = (404, 409, 413, 415, 422)
    answers: dict[str, tuple[str, str, Json, tuple[int, ...]]] = {
        "create": ("batch", "Create", {"201": rows}, ()),
        "update": ("batch-update", "Change", {"200": rows}, changed),
        "delete": ("batch-delete", "Delete", {"204": {"description": "They are deleted."}}, ()),
    }
    return {
        f"{base}/{path}": {
            "post": _operation(
                plan,
                entity,
                action,
                f"batch_{action}_{plural}",
                f"{verb} many {words}",
                answer,
                (*refused, *more),
                given=[parameters.idempotency_key()],
                body=f"{entity.class_name}Batch{action.capitalize()}",
                description=f"All of them or none, and at most {MAX_BATCH}.",
            )
        }
        for action, (path, verb, answer, more) in answers.items()
    }


def _operation(
    plan: ServicePlan,
    entity: EntityPlan,
    action: str,
    operation: str,
    summary: str,
    answers: Json,
    refusals: Sequence[int],
    *,
    description: str,
    given: Sequence[Json] = (),
    body: str = "",
) -> Json:
    permission = f"{entity.name}:{action}"
    found: Json = {
        "operationId": names.camel(operation),
        "summary": summary,
        "description": description,
        "tags": [entity.name],
        "x-required-permission": permission,
    }
    if permission in plan.permissions.get("public", {}):
        found["security"] = [{}, *({name: []} for name in security.schemes(plan))]
    if plan.membership is not None or plan.sessions:
        given = (*given, parameters.tenant())
    if given:
        found["parameters"] = list(given)
    if body:
        media = {responses.JSON: {"schema": schemas.ref(body)}}
        found["requestBody"] = {"required": True, "content": media}
    found["responses"] = answers | responses.refusals(refusals)
    return found
