"""A project's own SMTP server, its own words in mails, and its mock phones."""

from __future__ import annotations

import httpx
import pytest
from appwrite.enums.project_email_template_id import ProjectEmailTemplateId as Template
from appwrite.enums.project_email_template_locale import ProjectEmailTemplateLocale as Locale
from appwrite.exception import AppwriteException
from appwrite.services.project import Project as Projects

from tests.platform import Platform, Project, error_of, unique
from tests.services.inbox import USERNAME, Inbox
from tests.services.test_mail import LINK, queue

PASSWORD = "project-password"


def settings(project: Project) -> Projects:
    return Projects(project.sdk(key=project.key))


def set_smtp(project: Project, inbox: Inbox, **said: object) -> httpx.Response:
    told = {"host": "127.0.0.1", "port": inbox.smtp_port, "username": "project-mailer", "password": PASSWORD,
            "senderEmail": "hello@shop.test", "senderName": "The Shop", "replyToEmail": "help@shop.test",
            "enabled": True}  # fmt: skip
    return project.server.patch("/project/smtp", json={**told, **said})


@pytest.fixture
def address() -> str:
    return f"{unique('reader')}@example.com"


def test_mail_leaves_through_the_projects_own_server(project: Project, inbox: Inbox, address: str) -> None:
    changed = settings(project).update_smtp(
        host="127.0.0.1", port=inbox.smtp_port, username="project-mailer", password=PASSWORD,
        sender_email="hello@shop.test", sender_name="The Shop", reply_to_email="help@shop.test", enabled=True,
    )  # fmt: skip
    queue(project, "recovery", address, {"redirect": LINK})
    mail = inbox.mail_to(address)

    assert (changed.smtpenabled, changed.smtphost, changed.smtpusername) == (
        True,
        "127.0.0.1",
        "project-mailer",
    )
    assert changed.smtppassword == ""
    assert mail.username == "project-mailer"
    assert mail.message["From"] == "The Shop <hello@shop.test>"
    assert mail.message["Reply-To"] == "help@shop.test"

    settings(project).update_smtp(enabled=False)
    queue(project, "recovery", address, {"redirect": LINK})
    assert inbox.mail_to(address).username == USERNAME


def test_a_wrong_password_is_said_and_changes_nothing(project: Project, inbox: Inbox) -> None:
    refused = set_smtp(project, inbox, password="wrong-password")

    assert error_of(refused) == (400, "project_smtp_config_invalid")
    assert "refuses the user name or the password" in refused.json()["message"]
    assert "wrong-password" not in refused.text
    assert project.server.get("/project").json()["smtpEnabled"] is False


def test_a_server_that_is_not_there_is_said(project: Project, inbox: Inbox) -> None:
    refused = set_smtp(project, inbox, port=1)

    assert error_of(refused) == (400, "project_smtp_config_invalid")
    assert "cannot be reached" in refused.json()["message"]


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "0.0.0.0"])
def test_a_server_in_a_private_network_is_not_connected_to(project: Project, inbox: Inbox, host: str) -> None:
    refused = set_smtp(project, inbox, host=host)

    assert error_of(refused) == (400, "project_smtp_config_invalid")
    assert "lies in a private network" in refused.json()["message"]


def test_the_password_is_kept_sealed_and_stays_until_the_host_changes(
    platform: Platform, project: Project, inbox: Inbox, address: str
) -> None:
    assert set_smtp(project, inbox).status_code == 200
    renamed = settings(project).update_smtp(sender_name="Renamed")
    queue(project, "recovery", address, {"redirect": LINK})

    assert renamed.smtpsendername == "Renamed"
    assert inbox.mail_to(address).username == "project-mailer"
    assert PASSWORD not in project.server.get("/project").text
    assert PASSWORD not in platform.installation.log.read_text()
    moved = project.server.patch("/project/smtp", json={"host": "localhost"})
    assert error_of(moved) == (400, "project_smtp_config_invalid")


def test_a_test_mail_is_sent_and_its_failure_is_told(project: Project, inbox: Inbox, address: str) -> None:
    with pytest.raises(AppwriteException) as unset:
        settings(project).create_smtp_test([address])
    assert unset.value.type == "project_smtp_config_invalid"
    assert set_smtp(project, inbox).status_code == 200
    settings(project).create_smtp_test([address])

    assert inbox.mail_to(address).subject == "Test e-mail from Shop"
    inbox.refusals[address] = ["550 5.1.1 unknown"]
    refused = project.admin.post(f"/projects/{project.id}/smtp/tests", json={"emails": [address]})
    assert error_of(refused) == (400, "project_smtp_config_invalid")
    assert "550 5.1.1 unknown" in refused.json()["message"]


