"""The pages on which people end who signed in at a vendor, when no application said where to go on.

An application on a phone waits for its own scheme: the page hands it what stands in its query string.
"""

from __future__ import annotations

import base64
import hashlib

SUCCESS = "/console/auth/oauth2/success"
FAILURE = "/console/auth/oauth2/failure"

_SCRIPT = """
const said = new URLSearchParams(location.search);
const project = said.get("project") || "";
let why = "";
try { why = JSON.parse(said.get("error") || "{}").message || ""; } catch (error) { why = ""; }
document.getElementById("why").textContent = why;
const handed = location.search;
history.replaceState(null, "", location.pathname);
if (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/.test(project)) {
  location.replace("appwrite-callback-" + project + "://" + handed);
}
"""

_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-{hash}'">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
<p id="why"></p>
<p>{next}</p>
<script>{script}</script>
</body>
</html>
"""

_WORDS = {
    SUCCESS: ("You are signed in", "Go back to your application; this page can be closed."),
    FAILURE: ("You are not signed in", "Go back to your application to try again."),
}


def page(path: str) -> tuple[str, bytes] | None:
    """The content type and the body of one of these pages; None when there is none at the path."""
    words = _WORDS.get(path)
    if words is None:
        return None
    title, then = words
    html = _PAGE.format(title=title, next=then, hash=_HASH, script=_SCRIPT)
    return "text/html; charset=UTF-8", html.encode()
