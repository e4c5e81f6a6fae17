"""Sessions, step-up and API keys: statements A11 to A15, A20 and A21, over the real transports."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from db.users import UserRow
from kit.clock import utcnow
from kit.crypto import PasswordHasher, fingerprint
from resolvers.context import Services
from services import auth
from services.permissions import Role
from tests.app.graphql.test_sse import STREAM
from tests.app.graphql.test_websocket import opened
from tests.app.graphql.toy import Running, serving
from tests.client import the_schema
from tests.make import Maker

PASSWORD = "correct horse battery"
LOGIN = """
mutation ($input: LoginInput!) {
  login(input: $input) { session { token expiresAt } user { email } userErrors { code message } }
}
"""
REFRESH = "mutation { refreshSession(input: {}) { session { token expiresAt } userErrors { code } } }"
REVOKE = "mutation ($id: ID!) { revokeSession(input: {id: $id}) { session { id } userErrors { code field } } }"
CONFIRM = """
mutation ($password: String!) {
  confirmIdentity(input: {password: $password}) { session { isCurrent } userErrors { code } }
}
"""
CREATE_KEY = """
mutation ($scopes: [ApiScope!]!, $until: DateTime) {
  createApiKey(input: {name: "my  script", scopes: $scopes, expiresAt: $until}) {
    token apiKey { id name prefix scopes createdAt expiresAt lastUsedAt } userErrors { code message field }
  }
}
"""
SESSIONS = "{ viewer { sessions { totalCount nodes { id device networkAddress isCurrent } } } }"
FOLLOW = "subscription { bookmarkChanged { cursor } }"
WHOAMI = "{ viewer { email } }"


@pytest_asyncio.fixture(loop_scope="session")
async def server(services: Services) -> AsyncIterator[Running]:
    """The product on loopback."""
    async with serving(services, the_schema()) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ada(make: Maker, passwords: PasswordHasher) -> UserRow:
    """Somebody with a password."""
    return await make.user("ada@example.org", password_hash=await passwords.hash(PASSWORD))


async def sign_in(server: Running, **more: Any) -> str:
    """Return the token of a new session of Ada."""
    given = {"email": "ada@example.org", "password": PASSWORD, **more}
    answer = (await server.ask(LOGIN, input=given))["data"]["login"]
    assert answer["userErrors"] == []
    return str(answer["session"]["token"])


async def key_of(server: Running, token: str, *scopes: str) -> tuple[str, str]:
    """Return secret and id of a new API key."""
    answer = (await server.ask(CREATE_KEY, token=token, scopes=list(scopes)))["data"]["createApiKey"]
    assert answer["userErrors"] == []
    return answer["token"], answer["apiKey"]["id"]


def codes(body: dict[str, Any]) -> list[str]:
    """Return the codes of the errors of a response."""
    return [error["extensions"]["code"] for error in body.get("errors", [])]


async def email_of(server: Running, token: str) -> str | None:
    """Return whose token it is; None when it opens nothing."""
    body = await server.ask(WHOAMI, token=token)
    return body["data"]["viewer"]["email"] if "data" in body else None


async def test_a11_a_session_is_an_opaque_token_that_only_the_client_has(
    server: Running, services: Services, ada: UserRow
) -> None:
    first, second = await sign_in(server), await sign_in(server)
    assert first != second
    assert len(first.removeprefix("gms_")) == 43  # 256 bits in base64url
    stored = await services.database.fetch(
        "SELECT token_hash, sessions::text AS whole FROM sessions WHERE user_id = $1", ada.id
    )
    assert {row["token_hash"] for row in stored} == {fingerprint(first), fingerprint(second)}
    assert not [row for row in stored if first in row["whole"] or second in row["whole"]]
    given = {"email": "ada@example.org", "password": PASSWORD, "cookie": True}
    answer = await server.http.post("/graphql", json={"query": LOGIN, "variables": {"input": given}})
    assert answer.json()["data"]["login"]["session"]["token"] is None
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-graphmark=gms_")
    assert {one.lower() for one in attributes} == {"path=/", "secure", "httponly", "samesite=lax"}
    assert answer.headers["cache-control"] == "no-store"


async def test_a11_a_cookie_is_renewed_and_taken_back_and_never_shown(server: Running, ada: UserRow) -> None:
    given = {"email": ada.email, "password": PASSWORD, "cookie": True, "remember": True}
    answer = await server.http.post("/graphql", json={"query": LOGIN, "variables": {"input": given}})
    cookie = answer.headers["set-cookie"]
    seconds = int(cookie.split("Max-Age=")[1].split(";")[0])
    assert 30 * 86_400 - 60 < seconds <= 30 * 86_400
    first = cookie.partition(";")[0]
    answer = await server.http.post("/graphql", json={"query": REFRESH}, headers={"cookie": first})
    assert answer.json()["data"]["refreshSession"]["session"]["token"] is None
    second = answer.headers["set-cookie"].partition(";")[0]
    assert second != first
    foreign = {"cookie": second, "sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"}
    assert (await server.http.post("/graphql", json={"query": REFRESH}, headers=foreign)).status_code == 403
    leaving = {"query": "mutation { logout { ended } }"}
    answer = await server.http.post("/graphql", json=leaving, headers={"cookie": second})
    assert answer.json()["data"]["logout"] == {"ended": True}
    assert answer.headers["set-cookie"].startswith("__Host-graphmark=")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    answer = await server.http.post("/graphql", json={"query": WHOAMI}, headers={"cookie": second})
    assert answer.json() == {"data": {"viewer": None}}


async def test_a11_a_socket_sets_no_cookie(server: Running, services: Services, ada: UserRow) -> None:
    given = {"email": ada.email, "password": PASSWORD, "cookie": True}
    async with opened(server) as socket:
        await socket.greet()
        await socket.subscribe("a", LOGIN, variables={"input": given})
        payload = (await socket.receive())["payload"]["data"]["login"]
    assert payload["session"] is None
    assert [(error["code"], "HTTP" in error["message"]) for error in payload["userErrors"]] == [
        ("BAD_USER_INPUT", True)
    ]
    assert await services.database.fetchval("SELECT count(*) FROM sessions") == 0


async def test_a12_a_session_idles_out_after_30_minutes_and_ends_after_12_hours(
    server: Running, services: Services, ada: UserRow
) -> None:
    token, remembered = await sign_in(server), await sign_in(server, remember=True)
    row = await services.database.fetchrow(
        "SELECT idle_expires_at - now() AS idle, expires_at - now() AS absolute FROM sessions WHERE token_hash = $1",
        fingerprint(token),
    )
    assert row is not None
    assert timedelta(minutes=29) < row["idle"] <= timedelta(minutes=30)
    assert timedelta(hours=11, minutes=59) < row["absolute"] <= timedelta(hours=12)
    await services.database.execute("UPDATE sessions SET idle_expires_at = idle_expires_at - interval '30 minutes'")
    assert await email_of(server, token) is None
    assert await email_of(server, remembered) == ada.email
    await services.database.execute("UPDATE sessions SET expires_at = expires_at - interval '30 days'")
    await services.database.fetch("SELECT pg_notify('graphmark_sessions', 'anything')")

    async def is_over() -> None:
        while await email_of(server, remembered) is not None:  # noqa: ASYNC110  what was remembered for a moment
            await asyncio.sleep(0.01)

    await asyncio.wait_for(is_over(), 5)


async def test_a13_the_reuse_of_an_old_token_ends_the_session_and_parallel_renewals_agree(
    server: Running, services: Services, ada: UserRow
) -> None:
    token = await sign_in(server)
    bodies = await asyncio.gather(*(server.ask(REFRESH, token=token) for _ in range(5)))
    answers = [body["data"]["refreshSession"]["session"] for body in bodies]
    assert answers == [answers[0]] * 5
    new = answers[0]["token"]
    assert new != token
    assert await services.database.fetchval("SELECT generation FROM sessions") == 1
    assert await email_of(server, new) == ada.email
    await services.database.execute("UPDATE session_tokens SET retired_at = retired_at - interval '11 seconds'")
    async with opened(server) as socket:
        await socket.greet({"authorization": f"Bearer {new}"})
        assert codes(await server.ask(WHOAMI, token=token)) == ["UNAUTHENTICATED"]
        assert (await socket.closed())[0] == 4403
    assert codes(await server.ask(WHOAMI, token=new)) == ["UNAUTHENTICATED"]
    actions = await services.database.fetch("SELECT action, succeeded FROM audit_entries ORDER BY seq")
    assert [tuple(row) for row in actions] == [("SIGNED_IN", True), ("SESSION_TOKEN_REUSED", False)]


@pytest.mark.parametrize("way", ["logout", "disable", "others", "all"])
async def test_a14_the_end_of_a_session_closes_its_sockets_and_streams(
    server: Running, services: Services, ada: UserRow, way: str
) -> None:
    token, other = await sign_in(server), await sign_in(server)
    async with opened(server) as socket:
        await socket.greet({"authorization": f"Bearer {token}"})
        await socket.subscribe("a", FOLLOW)
        headers = STREAM | {"authorization": f"Bearer {token}"}
        async with server.http.stream("POST", "/graphql", json={"query": FOLLOW}, headers=headers) as stream:
            assert stream.status_code == 200
            if way == "logout":
                await server.ask("mutation { logout { ended } }", token=token)
            elif way == "others":
                await server.ask("mutation { revokeOtherSessions { revokedCount } }", token=other)
            else:
                async with services.database.unit() as unit:
                    if way == "disable":
                        await unit.execute("UPDATE users SET disabled_at = now() WHERE id = $1", ada.id)
                        await auth.shut_out(unit, ada.id)
                    else:
                        await auth.end_sessions(unit, ada.id)
            assert await socket.closed() == (4403, "The session has ended")
            async with asyncio.timeout(5):
                told = (await stream.aread()).decode()
            assert '"UNAUTHENTICATED"' in told
    assert await email_of(server, token) is None
    assert (await email_of(server, other) == ada.email) is (way in {"logout", "others"})


async def test_a15_people_see_and_end_their_sessions_and_administrators_those_of_others(
    server: Running, make: Maker, ada: UserRow
) -> None:
    token, other = await sign_in(server), await sign_in(server)
    bob = await make.session(await make.user("bob@example.org"))
    root = await make.session(await make.user("root@example.org", role=Role.ADMIN))
    listed = (await server.ask(SESSIONS, token=token))["data"]["viewer"]["sessions"]
    assert listed["totalCount"] == 2
    assert [one["isCurrent"] for one in listed["nodes"]] == [False, True]
    assert {(one["device"], one["networkAddress"]) for one in listed["nodes"]} == {("python-httpx", "127.0.0.1")}
    newest = listed["nodes"][0]["id"]
    refused = (await server.ask(REVOKE, token=bob, id=newest))["data"]["revokeSession"]
    assert refused == {"session": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "id"]}]}
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await server.ask(node, token=bob, id=newest))["data"] == {"node": None}
    assert (await server.ask(REVOKE, token=token, id=newest))["data"]["revokeSession"]["session"] == {"id": newest}
    assert await email_of(server, other) is None
    everybody = "{ users { nodes { email sessions { nodes { id } } } } }"
    seen = {
        user["email"]: [one["id"] for one in user["sessions"]["nodes"]]
        for user in (await server.ask(everybody, token=root))["data"]["users"]["nodes"]
    }
    assert {email: len(ids) for email, ids in seen.items()} == {
        "ada@example.org": 1, "bob@example.org": 1, "root@example.org": 1
    }  # fmt: skip
    ended = await server.ask(REVOKE, token=root, id=seen[ada.email][0])
    assert ended["data"]["revokeSession"]["userErrors"] == []
    assert await email_of(server, token) is None
    assert await email_of(server, bob) == "bob@example.org"


async def test_a20_what_is_hard_to_undo_needs_a_proof_of_the_last_ten_minutes(
    server: Running, services: Services, ada: UserRow
) -> None:
    token = await sign_in(server)
    await services.database.execute("UPDATE sessions SET authenticated_at = now() - interval '11 minutes'")
    body = await server.ask(CREATE_KEY, token=token, scopes=["READ"])
    assert codes(body) == ["FORBIDDEN"]
    assert "confirmIdentity" in body["errors"][0]["message"]
    wrong = (await server.ask(CONFIRM, token=token, password="wrong wrong"))["data"]["confirmIdentity"]
    assert wrong == {"session": None, "userErrors": [{"code": "UNAUTHENTICATED"}]}
    assert codes(await server.ask(CREATE_KEY, token=token, scopes=["READ"])) == ["FORBIDDEN"]
    right = (await server.ask(CONFIRM, token=token, password=PASSWORD))["data"]["confirmIdentity"]
    assert right == {"session": {"isCurrent": True}, "userErrors": []}
    await key_of(server, token, "READ")
    entries = await services.database.fetch(
        "SELECT action, succeeded, subject_id FROM audit_entries WHERE action <> 'SIGNED_IN' ORDER BY seq"
    )
    assert [tuple(row) for row in entries] == [
        ("IDENTITY_CONFIRMED", False, ada.id), ("IDENTITY_CONFIRMED", True, ada.id), ("API_KEY_CREATED", True, ada.id)
    ]  # fmt: skip


async def test_a21_a_key_does_not_travel_in_a_cookie(server: Running, ada: UserRow) -> None:
    token, _ = await key_of(server, await sign_in(server), "READ")
    answer = await server.http.post("/graphql", json={"query": WHOAMI}, headers={"cookie": f"__Host-graphmark={token}"})
    assert answer.json() == {"data": {"viewer": None}}
    assert await email_of(server, token) == ada.email


async def test_a21_a_key_is_shown_once_and_kept_as_a_fingerprint(
    server: Running, services: Services, ada: UserRow
) -> None:
    session = await sign_in(server)
    body = await server.ask(CREATE_KEY, token=session, scopes=["WRITE", "READ", "READ"])
    made = body["data"]["createApiKey"]
    token = made["token"]
    assert token.startswith("gmk_")
    assert len(token.removeprefix("gmk_")) == 43
    shown = made["apiKey"]
    assert (shown["name"], shown["prefix"], shown["scopes"]) == ("my script", token[:10], ["READ", "WRITE"])
    assert shown["lastUsedAt"] is None
    row = await services.database.fetchrow(
        "SELECT *, api_keys::text AS whole FROM api_keys WHERE owner_id = $1", ada.id
    )
    assert row is not None
    assert row["token_hash"] == fingerprint(token)
    assert token not in row["whole"]
    assert row["expires_at"] - row["created_at"] > timedelta(days=89)
    assert await email_of(server, token) == ada.email
    used = await services.database.fetchval("SELECT last_used_at FROM api_keys")
    assert used is not None
    assert await email_of(server, token) == ada.email
    assert await services.database.fetchval("SELECT last_used_at FROM api_keys") == used
    listed = await server.ask("{ viewer { apiKeys { totalCount nodes { id prefix } } } }", token=session)
    assert listed["data"]["viewer"]["apiKeys"] == {
        "totalCount": 1,
        "nodes": [{"id": shown["id"], "prefix": token[:10]}],
    }


@pytest.mark.parametrize(
    ("days", "scopes", "field"),
    [(-1, ["READ"], "expiresAt"), (400, ["READ"], "expiresAt"), (1, [], "scopes")],
)
async def test_a21_a_key_has_an_end_and_a_purpose(
    server: Running, services: Services, ada: UserRow, days: int, scopes: list[str], field: str
) -> None:
    until = (utcnow() + timedelta(days=days)).isoformat()
    body = await server.ask(CREATE_KEY, token=await sign_in(server), scopes=scopes, until=until)
    made = body["data"]["createApiKey"]
    assert made["token"] is None
    assert [(error["code"], error["field"]) for error in made["userErrors"]] == [("BAD_USER_INPUT", ["input", field])]
    assert await services.database.fetchval("SELECT count(*) FROM api_keys WHERE owner_id = $1", ada.id) == 0


async def test_a21_an_account_has_at_most_50_keys(server: Running, services: Services, ada: UserRow) -> None:
    session = await sign_in(server)
    await services.database.execute(
        """
        INSERT INTO api_keys (id, owner_id, name, prefix, token_hash, scopes, expires_at)
        SELECT gen_random_uuid(), $1, 'k', 'gmk_x', sha256(n::text::bytea), '{READ}', now() + interval '1 day'
        FROM generate_series(1, 49) AS n
        """,
        ada.id,
    )
    bodies = await asyncio.gather(*(server.ask(CREATE_KEY, token=session, scopes=["READ"]) for _ in range(3)))
    told = sorted(str(body["data"]["createApiKey"]["userErrors"][0:1]) for body in bodies)
    assert [("CONFLICT" in one) for one in told] == [True, True, False] or told.count("[]") == 1
    assert await services.database.fetchval("SELECT count(*) FROM api_keys WHERE owner_id = $1", ada.id) == 50


KEYLESS = [
    "mutation { logout { ended } }",
    "mutation { revokeOtherSessions { revokedCount } }",
    REFRESH,
    'mutation { createApiKey(input: {name: "x", scopes: [READ]}) { token } }',
    'mutation { confirmIdentity(input: {password: "correct horse battery"}) { session { id } } }',
    "{ viewer { sessions { totalCount } } }",
    "{ viewer { apiKeys { totalCount } } }",
    "{ users { totalCount } }",
    "mutation { pauseAgent(input: {name: VALIDATOR}) { userErrors { code } } }",
]  # fmt: skip


@pytest.mark.parametrize("document", KEYLESS)
async def test_a21_a_key_mints_nothing_and_changes_no_credential(
    server: Running, services: Services, make: Maker, passwords: PasswordHasher, document: str
) -> None:
    await make.user("ada@example.org", role=Role.ADMIN, password_hash=await passwords.hash(PASSWORD))
    token, _ = await key_of(server, await sign_in(server), "READ", "WRITE", "IMPORT")
    before = await services.database.fetch("SELECT * FROM sessions")
    body = await server.ask(document, token=token)
    assert set(codes(body)) <= {"FORBIDDEN", "BAD_USER_INPUT"}
    assert "FORBIDDEN" in codes(body) or "BAD_USER_INPUT" in codes(body)
    assert await services.database.fetch("SELECT * FROM sessions") == before
    assert await services.database.fetchval("SELECT count(*) FROM api_keys") == 1


@pytest.mark.usefixtures("ada")
async def test_a21_a_key_does_what_its_scopes_say_on_every_transport(server: Running) -> None:
    session = await sign_in(server)
    reading, _ = await key_of(server, session, "READ")
    writing, _ = await key_of(server, session, "WRITE")
    create = 'mutation { createBookmark(input: {url: "https://example.org/1"}) { created } }'
    refused = await server.ask(create, token=reading)
    assert codes(refused) == ["FORBIDDEN"]
    assert "scope WRITE" in refused["errors"][0]["message"]
    assert (await server.ask(create, token=writing))["data"] == {"createBookmark": {"created": True}}
    assert codes(await server.ask("{ bookmarks { totalCount } }", token=writing)) == ["FORBIDDEN"]
    assert (await server.ask("{ bookmarks { totalCount } }", token=reading))["data"] == {"bookmarks": {"totalCount": 1}}
    signed = {"authorization": f"Bearer {reading}", "graphql-require-preflight": "1"}
    upload = await server.http.post("/graphql", files={"0": b"x"}, data={"operations": "{}"}, headers=signed)
    assert (upload.status_code, codes(upload.json())) == (403, ["FORBIDDEN"])
    async with opened(server) as socket:
        await socket.greet({"authorization": f"Bearer {reading}"})
        await socket.subscribe("a", create)
        refusal = await socket.receive()
        assert (refusal["type"], refusal["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
        await socket.subscribe("b", FOLLOW)
        await server.ask(
            'mutation { createBookmark(input: {url: "https://example.org/2"}) { created } }', token=writing
        )
        assert (await socket.receive())["type"] == "next"
    async with opened(server) as socket:
        await socket.greet({"authorization": f"Bearer {writing}"})
        await socket.subscribe("a", FOLLOW)
        assert (await socket.receive())["payload"][0]["extensions"]["code"] == "FORBIDDEN"
    headers = STREAM | {"authorization": f"Bearer {writing}"}
    streamed = await server.http.post("/graphql", json={"query": FOLLOW}, headers=headers)
    assert '"FORBIDDEN"' in streamed.text


@pytest.mark.parametrize("way", ["revoked", "disabled", "expired"])
async def test_a21_a_key_that_has_ended_opens_nothing_and_its_sockets_close(
    server: Running, services: Services, ada: UserRow, way: str
) -> None:
    session = await sign_in(server)
    token, key = await key_of(server, session, "READ")
    assert await email_of(server, token) == ada.email
    async with opened(server) as socket:
        await socket.greet({"authorization": f"Bearer {token}"})
        await socket.subscribe("a", FOLLOW)
        if way == "revoked":
            revoke = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { revokedId userErrors { code } } }"
            answer = (await server.ask(revoke, token=session, id=key))["data"]["revokeApiKey"]
            assert answer == {"revokedId": key, "userErrors": []}
        else:
            async with services.database.unit() as unit:
                if way == "disabled":
                    await unit.execute("UPDATE users SET disabled_at = now() WHERE id = $1", ada.id)
                else:
                    await unit.execute("UPDATE api_keys SET expires_at = now()")
                await auth.shut_out(unit, ada.id)
        assert await socket.closed() == (4403, "The session has ended")
    assert codes(await server.ask(WHOAMI, token=token)) == ["UNAUTHENTICATED"]


async def test_a21_nobody_ends_or_sees_the_key_of_another(
    server: Running, services: Services, make: Maker, ada: UserRow
) -> None:
    _, key = await key_of(server, await sign_in(server), "READ")
    bob = await make.session(await make.user("bob@example.org"))
    revoke = "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { revokedId userErrors { code field } } }"
    answer = (await server.ask(revoke, token=bob, id=key))["data"]["revokeApiKey"]
    assert answer == {"revokedId": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "id"]}]}
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await server.ask(node, token=bob, id=key))["data"] == {"node": None}
    assert await services.database.fetchval("SELECT count(*) FROM api_keys WHERE owner_id = $1", ada.id) == 1
