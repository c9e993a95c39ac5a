"""Apps in a real browser, with nothing but the official web SDK between them and the platform."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.services.project import Project as Projects
from appwrite.services.tables_db import TablesDB
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from tests.clients import browser as browsers
from tests.clients.browser import App, Person, browser
from tests.clients.cable import Cable
from tests.platform import PASSWORD, Project, platform, project, unique
from tests.services import second_factor
from tests.services.inbox import Inbox, inbox

__all__ = ["browser", "inbox", "platform", "project"]

ELSEWHERE = "127.0.0.1"
"""Another site than the pages': sessions lie in the SDK's storage, as no plain cookie crosses sites."""

SAME_SITE = "localhost"
"""The pages' own: sessions are cookies that no script can read."""

FILES = "/storage/buckets/photos/files"


def sign_up(person: Person, name: str) -> str:
    """Gives the address that was made up."""
    email = f"{unique(name.lower())}@example.com"
    person.fill("Sign up", {"Name": name, "E-mail": email, "Password": PASSWORD})
    return email


# Sign up, verify, protect, invite.


@pytest.fixture
def crew(project: Project, browser: Browser) -> Iterator[App]:
    Projects(project.sdk(key=project.key)).update_membership_privacy_policy(user_name=True)
    with browsers.served("team", project, browser, ELSEWHERE) as app:
        yield app


def test_people_sign_up_verify_protect_their_account_and_invite_each_other(
    project: Project, crew: App, inbox: Inbox
) -> None:
    with crew.visited() as jane, crew.visited() as bob:
        email = sign_up(jane, "Jane")
        expect(jane.page.get_by_text("Your address is not verified")).to_be_visible()
        jane.click("Send me a link to verify it")
        expect(jane.page.get_by_text("look into your mail")).to_be_visible()
        jane.page.goto(inbox.mail_to(email).link)
        expect(jane.page.get_by_text("Your address is verified")).to_be_visible()

        jane.click("Add an authenticator app")
        secret = jane.page.locator("[data-name=secret]")
        expect(secret).not_to_be_empty()
        app = second_factor.App(secret.inner_text())
        jane.fill("Authenticator app", {"Code of your app": app.code()})
        expect(jane.page.get_by_text("You are asked for a second factor.")).to_be_visible()
        jane.click("Sign out")
        jane.fill("Sign in", {"E-mail": email, "Password": PASSWORD})
        expect(jane.page.get_by_role("form", name="Second factor")).to_be_visible()
        jane.page.reload()
        jane.fill("Second factor", {"Code of your app": "000000"})
        expect(jane.page.get_by_role("alert")).to_contain_text("The code is not valid")
        jane.fill("Second factor", {"Code of your app": app.code()})

        jane.fill("New team", {"Name": "Arsenal"})
        invited = f"{unique('bob')}@example.com"
        jane.fill("Invite", {"Name": "Bob", "E-mail": invited})
        expect(jane.page.get_by_role("list", name="Teams")).to_contain_text("Jane; Bob, invited")
        expect(bob.page.get_by_role("form", name="Sign up")).to_be_visible()
        bob.page.goto(inbox.mail_to(invited).link)
        expect(bob.page.get_by_role("list", name="Teams")).to_contain_text("Arsenal")
        jane.page.reload()
        expect(jane.page.get_by_role("list", name="Teams")).to_contain_text("(Jane; Bob)")

        users = {user["email"]: user for user in project.server.get("/users").json()["users"]}
        assert users[email]["emailVerification"] is True
        assert users[email]["mfa"] is True
        team = project.server.get("/teams").json()["teams"][0]
        assert (team["name"], team["total"]) == ("Arsenal", 2)
        kept = json.loads(jane.page.evaluate("localStorage.getItem('cookieFallback')"))
        assert list(kept) == [f"a_session_{project.id}"]


# A list of tasks for each.


