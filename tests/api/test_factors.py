"""The second factor through the schema, as a client walks the way."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kit.ids import encode_global_id
from resolvers.context import Services
from services.auth import Accounts
from services.permissions import Role
from tests.client import Graph
from tests.factors import PASSWORD, App, Clock, enrolled, signed_in, viewer_by
from tests.factors import clock as clock  # noqa: PLC0414  a fixture

ENABLE = """
mutation ($input: EnableTotpInput!) {
  enableTotp(input: $input) { secret otpauthUri qrCodeDataUrl userErrors { code message field } }
}
"""
CONFIRM = """
mutation ($input: ConfirmTotpInput!) {
  confirmTotp(input: $input) { recoveryCodes session { token } userErrors { code field } }
}
"""
LOGIN = """
mutation ($input: LoginInput!) {
  login(input: $input) { session { token } challenge { token expiresAt } user { email } userErrors { code } }
}
"""
VERIFY = """
mutation ($input: VerifyTotpInput!) {
  verifyTotp(input: $input) { session { token } user { email } deviceToken userErrors { code field } }
}
"""
DISABLE = """
mutation ($input: DisableTotpInput!) { disableTotp(input: $input) { disabled userErrors { code field } } }
"""
REGENERATE = """
mutation ($input: RegenerateRecoveryCodesInput!) {
  regenerateRecoveryCodes(input: $input) { recoveryCodes userErrors { code field } }
}
"""
STATE = "{ viewer { isTotpEnabled isTotpRequired recoveryCodesLeft } }"


@pytest.fixture
def accounts(services: Services) -> Accounts:
    return Accounts(services.database, services.passwords, services.settings)


def state(*, enabled: bool, left: int) -> dict[str, Any]:
    return {"viewer": {"isTotpEnabled": enabled, "isTotpRequired": False, "recoveryCodesLeft": left}}


async def test_from_a_secret_to_a_session_and_back(graph: Graph, accounts: Accounts, clock: Clock) -> None:
    viewer = await viewer_by(accounts, (await signed_in(accounts)).token)
    assert await graph.ask(STATE, viewer) == state(enabled=False, left=0)
    begun = (await graph.ask(ENABLE, viewer, input={"password": PASSWORD}))["enableTotp"]
    assert begun["userErrors"] == []
    assert parse_qs(urlsplit(begun["otpauthUri"]).query) == {
        "secret": [begun["secret"]],
        "issuer": ["Graphmark (127.0.0.1)"],
    }
    assert begun["qrCodeDataUrl"].startswith("data:image/png;base64,")
    app = App(begun["secret"], clock)
    assert await graph.ask(STATE, viewer) == state(enabled=False, left=0)
    done = (await graph.ask(CONFIRM, viewer, input={"code": app.code()}))["confirmTotp"]
    assert (len(done["recoveryCodes"]), done["session"], done["userErrors"]) == (10, None, [])
    clock.next_step()
    credentials = {"email": "ada@example.org", "password": PASSWORD}
    opened = (await graph.ask(LOGIN, input=credentials))["login"]
    assert (opened["session"], opened["user"], opened["userErrors"]) == (None, None, [])
    answer = {"challengeToken": opened["challenge"]["token"], "code": done["recoveryCodes"][0], "trustDevice": True}
    verified = (await graph.ask(VERIFY, input=answer))["verifyTotp"]
    assert (verified["user"], verified["userErrors"]) == ({"email": "ada@example.org"}, [])
    assert await graph.ask(STATE, await viewer_by(accounts, verified["session"]["token"])) == state(
        enabled=True, left=9
    )
    trusted = (await graph.ask(LOGIN, input=credentials | {"deviceToken": verified["deviceToken"]}))["login"]
    assert trusted["challenge"] is None
    assert trusted["session"] is not None
    both = {"password": PASSWORD, "code": app.code()}
    new = (await graph.ask(REGENERATE, viewer, input=both))["regenerateRecoveryCodes"]
    assert (len(new["recoveryCodes"]), new["userErrors"]) == (10, [])
    both["code"] = new["recoveryCodes"][0]
    assert (await graph.ask(DISABLE, viewer, input=both))["disableTotp"] == {"disabled": True, "userErrors": []}
    assert await graph.ask(STATE, viewer) == state(enabled=False, left=0)


async def test_refusals_are_data(graph: Graph, accounts: Accounts, clock: Clock) -> None:
    person = await enrolled(accounts, clock)
    told = [
        (await graph.ask(document, person.viewer, input=given))[name]["userErrors"]
        for name, document, given in (
            ("confirmTotp", CONFIRM, {"code": "12345"}),
            ("confirmTotp", CONFIRM, {"code": "123456"}),
            ("disableTotp", DISABLE, {"password": "wrong wrong", "code": person.app.code()}),
            ("disableTotp", DISABLE, {"password": PASSWORD, "code": person.app.code(steps=9)}),
            ("regenerateRecoveryCodes", REGENERATE, {"password": PASSWORD, "code": ""}),
            ("verifyTotp", VERIFY, {"challengeToken": "gmc_x", "code": "123456"}),
        )
    ]
    assert [[(error["code"], error["field"]) for error in errors] for errors in told] == [
        [("BAD_USER_INPUT", ["input", "code"])],
        [("CONFLICT", None)],
        [("UNAUTHENTICATED", ["input", "password"])],
        [("UNAUTHENTICATED", ["input", "code"])],
        [("BAD_USER_INPUT", ["input", "code"])],
        [("UNAUTHENTICATED", ["input", "challengeToken"])],
    ]
    again = (await graph.ask(ENABLE, person.viewer, input={"password": PASSWORD}))["enableTotp"]
    assert [error["code"] for error in again["userErrors"]] == ["CONFLICT"]
    assert again["secret"] is None


@pytest.mark.parametrize(
    ("document", "given"),
    [
        (ENABLE, {"password": PASSWORD}),
        (CONFIRM, {"code": "123456"}),
        (DISABLE, {"password": PASSWORD, "code": "123456"}),
        (REGENERATE, {"password": PASSWORD, "code": "123456"}),
    ],
)
async def test_nobody_changes_nothing(graph: Graph, document: str, given: dict[str, str]) -> None:
    assert await graph.refusal(document, input=given) == ["UNAUTHENTICATED"]


async def test_administrators_see_who_has_a_factor_and_others_only_their_own(
    graph: Graph, accounts: Accounts, clock: Clock
) -> None:
    person = await enrolled(accounts, clock)
    root = await viewer_by(accounts, (await signed_in(accounts, "root@example.org", Role.ADMIN)).token)
    document = "{ users { nodes { email isTotpEnabled recoveryCodesLeft } } }"
    assert await graph.ask(document, root) == {
        "users": {
            "nodes": [
                {"email": "root@example.org", "isTotpEnabled": False, "recoveryCodesLeft": 0},
                {"email": "ada@example.org", "isTotpEnabled": True, "recoveryCodesLeft": 10},
            ]
        }
    }
    asked = "query ($id: ID!) { node(id: $id) { ... on User { isTotpEnabled } } }"
    key = encode_global_id("User", root.id)
    assert await graph.ask(asked, person.viewer, id=key) == {"node": None}
