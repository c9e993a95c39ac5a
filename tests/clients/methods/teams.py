"""Teams, as their members use them."""

from __future__ import annotations

from tests.clients.methods import PAGE, Scene

LEFT_OUT = dict.fromkeys(
    [
        "listInstallations",
        "createInstallation",
        "getInstallation",
        "updateInstallation",
        "deleteInstallation",
    ],
    "Installations are those of apps of the OAuth2 server, which the open-source routes do not have.",
)


def _team(on: Scene) -> None:
    on.ask("POST", "/teams", teamId="crew", name="Crew")


def _member(on: Scene) -> str:
    """Bob joins. Gives the membership's id."""
    _team(on)
    bob = on.project.new_user("Bob")
    made = on.post("/teams/crew/memberships", roles=["player"], userId=bob.id)
    return str(made["$id"])


def list(on: Scene) -> None:  # noqa: A001
    _team(on)
    on.post("/teams", teamId="others", name="Others")

    assert [each["$id"] for each in on.user.list()["teams"]] == ["crew"]


def create(on: Scene) -> None:
    on.user.create(teamId="crew", name="Crew", roles=["captain"])

    assert on.get("/teams/crew")["name"] == "Crew"
    [jane] = on.get("/teams/crew/memberships")["memberships"]
    assert (jane["userId"], "captain" in jane["roles"]) == (on.jane.id, True)


def get(on: Scene) -> None:
    _team(on)

    assert on.user.get(teamId="crew")["name"] == "Crew"


def update_name(on: Scene) -> None:
    _team(on)
    on.user.updateName(teamId="crew", name="Band")

    assert on.get("/teams/crew")["name"] == "Band"


def delete(on: Scene) -> None:
    _team(on)
    on.user.delete(teamId="crew")

    assert on.is_gone("/teams/crew")


def list_memberships(on: Scene) -> None:
    membership_id = _member(on)

    assert membership_id in [each["$id"] for each in on.user.listMemberships(teamId="crew")["memberships"]]


def create_membership(on: Scene) -> None:
    _team(on)
    email = on.address()
    made = on.user.createMembership(teamId="crew", roles=["player"], email=email, url=PAGE)

    assert on.mail(email).parameters["membershipId"] == made["$id"]
    assert on.get(f"/teams/crew/memberships/{made['$id']}")["confirm"] is False


def get_membership(on: Scene) -> None:
    membership_id = _member(on)

    assert on.user.getMembership(teamId="crew", membershipId=membership_id)["roles"] == ["player"]


def update_membership(on: Scene) -> None:
    membership_id = _member(on)
    on.user.updateMembership(teamId="crew", membershipId=membership_id, roles=["keeper"])

    assert on.get(f"/teams/crew/memberships/{membership_id}")["roles"] == ["keeper"]


def delete_membership(on: Scene) -> None:
    membership_id = _member(on)
    on.user.deleteMembership(teamId="crew", membershipId=membership_id)

    assert on.is_gone(f"/teams/crew/memberships/{membership_id}")


def update_membership_status(on: Scene) -> None:
    _team(on)
    email = on.address()
    on.ask("POST", "/teams/crew/memberships", roles=["player"], email=email, url=PAGE)
    link = on.mail(email).parameters
    said = {name: link[name] for name in ("membershipId", "userId", "secret")}
    on.guest.updateMembershipStatus(teamId="crew", **said)

    assert on.get(f"/teams/crew/memberships/{link['membershipId']}")["confirm"] is True
    assert len(on.sessions(link["userId"])) == 1


def get_prefs(on: Scene) -> None:
    _team(on)
    on.ask("PUT", "/teams/crew/prefs", prefs={"colour": "red"})

    assert on.user.getPrefs(teamId="crew") == {"colour": "red"}


def update_prefs(on: Scene) -> None:
    _team(on)
    on.user.updatePrefs(teamId="crew", prefs={"colour": "red"})

    assert on.get("/teams/crew/prefs") == {"colour": "red"}