@pytest.fixture
def todo(project: Project, browser: Browser) -> Iterator[App]:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("todo", "To do")
    tables.create_table(
        "todo",
        "tasks",
        "Tasks",
        permissions=['create("users")'],
        row_security=True,
        columns=[
            {"key": "title", "type": "varchar", "size": 200, "required": True},
            {"key": "done", "type": "boolean", "required": False, "default": False},
        ],
    )
    with browsers.served("todo", project, browser, SAME_SITE) as app:
        yield app


def shown(person: Person) -> list[str]:
    return (
        person.page.get_by_role("list", name="Tasks")
        .get_by_role("listitem")
        .locator("label")
        .all_inner_texts()
    )


def test_tasks_are_added_ticked_filtered_and_deleted_and_nobody_else_sees_them(
    project: Project, todo: App
) -> None:
    with todo.visited() as jane, todo.visited() as bob:
        sign_up(jane, "Jane")
        for title in ("Buy milk", "Write to Ada", "<b>Sleep</b>"):
            jane.fill("New task", {"What": title})
            expect(jane.page.get_by_role("list", name="Tasks")).to_contain_text(title)
        jane.page.get_by_label("Write to Ada").check()
        expect(jane.page.locator(".done")).to_have_text("Write to Ada")
        jane.click("Open")
        expect(jane.page.get_by_text("2 tasks")).to_be_visible()
        opened = shown(jane)
        jane.click("Done")
        expect(jane.page.get_by_text("1 task", exact=True)).to_be_visible()
        done = shown(jane)
        jane.page.get_by_role("listitem").get_by_role("button", name="Delete").click()
        expect(jane.page.get_by_text("0 tasks")).to_be_visible()
        jane.page.reload()
        expect(jane.page.get_by_text("2 tasks")).to_be_visible()
        sign_up(bob, "Bob")
        expect(bob.page.get_by_text("0 tasks")).to_be_visible()
        bob.fill("New task", {"What": "Mine"})
        expect(bob.page.get_by_text("1 task", exact=True)).to_be_visible()

        assert opened == ["Buy milk", "<b>Sleep</b>"]
        assert done == ["Write to Ada"]
        assert shown(bob) == ["Mine"]
        rows = project.server.get("/tablesdb/todo/tables/tasks/rows").json()["rows"]
        assert {row["title"] for row in rows} == {"Buy milk", "<b>Sleep</b>", "Mine"}
        assert all(re.fullmatch(r'read\("user:[^"]+"\)', row["$permissions"][0]) for row in rows)
        (cookie,) = [each for each in jane.context.cookies() if each["name"].startswith("a_session_")]
        assert (cookie["name"], cookie["httpOnly"]) == (f"a_session_{project.id}_legacy", True)
        assert jane.page.evaluate("document.cookie") == ""
        assert jane.page.evaluate("localStorage.getItem('cookieFallback')") in (None, "[]")


# A blog.


@pytest.fixture
def blog(project: Project, browser: Browser) -> Iterator[App]:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("blog", "Blog")
    name = {"key": "name", "type": "varchar", "size": 100, "required": True}
    title = {"key": "title", "type": "varchar", "size": 200, "required": True}
    body = {"key": "body", "type": "text", "required": True}
    published = {"key": "published", "type": "boolean", "required": False, "default": False}
    text = {"key": "text", "type": "varchar", "size": 500, "required": True}
    public = ['read("any")', 'create("users")']
    tables.create_table("blog", "authors", "Authors", public, True, columns=[name])
    tables.create_table("blog", "tags", "Tags", [*public, 'update("users")'], columns=[name])
    tables.create_table("blog", "posts", "Posts", ['create("users")'], True, columns=[title, body, published])
    tables.create_table("blog", "comments", "Comments", public, True, columns=[name, text])
    relate = tables.create_relationship_column
    relate("blog", "posts", "authors", RelationshipType.MANYTOONE, True, "author", "posts")
    relate(
        "blog", "posts", "tags", RelationshipType.MANYTOMANY, True, "tags", "posts", RelationMutate.SETNULL
    )
    relate(
        "blog",
        "comments",
        "posts",
        RelationshipType.MANYTOONE,
        True,
        "post",
        "comments",
        RelationMutate.CASCADE,
    )
    with browsers.served("blog", project, browser, ELSEWHERE) as app:
        yield app


