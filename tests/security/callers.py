"""What each kind of caller may do on each route, with what is Alice's. A route that is not here fails S41.

A line names operations, as `service.operation`, and what becomes of the call of each of:

- a guest,
- Bob, another user of the project,
- Mary, a member of Alice's team who is not its owner,
- a stranger: an API key of another project, with every scope,
- a helper: an API key of this project that has every scope but those which open the route.

`no`: refused with 401, 403 or 404. `own`: answered, and about nothing but what is the caller's own.
`all`: answered, and may tell what Alice has written. Whatever the line says, nothing of Alice's may change,
and nothing of it is told but to `all`.
"""

from __future__ import annotations

from typing import NamedTuple


class Verdicts(NamedTuple):
    """What becomes of a call, by who calls."""

    guest: str
    bob: str
    mary: str
    stranger: str
    helper: str = "no"


NOBODY = Verdicts("no", "no", "no", "no")
"""For API keys of the project and for its owners."""
EVERYBODY = Verdicts("own", "own", "own", "own")
"""For whoever may ask for this kind of thing at all, as guests may and keys only with the scope."""
PUBLIC = Verdicts("own", "own", "own", "own", "own")
USERS = Verdicts("no", "own", "own", "no")
"""For whoever is signed in; about oneself."""
MEMBERS = Verdicts("no", "no", "all", "no")

OF_SERVICES: dict[str, Verdicts] = {
    "users": NOBODY,
    "project": NOBODY,
    "projects": NOBODY,
    "organization": NOBODY,
    "migrations": NOBODY,
    "health": NOBODY,
    "console": NOBODY,
    "webhooks": NOBODY,
    "advisor": NOBODY,
    "notifications": NOBODY,
    "tokens": NOBODY,
}
"""For services that are for keys and owners alone: a new route is expected to be closed, until a line below
says otherwise."""

OF_ROUTES: dict[str, Verdicts] = {
    **{
        f"locale.{each}": EVERYBODY
        for each in (
            "get",
            "listCodes",
            "listContinents",
            "listCountries",
            "listCountriesEU",
            "listCountriesPhones",
            "listCurrencies",
            "listLanguages",
        )
    },
    **{
        f"avatars.{each}": EVERYBODY
        for each in ("getBrowser", "getCreditCard", "getFlag", "getInitials", "getQR", "getPhoto")
    },
    "avatars.getFavicon": EVERYBODY,
    "avatars.getImage": EVERYBODY,
    "avatars.getScreenshot": EVERYBODY,
    **{
        f"health.{each}": Verdicts("no", "no", "no", "no", "own")  # every key may ask how the server is
        for each in ("get", "getDb", "getTime")
    },
    "health.getVersion": PUBLIC,
    "project.getSigningKeys": PUBLIC,
    "ping.get": PUBLIC,
    "console.listOrganizationScopes": PUBLIC,
    "console.listProjectScopes": PUBLIC,
    "console.listOAuth2Providers": PUBLIC,
    "console.getEmailTemplate": PUBLIC,
    "notifications.getLogo": PUBLIC,
    # --- account: oneself
    **{
        f"account.{each}": NOBODY  # keys of accounts are the console's alone
        for each in ("listKeys", "createKey", "getKey", "updateKey", "deleteKey")
    },
    "account.get": USERS,
    "account.create": EVERYBODY,
    "account.createJWT": USERS,
    "account.updateName": USERS,
    "account.getPrefs": USERS,
    "account.updatePrefs": USERS,
    "account.listSessions": USERS,
    "account.deleteSessions": USERS,
    "account.getSession": NOBODY,
    "account.updateSession": NOBODY,
    "account.deleteSession": NOBODY,
    "account.createEmailPasswordSession": NOBODY,
    "account.createAnonymousSession": Verdicts("own", "no", "no", "own"),
    "account.createSession": NOBODY,
    "account.updateMagicURLSession": NOBODY,
    "account.updatePhoneSession": NOBODY,
    "account.createMagicURLToken": EVERYBODY,
    "account.createEmailToken": EVERYBODY,
    "account.createPhoneToken": EVERYBODY,
    "account.createRecovery": EVERYBODY,
    "account.createRecoveryOTP": EVERYBODY,
    "account.updateRecovery": NOBODY,
    "account.updateRecoveryOTP": NOBODY,
    "account.createEmailVerification": USERS,
    "account.createEmailVerificationOTP": USERS,
    "account.createPhoneVerification": USERS,
    "account.updateEmailVerification": NOBODY,
    "account.updateEmailVerificationOTP": NOBODY,
    "account.updatePhoneVerification": NOBODY,
    "account.updateEmail": USERS,
    "account.updatePhone": USERS,
    "account.updatePassword": USERS,
    "account.updateStatus": USERS,
    "account.delete": USERS,
    "account.updateMFA": USERS,
    "account.listMFAFactors": USERS,
    "account.createMFAAuthenticator": USERS,
    "account.updateMFAAuthenticator": NOBODY,
    "account.deleteMFAAuthenticator": NOBODY,
    "account.createMFAChallenge": NOBODY,
    "account.updateMFAChallenge": NOBODY,
    "account.getMFARecoveryCodes": NOBODY,
    "account.createMFARecoveryCodes": USERS,
    "account.updateMFARecoveryCodes": NOBODY,
    "account.listPasskeys": USERS,
    "account.createPasskey": USERS,
    "account.getPasskey": NOBODY,
    "account.updatePasskey": NOBODY,
    "account.deletePasskey": NOBODY,
    "account.updatePasskeyVerification": NOBODY,
    "account.createPasskeyToken": EVERYBODY,
    "account.updatePasskeyToken": NOBODY,
    "account.createPushTarget": USERS,
    "account.updatePushTarget": NOBODY,
    "account.deletePushTarget": NOBODY,
    "account.listLogs": USERS,
    "account.listMemberships": Verdicts("no", "own", "all", "no"),
    "account.createOAuth2Session": EVERYBODY,
    "account.createOAuth2Token": EVERYBODY,
    "account.returnFromProvider": PUBLIC,
    "account.returnFromProviderWithForm": PUBLIC,
    "account.redirectOAuth2": PUBLIC,  # which says that this sign-in never began
    "account.createIdTokenSession": NOBODY,
    "account.listIdentities": USERS,
    "account.deleteIdentity": NOBODY,
    # --- teams: members read, owners write
    "teams.list": Verdicts("no", "own", "all", "no"),
    "teams.create": Verdicts("no", "own", "own", "no"),
    "teams.get": MEMBERS,
    "teams.updateName": NOBODY,
    "teams.delete": NOBODY,
    "teams.listMemberships": MEMBERS,
    "teams.createMembership": NOBODY,
    "teams.getMembership": MEMBERS,
    "teams.updateMembership": NOBODY,
    "teams.updateMembershipStatus": NOBODY,
    "teams.listLogs": NOBODY,
    "teams.deleteMembership": NOBODY,
    "teams.getPrefs": MEMBERS,
    "teams.updatePrefs": NOBODY,
}

