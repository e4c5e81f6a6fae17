"""Administering accounts through the schema."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import pytest_asyncio

from db import mail as mail_rows
from db.unit import Database
from db.users import UserRow
from kit.ids import encode_global_id
from services.permissions import ApiScope, Role, Viewer
from tests.client import Graph, gid
from tests.make import Maker

CREATE = """
mutation ($input: CreateUserInput!) {
  createUser(input: $input) {
    user { id email name role isDisabled bookmarkCount } invitationUrl isMailed userErrors { code field }
  }
}
"""
UPDATE = """
mutation ($input: UpdateUserInput!) {
  updateUser(input: $input) {
    user { email name quotas { bookmarks { used limit } storageBytes { limit } runningImports { limit } } }
    userErrors { code field message }
  }
}
"""
ROLE = """
mutation ($input: SetUserRoleInput!) { setUserRole(input: $input) { user { role } userErrors { code field } } }
"""
DISABLE = """
mutation ($input: DisableUserInput!) { disableUser(input: $input) { user { isDisabled } userErrors { code field } } }
"""
INVITE = """
mutation ($input: CreateInviteInput!) {
  createInvite(input: $input) { invite { id email invitedBy { email } } url isMailed userErrors { code field } }
}
"""
REVOKE = "mutation ($input: InviteIdInput!) { revokeInvite(input: $input) { invite { id } userErrors { code } } }"
REGISTER = """
mutation ($input: RegisterInput!) {
  register(input: $input) { session { token } user { id name role } userErrors { code field } }
}
"""
RESET = """
mutation ($input: UserIdInput!) { resetUserTotp(input: $input) { user { email } wasEnabled userErrors { code } } }
"""
START_RESET = """
mutation ($input: StartPasswordResetInput!) {
  startPasswordReset(input: $input) { user { email } userErrors { code field } }
}
"""
PASSWORD = "a sentence nobody else would think of"


@pytest_asyncio.fixture(loop_scope="session")
async def root(make: Maker) -> UserRow:
    """An administrator."""
    return await make.user("root@example.org", role=Role.ADMIN)


async def acts(database: Database) -> list[tuple[str, Any, Any, Any]]:
    rows = await database.fetch("SELECT action, actor, subject_id, details FROM audit_entries ORDER BY seq")
    return [(row["action"], row["actor"], row["subject_id"], row["details"]) for row in rows]


def token_of(url: str) -> str:
    assert urlsplit(url).path == "/setup"
    return parse_qs(urlsplit(url).query)["token"][0]


async def test_an_account_waits_for_its_owner_who_chooses_the_password(
    graph: Graph, database: Database, root: UserRow
) -> None:
    given = {"email": "Eve@example.org", "name": "Eve", "role": "ADMIN", "sendInvitation": True}

    made = (await graph.ask(CREATE, root, input=given))["createUser"]

    assert made["userErrors"] == []
    assert made["isMailed"] is True
    eve = made["user"]["id"]
    assert made["user"] == {
        "id": eve,
        "email": "Eve@example.org",
        "name": "Eve",
        "role": "ADMIN",
        "isDisabled": False,
        "bookmarkCount": 0,
    }
    assert await database.fetchval("SELECT password_hash FROM users WHERE email_key = 'eve@example.org'") is None
    again = (await graph.ask(CREATE, root, input=given))["createUser"]
    assert (again["user"], again["userErrors"]) == (None, [{"code": "CONFLICT", "field": ["input", "email"]}])

    opened = {"email": "mallory@example.org", "password": PASSWORD, "name": "Eve Else"}
    opened["inviteToken"] = token_of(made["invitationUrl"])
    wrong = (await graph.ask(REGISTER, input=opened))["register"]
    assert wrong["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "email"]}]
    opened["email"] = "EVE@example.org"
    done = (await graph.ask(REGISTER, input=opened))["register"]
    assert done["user"] == {"id": eve, "name": "Eve Else", "role": "ADMIN"}
    twice = (await graph.ask(REGISTER, input=opened))["register"]
    assert twice["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "inviteToken"]}]
    assert [act[0] for act in await acts(database)] == ["USER_CREATED", "REGISTERED"]
    assert (await acts(database))[0][1::2] == ("root@example.org", {"account": "Eve@example.org", "role": "ADMIN"})


async def test_an_invitation_to_an_address_that_was_wrong_opens_nothing(
    graph: Graph, database: Database, root: UserRow
) -> None:
    given = {"email": "mallory@example.org", "name": "Eve", "role": "ADMIN"}
    made = (await graph.ask(CREATE, root, input=given))["createUser"]
    moved = (await graph.ask(UPDATE, root, input={"id": made["user"]["id"], "email": "eve@example.org"}))["updateUser"]
    assert (moved["user"]["email"], moved["userErrors"]) == ("eve@example.org", [])
    for email in ("mallory@example.org", "eve@example.org"):
        opened = {"email": email, "password": PASSWORD, "name": "M", "inviteToken": token_of(made["invitationUrl"])}
        refused = (await graph.ask(REGISTER, input=opened))["register"]
        assert refused["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "inviteToken"]}], email
    assert await database.fetch("SELECT FROM users WHERE password_hash IS NOT NULL AND name = 'M'") == []


async def test_an_invitation_opens_one_account_where_registration_is_closed(
    graph: Graph, database: Database, root: UserRow, ada: UserRow
) -> None:
    open_to_all = (await graph.ask(INVITE, root, input={}))["createInvite"]
    assert open_to_all["isMailed"] is False
    for_eve = (await graph.ask(INVITE, root, input={"email": "eve@example.org"}))["createInvite"]
    assert for_eve["isMailed"] is True
    assert for_eve["invite"] | {"id": ""} == {
        "id": "",
        "email": "eve@example.org",
        "invitedBy": {"email": "root@example.org"},
    }
    taken = (await graph.ask(INVITE, root, input={"email": "ADA@example.org"}))["createInvite"]
    assert taken["userErrors"] == [{"code": "CONFLICT", "field": ["input", "email"]}]
    listed = "{ invites { totalCount nodes { id email } } }"
    assert (await graph.ask(listed, root))["invites"] == {
        "totalCount": 2,
        "nodes": [
            {"id": for_eve["invite"]["id"], "email": "eve@example.org"},
            {"id": open_to_all["invite"]["id"], "email": None},
        ],
    }
    assert await graph.refusal(listed, ada) == ["FORBIDDEN"]

    revoked = {"input": {"id": for_eve["invite"]["id"]}}
    assert (await graph.ask(REVOKE, root, **revoked))["revokeInvite"]["userErrors"] == []
    assert (await graph.ask(REVOKE, root, **revoked))["revokeInvite"]["userErrors"] == [{"code": "NOT_FOUND"}]
    given = {"email": "eve@example.org", "password": PASSWORD, "name": "Eve", "inviteToken": token_of(for_eve["url"])}
    assert (await graph.ask(REGISTER, input=given))["register"]["userErrors"][0]["code"] == "BAD_USER_INPUT"
    given["inviteToken"] = token_of(open_to_all["url"])
    assert (await graph.ask(REGISTER, input=given))["register"]["user"]["role"] == "USER"
    assert (await graph.ask(listed, root))["invites"]["totalCount"] == 0
    stored = await database.fetch("SELECT * FROM one_time_tokens")
    assert token_of(open_to_all["url"]) not in repr(stored)
    assert [act[0] for act in await acts(database)] == [
        "INVITE_CREATED",
        "INVITE_CREATED",
        "INVITE_REVOKED",
        "REGISTERED",
    ]


async def test_a_role_changes_and_the_sessions_end(
    graph: Graph, database: Database, root: UserRow, ada: UserRow, make: Maker
) -> None:
    await make.session(ada)
    changed = {"input": {"id": gid(ada, "User"), "role": "ADMIN"}}
    assert (await graph.ask(ROLE, root, **changed))["setUserRole"] == {"user": {"role": "ADMIN"}, "userErrors": []}
    assert await database.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 0
    assert await acts(database) == [
        (
            "ROLE_CHANGED",
            "root@example.org",
            ada.id,
            {"account": "ada@example.org", "before": "USER", "after": "ADMIN"},
        )
    ]
    assert (await graph.ask(ROLE, root, **changed))["setUserRole"]["user"] == {"role": "ADMIN"}
    assert len(await acts(database)) == 1


async def test_a_closed_account_opens_nothing_until_it_is_opened(
    graph: Graph, database: Database, root: UserRow, ada: UserRow, bob: UserRow, make: Maker
) -> None:
    await make.session(ada)
    await make.session(bob)
    closed = {"input": {"id": gid(ada, "User")}}
    assert (await graph.ask(DISABLE, root, **closed))["disableUser"]["user"] == {"isDisabled": True}
    live = "SELECT array_agg(user_id) FROM sessions WHERE revoked_at IS NULL"
    assert await database.fetchval(live) == [bob.id]
    opened = {"input": {"id": gid(ada, "User"), "disabled": False}}
    assert (await graph.ask(DISABLE, root, **opened))["disableUser"]["user"] == {"isDisabled": False}
    assert await database.fetchval(live) == [bob.id]
    assert [act[0] for act in await acts(database)] == ["USER_DISABLED", "USER_ENABLED"]


async def test_the_last_administrator_stays(graph: Graph, database: Database, root: UserRow) -> None:
    # Invited and never seen, so nobody who could administer.
    await graph.ask(CREATE, root, input={"email": "eve@example.org", "name": "Eve", "role": "ADMIN"})
    conflict = [{"code": "CONFLICT", "field": ["input", "id"]}]
    lesser = {"input": {"id": gid(root, "User"), "role": "USER"}}
    assert (await graph.ask(ROLE, root, **lesser))["setUserRole"] == {"user": None, "userErrors": conflict}
    closed = {"input": {"id": gid(root, "User")}}
    assert (await graph.ask(DISABLE, root, **closed))["disableUser"] == {"user": None, "userErrors": conflict}
    assert await database.fetchval("SELECT role FROM users WHERE id = $1 AND disabled_at IS NULL", root.id) == "ADMIN"


async def test_an_account_is_changed(graph: Graph, database: Database, root: UserRow, ada: UserRow) -> None:
    given: dict[str, Any] = {"id": gid(ada, "User"), "name": "Ada L.", "email": "ADA@example.org"}
    given["quotas"] = {"maxBookmarks": 3, "maxRunningImports": 0}

    made = (await graph.ask(UPDATE, root, input=given))["updateUser"]

    assert made == {
        "user": {
            "email": "ADA@example.org",
            "name": "Ada L.",
            "quotas": {
                "bookmarks": {"used": 0, "limit": 3},
                "storageBytes": {"limit": 20 * 1024**3},
                "runningImports": {"limit": 0},
            },
        },
        "userErrors": [],
    }
    told = (await acts(database))[0][3]
    assert told == {
        "account": "ada@example.org",
        "name": "Ada L.",
        "email": "ADA@example.org",
        "quotas": {"maxBookmarks": 3, "maxStorageBytes": None, "maxRunningImports": 0},
    }
    assert await database.fetchval("SELECT count(*) FROM mail_messages") == 0  # the same address, written otherwise
    taken = {"id": gid(ada, "User"), "email": "root@example.org"}
    refused = (await graph.ask(UPDATE, root, input=taken))["updateUser"]["userErrors"]
    assert [(error["code"], error["field"]) for error in refused] == [("CONFLICT", ["input", "email"])]
    moved = {"id": gid(ada, "User"), "email": "lovelace@example.org"}
    assert (await graph.ask(UPDATE, root, input=moved))["updateUser"]["userErrors"] == []
    (letter,) = await mail_rows.take(database, limit=5, lease_seconds=60)
    assert (letter.kind, letter.recipient) == ("ACCOUNT", "ADA@example.org")
    negative = {"id": gid(ada, "User"), "quotas": {"maxBookmarks": -1}}
    refused = (await graph.ask(UPDATE, root, input=negative))["updateUser"]["userErrors"]
    assert [error["field"] for error in refused] == [["input", "quotas", "maxBookmarks"]]
    assert len(await acts(database)) == 2


async def test_accounts_are_found_by_what_they_are(
    graph: Graph, root: UserRow, ada: UserRow, bob: UserRow, make: Maker
) -> None:
    await make.bookmark(Viewer(id=ada.id))
    await make.bookmark(Viewer(id=ada.id))
    await graph.ask(DISABLE, root, input={"id": gid(bob, "User")})
    document = "query ($filter: UserFilter) { users(filter: $filter) { totalCount nodes { email bookmarkCount } } }"

    async def found(**chosen: Any) -> list[str]:
        page = (await graph.ask(document, root, filter=chosen))["users"]
        assert page["totalCount"] == len(page["nodes"])
        return [f"{node['email'].partition('@')[0]} {node['bookmarkCount']}" for node in page["nodes"]]

    assert await found() == ["root 0", "bob 0", "ada 2"] or await found() == ["bob 0", "ada 2", "root 0"]
    assert await found(role="ADMIN") == ["root 0"]
    assert await found(isDisabled=True) == ["bob 0"]
    assert await found(isDisabled=False, role="USER") == ["ada 2"]
    assert await found(search="ADA@") == ["ada 2"]
    assert await found(search="%") == []


@pytest.mark.parametrize(
    ("document", "given"),
    [
        (CREATE, {"email": "eve@example.org", "name": "Eve"}),
        (UPDATE, {"id": "ada", "name": "x"}),
        (ROLE, {"id": "ada", "role": "ADMIN"}),
        (DISABLE, {"id": "ada"}),
        (RESET, {"id": "ada"}),
        (START_RESET, {"userId": "ada"}),
        (INVITE, {}),
        (REVOKE, {"id": encode_global_id("Invite", UUID(int=7))}),
    ],
)
async def test_only_administrators_with_a_session_administer(
    graph: Graph, database: Database, root: UserRow, ada: UserRow, document: str, given: dict[str, Any]
) -> None:
    given = {name: gid(ada, "User") if value == "ada" else value for name, value in given.items()}
    before = await database.fetch("SELECT * FROM users ORDER BY id")
    assert await graph.refusal(document, input=given) == ["UNAUTHENTICATED"]
    assert await graph.refusal(document, ada, input=given) == ["FORBIDDEN"]
    key = Viewer(id=root.id, role=Role.ADMIN, scopes=frozenset(ApiScope))
    assert await graph.refusal(document, key, input=given) == ["FORBIDDEN"]
    gone = Viewer(id=ada.id, role=Role.ADMIN)  # was one when the request began
    assert await graph.refusal(document, gone, input=given) == ["FORBIDDEN"]
    assert await database.fetch("SELECT * FROM users ORDER BY id") == before
    assert await acts(database) == []


async def test_a_second_factor_that_is_not_there_is_taken_off_without_harm(
    graph: Graph, root: UserRow, ada: UserRow
) -> None:
    done = (await graph.ask(RESET, root, input={"id": gid(ada, "User")}))["resetUserTotp"]
    assert done == {"user": {"email": "ada@example.org"}, "wasEnabled": False, "userErrors": []}


async def test_a16_an_administrator_starts_a_reset_and_knows_no_password(
    graph: Graph, database: Database, root: UserRow, ada: UserRow, make: Maker
) -> None:
    await make.session(ada)
    before = await database.fetchrow("SELECT * FROM users WHERE id = $1", ada.id)

    done = (await graph.ask(START_RESET, root, input={"userId": gid(ada, "User")}))["startPasswordReset"]

    assert done == {"user": {"email": "ada@example.org"}, "userErrors": []}
    (letter,) = await mail_rows.take(database, limit=5, lease_seconds=60)
    assert (letter.kind, letter.recipient) == ("PASSWORD_RESET", "ada@example.org")
    told = ("PASSWORD_RESET_REQUESTED", "root@example.org", ada.id, {"account": "ada@example.org"})
    assert await acts(database) == [told]
    # Until the link is used the account is as it was, and so are its sessions.
    assert await database.fetchrow("SELECT * FROM users WHERE id = $1", ada.id) == before
    assert await database.fetchval("SELECT count(*) FROM sessions WHERE revoked_at IS NULL") == 1

    await graph.ask(DISABLE, root, input={"id": gid(ada, "User")})
    tokens = await database.fetchval("SELECT count(*) FROM one_time_tokens")
    closed = (await graph.ask(START_RESET, root, input={"userId": gid(ada, "User")}))["startPasswordReset"]
    assert closed == {"user": None, "userErrors": [{"code": "CONFLICT", "field": ["input", "userId"]}]}
    unknown = {"userId": encode_global_id("User", UUID(int=7))}
    nobody = (await graph.ask(START_RESET, root, input=unknown))["startPasswordReset"]
    assert nobody == {"user": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "userId"]}]}
    assert await database.fetchval("SELECT count(*) FROM one_time_tokens") == tokens
    assert [act[0] for act in await acts(database)] == ["PASSWORD_RESET_REQUESTED", "USER_DISABLED"]
