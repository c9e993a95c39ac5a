"""S51: what people keep to themselves does not turn up in the server's log."""

from __future__ import annotations

from tests.platform import PASSWORD, Platform, Project


def test_s51_the_log_holds_no_password_session_key_or_token(platform: Platform, project: Project) -> None:
    jane = project.new_user()
    token = jane.client.post("/account/jwts").json()["jwt"]
    project.platform.client(project.id, **{"X-Appwrite-JWT": token}).get("/account")
    body = {"scopes": ["users.read"], "duration": 60}
    ephemeral = project.server.post("/project/keys/ephemeral", json=body).json()["secret"]
    project.platform.client(project.id, key=ephemeral).get("/users")
    # What went wrong is what is logged most of.
    project.guest.post("/account/sessions/email", json={"email": jane.email, "password": "wrong-" + PASSWORD})
    project.guest.get("/account", headers={"X-Appwrite-Session": jane.session + "x"})
    project.guest.get("/users", params={"key": project.key, "password": PASSWORD})
    log = platform.installation.log.read_text()

    assert '"route":"/v1/account/jwts"' in log
    for hidden in (PASSWORD, jane.session, token, project.key, ephemeral, platform.key):
        assert hidden not in log
