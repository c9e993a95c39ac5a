"""How rows are spoken of on the wire, and the connection of one who speaks."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx

from tests.rules.model import Query


class Words(NamedTuple):
    """How rows are spoken of on the wire."""

    path: str
    row_id: str
    table_id: str
    rows: str
    error: str


VOCABULARIES = (
    Words("/tablesdb/{}/tables/{}/rows", "rowId", "$tableId", "rows", "row_"),
    Words("/databases/{}/collections/{}/documents", "documentId", "$collectionId", "documents", "document_"),
)


def in_url(queries: Sequence[Query]) -> str:
    return urlencode([(f"queries[{at}]", json.dumps(query)) for at, query in enumerate(queries)])


class Connection:
    """One caller's connection, kept open: there are many calls."""

    def __init__(self, endpoint: str, client: httpx.Client) -> None:
        address = urlsplit(endpoint)
        self._prefix = address.path
        self._http = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        told = ("x-appwrite-project", "x-appwrite-key", "x-appwrite-session")
        self._headers = {name: client.headers[name] for name in told if name in client.headers}

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and decoded body. A database that is away for a moment is asked again, as a client would."""
        status, told = self._ask(method, path, body)
        return self._ask(method, path, body) if status == 503 and method == "GET" else (status, told)

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = self._headers | ({} if body is None else {"content-type": "application/json"})
        encoded = None if body is None else json.dumps(body)
        self._http.request(method, self._prefix + path, body=encoded, headers=headers)
        answer = self._http.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
