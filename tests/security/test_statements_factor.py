"""A5 to A10 of the checklist: the second factor."""

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
import websockets
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from db import users
from db.unit import Database
from kit.crypto import PasswordHasher, fingerprint
from kit.errors import BadInput, GraphmarkError, RateLimited, Unauthenticated
from kit.settings import RequireFactor, Settings
from resolvers.context import Services
from schema.demands import Demands
from services import auth
from services.auth import Accounts, Challenge, SignedIn
from services.permissions import Role
from tests.app.graphql.toy import serving
from tests.client import the_schema
from tests.factors import PASSWORD, PHONE, App, Clock, challenged, enrolled, signed_in, viewer_by
from tests.factors import clock as clock  # noqa: PLC0414  a fixture

CORE = the_schema()._schema  # noqa: SLF001  graphql-core's schema is inside
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


@pytest.fixture
def accounts(database: Database, passwords: PasswordHasher, settings: Settings) -> Accounts:
    """What signing in needs."""
    return Accounts(database, passwords, settings)


async def test_a5_secrets_have_160_bits_are_sealed_and_the_window_is_one_step(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    assert len(base64.b32decode(person.app.secret)) == 20
    stored = bytes(await accounts.database.fetchval("SELECT secret FROM totp_factors"))
    assert person.app.secret.encode() not in stored
    assert base64.b32decode(person.app.secret) not in stored
    moved = await accounts.database.fetchval("SELECT encode(secret, 'hex') FROM totp_factors")
    assert moved == stored.hex()
    clock.next_step()  # so that the step before this one was not used by the set-up

    async def fits(steps: int) -> bool:
        token = await challenged(accounts, person)
        try:
            await auth.verify(accounts, challenge_token=token, code=person.app.code(steps=steps), device=PHONE)
        except Unauthenticated:
            return False
        return True

    assert [await fits(steps) for steps in (-2, 2, -1, 0, 1)] == [False, False, True, True, True]


async def test_a5_a_sealed_secret_opens_for_its_account_only(accounts: Accounts, clock: Clock) -> None:
    ada, bob = await enrolled(accounts, clock), await enrolled(accounts, clock, "bob@example.org")
    await accounts.database.execute(
        "UPDATE totp_factors SET secret = (SELECT secret FROM totp_factors WHERE user_id = $1) WHERE user_id = $2",
        ada.user.id,
        bob.user.id,
    )
    token = await challenged(accounts, bob)
    with pytest.raises(GraphmarkError) as refused:
        await auth.verify(accounts, challenge_token=token, code=ada.app.code(), device=PHONE)
    assert refused.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("shared", [True, False], ids=["one challenge", "a challenge each"])
async def test_a6_one_code_opens_one_session(accounts: Accounts, clock: Clock, *, shared: bool) -> None:
    person = await enrolled(accounts, clock)
    tokens = [await challenged(accounts, person) for _ in range(1 if shared else 4)] * (4 if shared else 1)
    before = await accounts.database.fetchval("SELECT count(*) FROM sessions")
    code = person.app.code()
    outcomes = await asyncio.gather(
        *(auth.verify(accounts, challenge_token=token, code=code, device=PHONE) for token in tokens),
        return_exceptions=True,
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Unauthenticated) for outcome in outcomes) == 3
    assert await accounts.database.fetchval("SELECT count(*) FROM sessions") == before + 1


