"""Values of the schema language as Go writes them."""

from __future__ import annotations

import base64
import json
from typing import Any

from freehold.generator.render import go_string
from freehold.schema.model import Kind


def literal(kind: Kind, value: Any) -> str:
    """A JSON value of the kind as Go writes it."""
    match kind:
        case Kind.DATETIME:
            return f"wire.Must(wire.ParseTimestamp, {go_string(str(value))})"
        case Kind.UUID:
            return f"wire.Must(wire.ParseUUID, {go_string(str(value))})"
        case Kind.BYTES:
            data = base64.b64decode(str(value))
            return "[]byte{" + ", ".join(f"{byte:#04x}" for byte in data) + "}"
        case Kind.JSON:
            return f"json.RawMessage({go_string(json.dumps(value, ensure_ascii=False))})"
        case Kind.BOOL:
            return "true" if value else "false"
        case Kind.INT | Kind.BIGINT:
            return str(int(value))
        case Kind.FLOAT:
            return repr(float(value))
        case Kind.POINT:
            return f"wire.Point{{{_numbers(value)}}}"
        case Kind.LINE:
            return f"wire.Line{{{_points(value)}}}"
        case Kind.POLYGON:
            rings = ", ".join(f"{{{_points(ring)}}}" for ring in value)
            return f"wire.Polygon{{{rings}}}"
        case _:
            return go_string(str(value))


def pattern_literal(pattern: str) -> str:
    """A regular expression as people write one, where that is safe."""
    raw = pattern.isprintable() and "`" not in pattern and ("\\" in pattern or '"' in pattern)
    return f"`{pattern}`" if raw else go_string(pattern)


def _numbers(point: Any) -> str:
    return ", ".join(repr(each) for each in point)


def _points(line: Any) -> str:
    return ", ".join(f"{{{_numbers(point)}}}" for point in line)