def titles(person: Person) -> list[str]:
    return person.page.get_by_role("region", name="Posts").locator("h2").all_inner_texts()


def test_posts_have_authors_tags_and_comments_and_guests_read_what_is_published(
    project: Project, blog: App
) -> None:
    with blog.visited() as jane, blog.visited() as bob:
        jane.click("Sign up or in")
        sign_up(jane, "Jane")
        jane.fill("New post", {"Title": "Oslo", "Text": "It rained.", "Tags": "north, rain"})
        expect(jane.page.get_by_role("article")).to_have_count(1)
        jane.fill("New post", {"Title": "Rome", "Text": "It was hot.", "Tags": "south, sun"})
        expect(jane.page.get_by_role("article")).to_have_count(2)
        jane.page.get_by_role("article").filter(has_text="Oslo").get_by_role("button", name="Publish").click()
        expect(jane.page.get_by_role("article").filter(has_text="a draft")).to_have_count(1)

        bob.page.reload()
        expect(bob.page.get_by_role("article")).to_have_count(1)
        seen_by_guest = titles(bob)
        expect(bob.page.get_by_role("form", name="New comment")).to_be_hidden()
        bob.click("Sign up or in")
        sign_up(bob, "Bob")
        bob.fill("New comment", {"Comment": "Take an umbrella!"})
        expect(bob.page.get_by_role("list", name="Comments")).to_contain_text("Bob: Take an umbrella!")
        bob.fill("New post", {"Title": "Bergen", "Text": "More rain.", "Tags": "rain, coast"})
        expect(bob.page.get_by_role("article")).to_have_count(2)
        bob.page.get_by_role("article").filter(has_text="Bergen").get_by_role(
            "button", name="Publish"
        ).click()
        jane.page.reload()
        expect(jane.page.get_by_role("article")).to_have_count(3)
        seen_by_author = titles(jane)
        jane.page.get_by_role("button", name="#rain").first.click()
        expect(jane.page.get_by_text("Posts about rain")).to_be_visible()
        expect(jane.page.get_by_role("article")).to_have_count(2)
        about_rain = titles(jane)

        assert seen_by_guest == ["Oslo"]
        assert seen_by_author == ["Bergen", "Rome", "Oslo"]
        assert about_rain == ["Bergen", "Oslo"]
        rows = TablesDB(project.sdk(key=project.key)).list_rows
        assert sorted(row.data["name"] for row in rows("blog", "tags").rows) == [
            "coast", "north", "rain", "south", "sun",
        ]  # fmt: skip
        assert rows("blog", "authors").total == 2
        expect(jane.page.get_by_role("list", name="Comments").last).to_contain_text("Take an umbrella!")


# A gallery.


@pytest.fixture
def gallery(project: Project, browser: Browser) -> Iterator[App]:
    bucket = {"bucketId": "photos", "name": "Photos", "permissions": ['create("users")']}
    assert project.server.post("/storage/buckets", json={**bucket, "fileSecurity": True}).status_code == 201
    with browsers.served("gallery", project, browser, SAME_SITE) as app:
        yield app


def photo(color: tuple[float, float, float]) -> bytes:
    """A picture of twelve megapixels as a camera gives it: too large for one part."""
    noise = Image.effect_noise((4000, 3000), 120)
    channels = [noise.point([int(value * each) for value in range(256)]) for each in color]
    buffer = BytesIO()
    Image.merge("RGB", channels).save(buffer, "JPEG", quality=92)
    assert len(buffer.getvalue()) > 5 * 1024 * 1024
    return buffer.getvalue()