async def test_a6_the_code_of_the_set_up_opens_nothing_any_more(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    with pytest.raises(Unauthenticated):
        await auth.verify(accounts, challenge_token=token, code=person.app.code(steps=-1), device=PHONE)


async def test_a7_a_factor_counts_once_confirmed_and_goes_with_both_factors_only(
    accounts: Accounts, clock: Clock
) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    pending = await auth.login(accounts, email="ada@example.org", password=PASSWORD, device=PHONE)
    assert isinstance(pending, SignedIn)
    app = App(enrolment.secret, clock)
    done = await auth.confirm(accounts, viewer, code=app.code(), device=PHONE)
    clock.next_step()
    everything = "SELECT to_jsonb(t)::text FROM totp_factors t UNION SELECT code_hash::text FROM recovery_codes"
    before = sorted(row[0] for row in await accounts.database.fetch(everything))
    for password, code in (("wrong wrong", app.code()), (PASSWORD, app.code(steps=5)), (PASSWORD, "0" * 24)):
        for change in (auth.disable, auth.regenerate):
            with pytest.raises(Unauthenticated):
                await change(accounts, viewer, password=password, code=code, device=PHONE)
    assert sorted(row[0] for row in await accounts.database.fetch(everything)) == before
    await accounts.database.execute("DELETE FROM failed_tries")
    codes = await auth.regenerate(accounts, viewer, password=PASSWORD, code=app.code(), device=PHONE)
    assert not set(codes) & set(done.recovery_codes)
    await auth.disable(accounts, viewer, password=PASSWORD, code=codes[0], device=PHONE)
    assert await accounts.database.fetch("SELECT FROM totp_factors") == []


async def test_a7_five_wrong_codes_and_then_the_account_waits(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    tokens = [await challenged(accounts, person) for _ in range(6)]
    told = []
    for token in tokens:  # a challenge each: it is the account that waits
        with pytest.raises(GraphmarkError) as refused:
            await auth.verify(accounts, challenge_token=token, code=person.app.code(steps=7), device=PHONE)
        told.append(type(refused.value))
    assert told == [Unauthenticated] * 5 + [RateLimited]
    with pytest.raises(RateLimited):
        await auth.verify(accounts, challenge_token=tokens[0], code=person.app.code(), device=PHONE)


_LITERALS = {
    "Int": "1",
    "BigInt": "1",
    "Float": "0.5",
    "Boolean": "true",
    "DateTime": '"2026-11-28T12:00:00Z"',
    "Upload": "$file",
}


def literal(kind: GraphQLInputType) -> str:
    """Return some value of an input type, as it is written in a document."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return "[]"
    if isinstance(kind, GraphQLInputObjectType):
        needed = [(name, field.type) for name, field in kind.fields.items() if is_required_input_field(field)]
        needed = needed or list(kind.fields.items())[:1] if _is_one_of(kind) else needed
        return "{" + ", ".join(f"{name}: {literal(getattr(one, 'type', one))}" for name, one in needed) + "}"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    assert isinstance(kind, GraphQLScalarType)
    return _LITERALS.get(kind.name, '"x"')


def _is_one_of(kind: GraphQLInputObjectType) -> bool:
    return bool(getattr(kind, "is_one_of", False))


def fields_at_the_root() -> Iterator[tuple[str, str]]:
    """Yield each field of the schema's roots and a document that asks for it."""
    for root in (CORE.query_type, CORE.mutation_type, CORE.subscription_type):
        assert isinstance(root, GraphQLObjectType)
        kind = root.name.lower()
        for name, field in root.fields.items():
            needed = {key: one for key, one in field.args.items() if is_required_argument(one)}
            given = ", ".join(f"{key}: {literal(one.type)}" for key, one in needed.items())
            below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
            takes = "($file: Upload!)" if "$file" in given else ""
            yield f"{kind}.{name}", f"{kind}{takes} {{ {name}{f'({given})' if given else ''}{below} }}"


async def test_a8_a_challenge_opens_no_field_of_the_schema(
    accounts: Accounts, services: Services, clock: Clock
) -> None:
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    ends = await accounts.database.fetchval("SELECT (expires_at - created_at)::text FROM login_challenges")
    assert ends == "00:05:00"
    counts = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM users), (SELECT count(*) FROM bookmarks)"
    before = await accounts.database.fetchrow(counts)
    bearer = {"authorization": f"Bearer {token}"}
    fields = list(fields_at_the_root())
    assert len(fields) > 60
    async with serving(services, the_schema()) as server:
        for name, document in fields:
            for accept in ("application/json", "text/event-stream"):
                answer = await server.http.post(
                    "/graphql", json={"query": document}, headers=bearer | {"accept": accept}
                )
                assert (answer.status_code, _codes(answer)) == (401, ["UNAUTHENTICATED"]), name
                assert b'"data"' not in answer.content, name
        picture = await server.http.get("/screenshots/00000000-0000-0000-0000-000000000000.png", headers=bearer)
        assert picture.status_code == 401
        as_cookie = await server.http.post(
            "/graphql", json={"query": "{ viewer { id } }"}, headers={"cookie": f"__Host-graphmark={token}"}
        )
        assert as_cookie.json() == {"data": {"viewer": None}}
        async with websockets.connect(server.websocket_url, subprotocols=[PROTOCOL]) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4403
    assert await accounts.database.fetchrow(counts) == before
    done = await auth.verify(accounts, challenge_token=token, code=person.app.code(), device=PHONE)
    assert done.signed_in.user.id == person.user.id


def _codes(answer: httpx.Response) -> list[str]:
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        text = next(line for line in text.splitlines() if line.startswith("data:")).removeprefix("data:")
    return [error["extensions"]["code"] for error in json.loads(text)["errors"]]


async def test_a8_a_password_alone_is_told_nothing_of_the_account(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    opened = await auth.login(accounts, email=person.user.email, password=PASSWORD, device=PHONE)
    assert isinstance(opened, Challenge)
    assert not hasattr(opened, "user")
    stored = bytes(await accounts.database.fetchval("SELECT token_hash FROM login_challenges"))
    assert stored == fingerprint(opened.token)


async def test_a9_each_of_ten_recovery_codes_works_once_and_its_use_is_written_down(
    accounts: Accounts, clock: Clock
) -> None:
    person = await enrolled(accounts, clock)
    assert len(set(person.recovery_codes)) == 10
    dump = str(await accounts.database.fetch("SELECT to_jsonb(r)::text FROM recovery_codes r"))
    assert not [code for code in person.recovery_codes if code in dump or code.replace("-", "") in dump]
    for left, code in zip(range(9, -1, -1), person.recovery_codes, strict=True):
        token = await challenged(accounts, person)
        typed = code.replace("-", " ").lower()
        await auth.verify(accounts, challenge_token=token, code=typed, device=PHONE)
        assert await accounts.database.fetchval("SELECT count(*) FROM recovery_codes") == left
        token = await challenged(accounts, person)
        with pytest.raises(Unauthenticated):
            await auth.verify(accounts, challenge_token=token, code=code, device=PHONE)
    used = "SELECT count(*) FROM audit_entries WHERE action = 'RECOVERY_CODE_USED' AND succeeded AND actor_id = $1"
    assert await accounts.database.fetchval(used, person.user.id) == 10
    told = "SELECT count(*) FROM mail_messages WHERE kind = 'SECOND_FACTOR' AND recipient = $1"
    assert await accounts.database.fetchval(told, person.user.email) == 11  # one of them for the set-up
    written = str(await accounts.database.fetch("SELECT to_jsonb(e)::text FROM audit_entries e"))
    assert not [code for code in person.recovery_codes if code in written or code.replace("-", "") in written]


async def test_a9_two_with_one_recovery_code_open_one_session(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    tokens = [await challenged(accounts, person) for _ in range(4)]
    outcomes = await asyncio.gather(
        *(
            auth.verify(accounts, challenge_token=token, code=person.recovery_codes[0], device=PHONE)
            for token in tokens
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert await accounts.database.fetchval("SELECT count(*) FROM recovery_codes") == 9


async def test_a9_new_recovery_codes_void_the_old_ones(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    new = await auth.regenerate(accounts, person.viewer, password=PASSWORD, code=person.app.code(), device=PHONE)
    token = await challenged(accounts, person)
    with pytest.raises(Unauthenticated):
        await auth.verify(accounts, challenge_token=token, code=person.recovery_codes[3], device=PHONE)
    await auth.verify(accounts, challenge_token=token, code=new[3], device=PHONE)


async def test_a9_a_recovery_code_opens_its_own_account_only(accounts: Accounts, clock: Clock) -> None:
    ada, bob = await enrolled(accounts, clock), await enrolled(accounts, clock, "bob@example.org")
    token = await challenged(accounts, bob)
    with pytest.raises(Unauthenticated):
        await auth.verify(accounts, challenge_token=token, code=ada.recovery_codes[0], device=PHONE)
    assert await accounts.database.fetchval("SELECT count(*) FROM recovery_codes") == 20


async def test_a10_another_password_leaves_the_second_factor_standing(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    waiting = await challenged(accounts, person)
    encoded = await accounts.passwords.hash("another good password")
    async with accounts.database.unit() as unit:
        await users.set_password_hash(unit, person.user.id, encoded)
    with pytest.raises(Unauthenticated) as refused:
        await auth.verify(accounts, challenge_token=waiting, code=person.app.code(), device=PHONE)
    assert refused.value.field == ("input", "challengeToken")
    opened = await auth.login(accounts, email=person.user.email, password="another good password", device=PHONE)
    assert isinstance(opened, Challenge)
    await auth.verify(accounts, challenge_token=opened.token, code=person.app.code(), device=PHONE)


@pytest.mark.parametrize(
    ("policy", "role", "restricted"),
    [
        (RequireFactor.OFF, Role.ADMIN, False),
        (RequireFactor.ADMINS, Role.USER, False),
        (RequireFactor.ADMINS, Role.ADMIN, True),
        (RequireFactor.ALL, Role.USER, True),
        (RequireFactor.ALL, Role.ADMIN, True),
    ],
)
async def test_who_must_have_a_factor_reaches_nothing_but_the_set_up(
    services: Services, settings: Settings, accounts: Accounts, policy: RequireFactor, role: Role, *, restricted: bool
) -> None:
    """The sessions are older than the policy."""
    session = await signed_in(accounts, role=role)
    changed = replace(settings, require_2fa=policy)
    demanding = Services(settings=changed, database=services.database, bus=services.bus, passwords=services.passwords)
    open_to = {name for (_, name), one in Demands(CORE).of_fields.items() if one.is_public or one.while_enrolling}
    assert open_to >= {"viewer", "serverInfo", "logout", "enableTotp", "confirmTotp", "login", "verifyTotp"}
    async with serving(demanding, the_schema()) as server:
        listed = await server.ask("{ bookmarks { totalCount } }", token=session.token)
        assert ("errors" in listed) is restricted
        if not restricted:
            return
        assert listed["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        for name, document in fields_at_the_root():
            if name.partition(".")[2] in open_to:
                continue
            answer = await server.ask(document, token=session.token)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], name
            assert "data" not in answer, name
        for document in (
            "{ viewer { id spending { tokens } } }",
            "{ ...A } fragment A on Query { viewer { ...B } } fragment B on User { agentSettings { __typename } }",
        ):
            answer = await server.ask(document, token=session.token)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"], document
            assert "data" not in answer, document
        me = await server.ask("{ viewer { isTotpEnabled isTotpRequired recoveryCodesLeft } }", token=session.token)
        assert me["data"]["viewer"] == {"isTotpEnabled": False, "isTotpRequired": True, "recoveryCodesLeft": 0}


async def test_confirming_lifts_the_restriction_with_a_new_session(
    services: Services, settings: Settings, accounts: Accounts, clock: Clock
) -> None:
    session = await signed_in(accounts)
    changed = replace(settings, require_2fa=RequireFactor.ALL)
    demanding = Services(settings=changed, database=services.database, bus=services.bus, passwords=services.passwords)
    async with serving(demanding, the_schema()) as server:
        begun = await server.ask(
            "mutation ($p: String!) { enableTotp(input: {password: $p}) { secret userErrors { code } } }",
            token=session.token,
            p=PASSWORD,
        )
        code = App(begun["data"]["enableTotp"]["secret"], clock).code()
        done = await server.ask(
            "mutation ($c: String!) { confirmTotp(input: {code: $c}) { session { token } userErrors { code } } }",
            token=session.token,
            c=code,
        )
        token = done["data"]["confirmTotp"]["session"]["token"]
        listed = await server.ask("{ bookmarks { totalCount } viewer { isTotpEnabled } }", token=token)
        assert listed == {"data": {"bookmarks": {"totalCount": 0}, "viewer": {"isTotpEnabled": True}}}
        old = await server.ask("{ viewer { id } }", token=session.token)
        assert old["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_code_that_can_be_none_costs_nothing(accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    token = await challenged(accounts, person)
    for typed in ("", "12345", "1234567", "١٢٣٤٥٦"):
        with pytest.raises(BadInput):
            await auth.verify(accounts, challenge_token=token, code=typed, device=PHONE)
    assert await accounts.database.fetchval("SELECT tries FROM login_challenges") == 0