def test_a_project_writes_its_own_mails(project: Project, inbox: Inbox, address: str) -> None:
    project_settings = settings(project)
    own = project_settings.get_email_template(Template.RECOVERY)
    changed = project_settings.update_email_template(
        Template.RECOVERY,
        subject="New key for {{user}} {{7*7}}",
        message="<p>Dear {{user}}, <a href='{{redirect}}'>here</a>. {{unknown}}</p><script>x()</script>",
        sender_name="Keys",
        sender_email="forged@bank.test",
    )
    queue(project, "recovery", address, {"redirect": LINK}, name="<b>Jane</b>")
    mail = inbox.mail_to(address)

    assert "{{redirect}}" in own.message
    assert (own.locale, own.subject) == ("en", "Reset your password for {{project}}")
    assert changed.subject == "New key for {{user}} {{7*7}}"
    assert mail.subject == "New key for <b>Jane</b> {{7*7}}"
    assert mail.message["From"] == "Keys <noreply@freehold.test>"
    assert "Dear &lt;b&gt;Jane&lt;/b&gt;" in mail.html
    assert mail.text.strip() == f"Dear <b>Jane</b>, here: {LINK}."

    listed = project_settings.list_email_templates()
    assert [(each.templateid, each.locale) for each in listed.templates] == [("recovery", "en")]
    reset = project.admin.delete(f"/projects/{project.id}/templates/email/recovery/en")
    assert reset.json()["subject"] == own.subject
    again = project.admin.delete(f"/projects/{project.id}/templates/email/recovery/en")
    assert error_of(again) == (401, "project_template_default_deletion")
    assert project_settings.list_email_templates().total == 0


def test_older_words_for_a_template_undo_it_too(project: Project) -> None:
    at = f"/projects/{project.id}/templates/email"
    for words in ({"type": "recovery"}, {"templateId": "recovery", "locale": "en"}):
        written = settings(project).update_email_template(Template.RECOVERY, subject="Ours")
        undone = project.admin.request("DELETE", at, json=words)

        assert written.subject == "Ours"
        assert undone.json()["subject"] == "Reset your password for {{project}}"
        assert settings(project).list_email_templates().total == 0


def test_a_mail_is_written_for_one_language_and_undone_by_an_empty_text(
    project: Project, inbox: Inbox, address: str
) -> None:
    settings(project).update_email_template(Template.RECOVERY, locale=Locale.FR, subject="Bonjour")
    queue(project, "recovery", address, {"redirect": LINK}, locale="fr-ca")
    assert inbox.mail_to(address).subject == "Bonjour"
    queue(project, "recovery", address, {"redirect": LINK}, locale="en")
    assert inbox.mail_to(address).subject == "Reset your password for Shop"

    settings(project).update_email_template(Template.RECOVERY, locale=Locale.FR, subject="")
    queue(project, "recovery", address, {"redirect": LINK}, locale="fr")
    assert inbox.mail_to(address).subject != "Bonjour"


def test_older_sdks_write_mails_under_their_own_paths(project: Project) -> None:
    path = f"/projects/{project.id}/templates/email/invitation/de"
    changed = project.admin.patch(path, json={"subject": "Komm ins Team", "message": "Hallo"})

    assert changed.json()["locale"] == "de"
    assert project.admin.get(path).json()["subject"] == "Komm ins Team"
    unknown = project.admin.get(f"/projects/{project.id}/templates/email/invitation/xx")
    assert error_of(unknown) == (400, "general_argument_invalid")


def test_the_console_sees_our_own_mails(platform: Platform, project: Project) -> None:
    settings(project).update_email_template(Template.INVITATION, subject="Mine")
    shown = platform.console.get("/console/templates/email/invitation").json()

    assert shown["subject"] == "Invitation to the team {{team}} at {{project}}"
    assert "{{owner}}" in shown["message"]


def test_mock_phones_are_made_changed_listed_and_deleted(project: Project) -> None:
    project_settings = settings(project)
    made = project_settings.create_mock_phone("+491700000001", "123456")
    project_settings.create_mock_phone("+491700000002", "654321")
    changed = project_settings.update_mock_phone("+491700000001", "111111")

    assert (made.number, made.otp) == ("+491700000001", "123456")
    assert changed.otp == project_settings.get_mock_phone("+491700000001").otp == "111111"
    assert project_settings.list_mock_phones().total == 2
    taken = project.server.post("/project/mock-phones", json={"number": "+491700000001", "otp": "123456"})
    assert error_of(taken) == (409, "mock_number_already_exists")
    bad = project.server.post("/project/mock-phones", json={"number": "0170", "otp": "123456"})
    assert error_of(bad) == (400, "general_argument_invalid")

    project_settings.delete_mock_phone("+491700000001")
    gone = project.server.get("/project/mock-phones/%2B491700000001")
    assert error_of(gone) == (404, "mock_number_not_found")
    old = {"numbers": [{"phone": "+491700000009", "otp": "999999"}]}
    assert project.admin.patch(f"/projects/{project.id}/auth/mock-numbers", json=old).status_code == 200
    assert [each.number for each in project_settings.list_mock_phones().mocknumbers] == ["+491700000009"]


def test_a_project_has_ten_mock_phones_at_most(project: Project) -> None:
    for last in range(10):
        settings(project).create_mock_phone(f"+49170000010{last}", "123456")
    refused = project.server.post("/project/mock-phones", json={"number": "+491700000200", "otp": "123456"})

    assert error_of(refused) == (400, "mock_number_limit_exceeded")
    assert settings(project).list_mock_phones().total == 10


@pytest.mark.parametrize(("secure", "says"), [("tls", "STARTTLS"), ("ssl", "TLS")])
def test_a_server_that_does_not_encrypt_is_not_trusted_to(
    project: Project, inbox: Inbox, secure: str, says: str
) -> None:
    refused = set_smtp(project, inbox, secure=secure)

    assert error_of(refused) == (400, "project_smtp_config_invalid")
    assert says in refused.json()["message"]
