"""The differences from the reference that are meant, each with its reason."""

from __future__ import annotations

# (operations, aspect, detail, reason). Operations and details may hold wildcards; an entry that no longer
# accepts anything fails the test.
ACCEPTED: tuple[tuple[str, str, str, str], ...] = (
    (
        "account.create account.delete users.create users.create*User tablesDB.createRow tablesDB.*Rows "
        "project.* projects.* "
        "organization.*",
        "event",
        "* rather than none",
        "The reference tells these from inside its handlers, or not at all; here every change has one.",
    ),
    (
        "account.updateMFAChallenge",
        "limit",
        "10/3600s, 50/86400s rather than 10/3600s",
        "Whoever has the password could ask for challenge after challenge, and try codes for weeks.",
    ),
    (
        "account.updateMFAChallenge",
        "limit key",
        "*url:{url},userId:{userId}* rather than *",
        "The second limit counts by user.",
    ),
    (
        "users.createSession users.deleteSession users.deleteSessions",
        "scopes",
        "*users.write* rather than *sessions.write*",
        "One of the reference's two scopes is sessions.write, which guests hold to sign in.",
    ),
    (
        "tablesDB.*RowColumn",
        "parameter",
        "*: type any rather than number",
        "Whole numbers and fractions are kept apart, so that large whole numbers stay exact.",
    ),
    (
        "tablesDB.createPointColumn tablesDB.createLineColumn tablesDB.createPolygonColumn",
        "parameter",
        "array is ours alone",
        "A list of places is refused with a reason, rather than made a column of single ones.",
    ),
    (
        "tablesDB.createRow",
        "parameter",
        "data is not required",
        "Without it the answer is row_missing_data, which says more than an invalid argument would.",
    ),
    (
        "tablesDB.createRow tablesDB.upsertRows databases.createDocument databases.upsertDocuments",
        "parameter",
        "*: maxItems 1000 rather than 100",
        "A thousand rows are one statement here, so there is no need to send them in parts.",
    ),
    (
        "tablesDB.createOperations databases.createOperations",
        "parameter",
        "operations: maxItems 100 rather than 0",
        "The reference's 0 stands for what a plan allows; a transaction has at most 100 operations here.",
    ),
    (
        "tablesDB.createOperations databases.createOperations",
        "limit",
        "120/60s* rather than none",
        "What is staged is tried; that is as much work as doing it, which is limited as well.",
    ),
    (
        "databases.listTransactions databases.getTransaction",
        "scopes",
        "*documents.read* rather than *rows.read*",
        "Every other route of the legacy vocabulary asks for the scopes of documents.",
    ),
    (
        "graphql.get",
        "method",
        "get rather than *",
        "No SDK has a method for it; the reference says so in its name.",
    ),
    (
        "graphql.query graphql.mutation",
        "parameter",
        "query is missing",
        "A document, a list of them, or either under `query`: no list of parameters says that.",
    ),
    (
        "tablesDB.update*Column",
        "parameter",
        "default is not required",
        "It may be null, and a parameter that is null says the same here as one that is not sent.",
    ),
    (
        "tablesDB.updateRelationshipColumn",
        "aliases",
        "* rather than none",
        "The Python SDK has the key last in the path, as the routes of the other types have it.",
    ),
    (
        "tablesDB.updateRelationshipColumn",
        "parameter",
        "description is ours alone",
        "The Python SDK sends it, as for columns of the other types.",
    ),
    (
        "tablesDB.createTable tablesDB.updateTable databases.createCollection databases.updateCollection",
        "parameter",
        "sqlEvents is ours alone",
        "Whether what is written past the API is told, too, is for its owner to say. SDKs leave it out.",
    ),
    (
        "tablesDB.createIndex",
        "parameter",
        "orders: items' enum *",
        "Older SDKs send ASC and DESC.",
    ),
    (
        "project.createKey project.createWebPlatform project.createVariable projects.create"
        " organization.createProject webhooks.create",
        "parameter",
        "* is not required",
        "Older SDKs send no id; one is made then.",
    ),
    (
        "project.updatePasswordHistoryPolicy project.updateUserLimitPolicy",
        "parameter",
        "total is not required",
        "It may be null, which takes the limit away; not to send it is refused all the same.",
    ),
    (
        "project.updatePasswordHistoryPolicy",
        "parameter",
        "total: minimum 0 rather than 1",
        "Older SDKs send 0 to take the limit away.",
    ),
    (
        "project.createEphemeralKey",
        "parameter",
        "duration is not required",
        "The official command line does not send it; the key holds for a quarter of an hour then.",
    ),
    (
        "projects.listDevKeys",
        "parameter",
        "total is ours alone",
        "As of every other list.",
    ),
    (
        "mock.authorize",
        "parameter",
        "redirect_uri is required",
        "Without it there is nowhere to send the browser.",
    ),
    (
        "project.updateProtocol project.updateService",
        "aliases",
        "* rather than *",
        "The path without the name of what is switched, which only the console of 1.8 used, is not built.",
    ),
    (
        "projects.update",
        "parameter",
        "[lu][oer]* is missing",
        "Details of whoever pays for a project in the reference's cloud; nothing here would read them.",
    ),
    (
        "storage.createBucket storage.updateBucket",
        "parameter",
        "maximumFileSize: maximum None rather than 30000000",
        "How large files may be is a setting, FREEHOLD_FILE_LIMIT.",
    ),
    (
        "avatars.getScreenshot",
        "parameter",
        "timezone: enum None rather than *",
        "All time zones of this machine are known, not those of one list alone; others are refused.",
    ),
    (
        "avatars.getScreenshot",
        "parameter",
        "permissions: maxItems 20 rather than 0",
        "A list that may hold nothing would be of no use; each may be named once.",
    ),
    (
        "avatars.getFavicon avatars.getImage",
        "limit",
        "120/60s* rather than none",
        "Each call makes this server read somebody else's, for whoever asks.",
    ),
    (
        "migrations.create*",
        "parameter",
        "*Id is not required",
        "Consoles in use name the table by `resourceId`, `database:table`, instead.",
    ),
    (
        "migrations.create*",
        "parameter",
        "resourceId is ours alone",
        "Consoles in use send it.",
    ),
    (
        "migrations.create*Export",
        "parameter",
        "*: maxItems * rather than 0",
        "The reference's 0 is no bound; every list has one here.",
    ),
    (
        "project.getOAuth2Provider",
        "parameter",
        "providerId is missing",
        "It stands in the path.",
    ),
    (
        "project.updateSMTP project.createSMTPTest",
        "parameter",
        "secure: enum *",
        "The empty text goes back to no encryption, as the SDK's documentation says.",
    ),
    (
        "project.updateEmailTemplate",
        "aliases",
        "*/templates/email* rather than *",
        "The older path names the template in itself; it is answered by an endpoint of its own.",
    ),
    (
        "project.deleteEmailTemplate",
        "aliases",
        "none rather than *",
        "The path that names the template in itself is answered by an endpoint of its own.",
    ),
    (
        "project.deleteEmailTemplate",
        "scopes",
        "*templates.write* rather than *",
        "Every other route of templates asks for it.",
    ),
    (
        "project.deleteEmailTemplate",
        "parameter",
        "type is missing",
        "It is taken, too: what older SDKs call templateId.",
    ),
    (
        "project.deleteEmailTemplate",
        "parameter",
        "templateId is ours alone",
        "What the routes that write templates call it.",
    ),
    (
        "project.updateEmailTemplate project.getEmailTemplate console.getEmailTemplate",
        "parameter",
        "templateId: enum *",
        "The SDK knows otpVerification and otpRecovery too.",
    ),
    (
        "account.returnFromProvider* account.redirectOAuth2",
        "parameter",
        "iss is ours alone",
        "Providers that say who they are (RFC 9207) cannot be mixed up.",
    ),
)