def add_photo(person: Person, name: str, contents: bytes, album: str) -> None:
    form = person.page.get_by_role("form", name="New photo")
    form.get_by_label("Photo").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": contents})
    form.get_by_label("Album").select_option(label=album)
    form.get_by_role("button", name="Upload").click()


def sizes_of(person: Person, alt: str) -> tuple[int, int]:
    """How many points the image has that is shown; (0, 0) for a broken one."""
    image = person.page.get_by_role("img", name=alt, exact=True)
    image.evaluate("image => image.decode().catch(() => null)")
    width, height = image.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    return width, height


def test_photos_are_uploaded_in_parts_shown_in_sizes_kept_private_and_shared(
    project: Project, gallery: App
) -> None:
    sea, cat = photo((0.2, 0.6, 1.0)), photo((1.0, 0.7, 0.3))
    with gallery.visited() as jane, gallery.visited() as bob:
        sign_up(jane, "Jane")
        add_photo(jane, "sea.jpg", sea, "For all members")
        photos = jane.page.get_by_role("list", name="Photos")
        expect(photos.get_by_role("listitem")).to_have_count(1, timeout=60_000)
        progress = jane.page.get_by_role("status").inner_text()
        thumbnail = sizes_of(jane, "sea.jpg")
        photos.get_by_role("button", name="Larger").click()
        large = sizes_of(jane, "sea.jpg, larger")

        # The network goes away after the first part of the next one, and then the browser is killed.
        is_later_part = re.compile(r"bytes [1-9]")

        def lose(route: Route) -> None:
            if is_later_part.match(route.request.headers.get("content-range", "")):
                route.abort("internetdisconnected")
            else:
                route.continue_()

        jane.page.route("**/storage/buckets/photos/files", lose)
        add_photo(jane, "cat.jpg", cat, "For me alone")
        expect(jane.page.get_by_role("alert")).to_contain_text("Failed to fetch", timeout=60_000)
        begun = jane.page.evaluate("JSON.parse(localStorage.getItem('unfinished')).fileId")
        jane.begin_anew(gallery.origin)
        photos = jane.page.get_by_role("list", name="Photos")
        expect(photos.get_by_role("listitem")).to_have_count(1)
        add_photo(jane, "cat.jpg", cat, "For me alone")
        expect(photos.get_by_role("listitem")).to_have_count(2, timeout=60_000)
        names = photos.locator("figcaption").all_inner_texts()
        private = sizes_of(jane, "cat.jpg")

        sign_up(bob, "Bob")
        theirs = bob.page.get_by_role("list", name="Photos")
        expect(theirs.get_by_role("listitem")).to_have_count(1)
        seen_by_bob = sizes_of(bob, "sea.jpg")
        expect(theirs.get_by_role("button", name="Delete")).to_be_hidden()
        files = {each["name"]: each for each in project.server.get(FILES).json()["files"]}
        cats = f"{project.platform.endpoint}{FILES}/{files['cat.jpg']['$id']}".replace(
            "127.0.0.1", "localhost"
        )
        hidden = {
            way: bob.page.evaluate(
                "url => fetch(url, {credentials: 'include'}).then((answer) => answer.status)",
                f"{cats}{way}?project={project.id}",
            )
            for way in ("", "/view", "/download", "/preview")
        }
        token = project.server.post(f"/tokens/buckets/photos/files/{files['cat.jpg']['$id']}").json()
        bob.page.goto(f"{gallery.origin}/?photo={files['cat.jpg']['$id']}&token={token['secret']}")
        shared = sizes_of(bob, "The shared photo")

        assert files["cat.jpg"]["$id"] == begun
        assert progress.split()[-4:] == ["%", "100", "%", "Done."]
        assert (thumbnail, large, private, seen_by_bob) == ((120, 80), (640, 480), (120, 80), (120, 80))
        assert names == ["cat.jpg", "sea.jpg"]
        assert hidden == dict.fromkeys(hidden, 404)
        assert shared == (320, 240)
        assert {name: each["sizeOriginal"] for name, each in files.items()} == {
            "sea.jpg": len(sea),
            "cat.jpg": len(cat),
        }
        kept = project.server.get(f"{FILES}/{files['cat.jpg']['$id']}/download").content
        assert hashlib.sha256(kept).digest() == hashlib.sha256(cat).digest()


