"""Writes reference.json: the facts of the reference contract that coverage is measured against.

    python -m tests.contract.extract FOLDER

FOLDER holds the reference's tables (endpoints.tsv, parameters.md, models.md, openapi-*.facts.json, facts/).
It is not in the repository; what is needed of it is, in reference.json: names and numbers, no prose.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "reference.json"

Fact = dict[str, Any]

_ROUTE = re.compile(r"- `(?P<method>\w+) (?P<path>[^`]+)` ")
_LIMIT_KEY = re.compile(r"\| limit (?P<limit>\S+) key (?P<key>\[.*?\]|\S+(?:(?<=,) \S+)*)")
_KEY = re.compile(r"[^\[\]', ][^\[\]' ]*")
_PARAMETER = re.compile(r"(?P<name>[^:*]+)(?P<required>\*?):(?P<type>.*)")
_KINDS = {
    "str": "string", "UID": "string", "CustomId": "string", "Key": "string", "Email": "string",
    "URL": "string", "Phone": "string", "Datetime": "string", "IP": "string", "Domain": "string",
    "Hostname": "string",
    "HexColor": "string", "Cron": "string", "Redirect": "string", "Password": "string", "ProjectId": "string",
    "PasswordFormat": "string", "bool": "boolean", "int": "integer", "float": "number", "Numeric": "number",
    "ObjectValidator": "object", "Assoc": "object",
}  # fmt: skip


def routes(folder: Path) -> list[Fact]:
    """Every route of the self-hosted reference, with what each of its tables says of it."""
    methods: dict[tuple[str, str], list[dict[str, str]]] = {}
    with (folder / "endpoints.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["in_oss"] == "yes":
                methods.setdefault((row["method"], row["path"]), []).append(row)
    documented = _documented(folder)
    found: list[Fact] = []
    for line in (folder / "parameters.md").read_text().splitlines():
        heading = _ROUTE.match(line)
        if heading is not None:
            short = heading["path"].removeprefix("/v1") or "/"
            rows = methods.get((heading["method"], short)) or methods[heading["method"], heading["path"]]
            found.append(_route(heading, line, rows))
        elif line.startswith("    ") and found:
            found[-1]["parameters"] = [_parameter(each) for each in _split(line.strip())]
    for fact in found:
        known = {each["name"] for each in fact["parameters"]}
        for each in documented.get((fact["method"], fact["path"]), ()):
            if each["name"] not in known:
                fact["parameters"].append(each)
    return found


def _route(heading: re.Match[str], line: str, rows: list[dict[str, str]]) -> Fact:
    limit = _LIMIT_KEY.search(line)
    first = rows[0]
    named = [row for row in rows if row["sdk_method"] != "-"]
    return {
        "method": heading["method"],
        "path": _braced(heading["path"]),
        "service": _service(heading["path"], first["service"]),
        "sdk": [row["sdk_method"] for row in named if not row["deprecated_since"]],
        "deprecated": [row["sdk_method"] for row in named if row["deprecated_since"]],
        "status": sorted({int(row["status_code_success"]) for row in rows if row["status_code_success"]}),
        "scopes": [scope for scope in first["scopes"].split(",") if scope],
        "limit": first["abuse_limit"],
        "limitKey": _limit_key(limit["key"]) if limit is not None else "",
        "event": first["event"],
        "aliases": [_versioned(path) for path in re.split("[,;]", first["path_aliases"]) if path],
        "models": sorted({each for row in rows for each in row["response_model"].split(",") if each}),
        "parameters": [],
    }


def _service(path: str, service: str) -> str:
    if service != "(no sdk)":
        return service
    parts = path.split("/")
    return parts[2] if path.startswith("/v1/") else "pages"


def _braced(path: str) -> str:
    return re.sub(r":(\w+)", r"{\1}", path)


def _versioned(path: str) -> str:
    return _braced(path if path.startswith("/v1/") else f"/v1{path}")


def _split(text: str) -> list[str]:
    return [each for each in re.split(r";\s+(?=[\w\[\]-]+\*?:)", text) if each]


def _parameter(text: str) -> Fact:
    match = _PARAMETER.fullmatch(text)
    assert match is not None, text
    fact: Fact = {"name": match["name"].strip()}
    if match["required"]:
        fact["required"] = True
    return fact | _typed(match["type"])


def _typed(text: str) -> Fact:
    text, _, default = _at_equals(text)
    text = text.removesuffix("?")
    fact: Fact = {}
    if text.startswith("queries:"):
        fact = {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 4096}}
    elif text in ("Permissions", "Roles"):
        fact = {"type": "array", "items": {"type": "string"}}
    elif text.startswith("["):
        inner, _, most = text.removeprefix("[").rpartition("]")
        fact = {"type": "array", "items": {k: v for k, v in _typed(inner).items() if k != "default"}}
        if most.startswith("<="):
            fact["maxItems"] = int(most[2:])
    elif text.startswith("enum("):
        fact = {"type": "string"}
        if not text.endswith(" values)"):
            fact["enum"] = sorted(text.removeprefix("enum(").removesuffix(")").split("|"))
    else:
        match = re.match(r"\w+", text)
        kind = _KINDS.get(match[0], "") if match is not None else ""
        if kind:
            fact["type"] = kind
        if text in ("UID", "CustomId", "ProjectId"):
            fact["id"] = text
        most_length = re.search(r"<=(\d+)", text)
        least_length = re.search(r"min(\d+)", text)
        between = re.search(r"\[(-?\d+)\.\.(-?\d+)\]", text)
        if most_length is not None:
            fact["maxLength"] = int(most_length[1])
        if least_length is not None and int(least_length[1]):
            fact["minLength"] = int(least_length[1])
        if between is not None:
            fact["minimum"], fact["maximum"] = int(between[1]), int(between[2])
    if default and default not in ("=", "="):
        fact["default"] = _value(default, fact.get("type", ""))
    return fact


def _at_equals(text: str) -> tuple[str, str, str]:
    """Split at the `=` of a default, which is not the one of `<=`."""
    match = re.search(r"(?<!<)=(.*)$", text)
    return (text[: match.start()], "=", match[1]) if match is not None else (text, "", "")


def _value(text: str, kind: str) -> Any:
    match kind:
        case "boolean":
            return text == "true"
        case "integer":
            return int(text)
        case "array":
            return json.loads(text)
        case "number":
            return float(text)
        case _:
            return text


def _documented(folder: Path) -> dict[tuple[str, str], list[Fact]]:
    """Parameters that only the OpenAPI documents tell of."""
    found: dict[tuple[str, str], dict[str, Fact]] = {}
    for which in ("console", "server", "client"):
        document = json.loads((folder / f"openapi-{which}.facts.json").read_text())
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                known = found.setdefault((method.upper(), f"/v1{path}"), {})
                for each in operation.get("parameters", ()):
                    if each["in"] == "query":
                        known.setdefault(
                            each["name"], _schema(each["name"], each["required"], each["schema"])
                        )
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    required = content["schema"].get("required", ())
                    for name, schema in content["schema"].get("properties", {}).items():
                        known.setdefault(name, _schema(name, name in required, schema))
    return {key: list(known.values()) for key, known in found.items()}


def _schema(name: str, required: bool, schema: Fact) -> Fact:
    fact: Fact = {"name": name}
    if required:
        fact["required"] = True
    if "type" in schema:
        fact["type"] = schema["type"]
    return fact


def models(folder: Path) -> dict[str, list[str]]:
    """For each model the fields that have to be there: the reference server's, and the Python SDK's."""
    needed: dict[str, set[str]] = {}
    for line in (folder / "models.md").read_text().splitlines():
        match = re.match(r"- \*\*(\w+)\*\*[^:]*: ?(.*)", line)
        if match is not None:
            names = [field.partition(":")[0] for field in match[2].split(", ") if ":" in field]
            needed[match[1]] = {name for name in names if not name.endswith("?")}
    sdk = json.loads((folder / "facts" / "python-sdk-27-models.json").read_text())
    spelled = {name.lower(): name for name in needed}
    for name, fields in sdk.items():
        known = spelled.get(name.lower())
        if known is not None:
            needed[known] |= {field for field, fact in fields.items() if fact["required"] and field != "data"}
    return {name: sorted(fields) for name, fields in sorted(needed.items())}


def extras(folder: Path) -> dict[str, list[str]]:
    """Parameters that the newest Python SDK sends beyond the reference server's, by service and method."""
    found = {}
    for line in (folder / "facts" / "python-sdk-27-extra-params.txt").read_text().splitlines():
        match = re.fullmatch(r"\('(\w+)', '(\w+)', \[(.*)\]\)", line.strip())
        if match is not None:
            key = f"{match[1]}.{match[2]}".replace("_", "").lower()
            found[key] = sorted(re.findall(r"'(\w+)'", match[3]))
    return found


def errors(folder: Path) -> dict[str, int]:
    """The status of each type of error."""
    known = json.loads((folder / "facts" / "errors.json").read_text())
    return {name: each["code"] if isinstance(each, dict) else each for name, each in sorted(known.items())}


def _limit_key(text: str) -> str:
    """What is counted by; of several limits, joined."""
    return " + ".join(_KEY.findall(text)) if text.startswith("[") else text


def main(folder: Path) -> None:
    facts = {
        "routes": routes(folder),
        "models": models(folder),
        "extras": extras(folder),
        "errors": errors(folder),
    }
    parts = [f"{json.dumps(name)}:{_lines(fact)}" for name, fact in facts.items()]
    TARGET.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def _lines(fact: Any) -> str:
    """As JSON with one entry a line, so that a difference can be read."""

    def packed(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    if isinstance(fact, list):
        return "[\n" + ",\n".join(map(packed, fact)) + "\n]"
    return "{\n" + ",\n".join(f"{packed(key)}:{packed(value)}" for key, value in fact.items()) + "\n}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