_ROW_LINES = {
    # Alice's table has no permissions of its own: rows are reached by theirs, and none may be made.
    "list{s}": EVERYBODY,
    "create{one}": NOBODY,
    "createQuery": EVERYBODY,
    "upsert{s}": NOBODY,
    "update{s}": NOBODY,
    "delete{s}": NOBODY,
    "get{one}": NOBODY,
    "update{one}": NOBODY,
    "delete{one}": NOBODY,
    "upsert{one}": NOBODY,
    "increment{one}{column}": NOBODY,
    "decrement{one}{column}": NOBODY,
    "list{one}Logs": NOBODY,
    "listTransactions": USERS,
    "createTransaction": USERS,
    "getTransaction": NOBODY,
    "updateTransaction": NOBODY,
    "deleteTransaction": NOBODY,
    "createOperations": NOBODY,
}

OF_SERVICES |= {"tablesDB": NOBODY, "databases": NOBODY, "storage": NOBODY}

OF_ROUTES |= {
    f"{service}.{operation.format(s=one + 's', one=one, column=column)}": verdicts
    for service, one, column in (("tablesDB", "Row", "Column"), ("databases", "Document", "Attribute"))
    for operation, verdicts in _ROW_LINES.items()
}

OF_ROUTES |= {
    "storage.listFiles": EVERYBODY,
    "storage.createFile": NOBODY,
    "presences.list": USERS,
    **{f"presences.{each}": NOBODY for each in ("get", "upsert", "update", "delete")},
    "realtime.listChanges": EVERYBODY,
    # A document in GraphQL is answered with the errors of what it asks; S22 compares those.
    "graphql.get": PUBLIC,
    "graphql.query": PUBLIC,
    "graphql.mutation": PUBLIC,
}

WITHOUT_A_PROJECT = frozenset(("mock",))
"""Services that know nobody: stand-ins for vendors, served in development mode alone."""


def verdicts_of(service: str, operation: str) -> Verdicts | None:
    """What the table says of an operation; None when it says nothing."""
    return OF_ROUTES.get(f"{service}.{operation}") or OF_SERVICES.get(service)