# A chat.


@pytest.fixture
def cable(project: Project) -> Iterator[Cable]:
    with Cable(urlsplit(project.platform.endpoint).port or 80).laid() as laid:
        yield laid


@pytest.fixture
def chat(project: Project) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("chat", "Chat")
    tables.create_table(
        "chat",
        "messages",
        "Messages",
        permissions=['create("users")'],
        row_security=True,
        columns=[
            {"key": "text", "type": "varchar", "size": 500, "required": True},
            {"key": "name", "type": "varchar", "size": 100, "required": True},
        ],
    )


def messages(person: Person) -> list[str]:
    return (
        person.page.get_by_role("list", name="Messages")
        .get_by_role("listitem")
        .locator("span")
        .all_inner_texts()
    )


@pytest.mark.usefixtures("chat")
def test_who_was_without_a_network_misses_no_message_and_sees_none_twice(
    project: Project, browser: Browser, cable: Cable
) -> None:
    with (
        browsers.served("chat", project, browser, ELSEWHERE, cable.port) as over_the_cable,
        browsers.served("chat", project, browser, ELSEWHERE) as directly,
        over_the_cable.visited() as jane,
        directly.visited() as bob,
    ):
        for person, name in ((jane, "Jane"), (bob, "Bob")):
            sign_up(person, name)
            expect(person.page.get_by_role("status")).to_have_text("online")
        for person in (jane, bob):
            expect(person.page.locator("[data-name=people]")).to_have_text("Bob, Jane")
        jane.fill("New message", {"Message": "Hello"})
        bob.fill("New message", {"Message": "I say something foolish"})
        expect(jane.page.get_by_role("listitem")).to_have_count(2)
        expect(bob.page.get_by_role("listitem")).to_have_count(2)

        jane.context.set_offline(True)
        cable.pull()
        expect(jane.page.get_by_role("status")).to_have_text("offline")
        for text in ("Are you there?", "You are not.", "<i>Well</i>"):
            bob.fill("New message", {"Message": text})
            expect(bob.page.get_by_role("list", name="Messages")).to_contain_text(text)
        foolish = bob.page.get_by_role("listitem").filter(has_text="foolish")
        foolish.get_by_role("button", name="Delete").click()
        expect(bob.page.get_by_role("listitem")).to_have_count(4)
        jane.fill("New message", {"Message": "I was in a tunnel"})
        expect(jane.page.get_by_role("alert")).to_contain_text("Failed to fetch")
        seen_in_the_tunnel = len(messages(jane))

        cable.plug_in()
        jane.context.set_offline(False)
        expect(jane.page.get_by_role("status")).to_have_text("online", timeout=60_000)
        expect(jane.page.get_by_role("list", name="Messages")).to_contain_text("I was in a tunnel")
        expect(bob.page.get_by_role("list", name="Messages")).to_contain_text("I was in a tunnel")
        bob.fill("New message", {"Message": "There you are"})
        expect(jane.page.get_by_role("listitem")).to_have_count(6)
        expect(bob.page.get_by_role("listitem")).to_have_count(6)

        assert seen_in_the_tunnel == 2
        assert messages(jane) == messages(bob)
        assert messages(jane) == [
            "Jane: Hello",
            "Bob: Are you there?",
            "Bob: You are not.",
            "Bob: <i>Well</i>",
            "Jane: I was in a tunnel",
            "Bob: There you are",
        ]
        for person in (jane, bob):
            expect(person.page.locator("[data-name=people]")).to_have_text("Bob, Jane")
        rows = project.server.get("/tablesdb/chat/tables/messages/rows").json()["rows"]
        assert sorted(f"{row['name']}: {row['text']}" for row in rows) == sorted(messages(jane))
