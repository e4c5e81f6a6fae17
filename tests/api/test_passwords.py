"""Passwords, confirmed addresses and deleted accounts through the schema."""

from typing import Any

import pytest

from resolvers.context import Services
from services.mail import MailKind
from services.permissions import Viewer
from tests.client import Graph
from tests.mailbox import Mailbox
from tests.make import Maker

SECRET, NEW = "correct horse battery", "a boat under seven bridges"
ERRORS = "userErrors { code field }"


@pytest.fixture
def mailbox(services: Services) -> Mailbox:
    return Mailbox(services.database, services.settings)


async def call(graph: Graph, name: str, field: str, who: Viewer | None = None, **given: Any) -> Any:
    """Call a mutation; return what its field says, or the codes and fields of its refusal."""
    kind = name[0].upper() + name[1:]
    document = f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {field} {ERRORS} }} }}"
    answer = (await graph.ask(document, who, input=given))[name]
    return answer[field] or [(error["code"], error["field"]) for error in answer["userErrors"]]


async def test_every_way_to_another_password_and_out(
    graph: Graph, services: Services, make: Maker, mailbox: Mailbox
) -> None:
    user = await make.user("ada@example.org", password_hash=await services.passwords.hash(SECRET))
    ada = Viewer(user.id)
    wrong = await call(graph, "changePassword", "changed", ada, currentPassword="wrong wrong", newPassword=NEW)
    assert wrong == [("UNAUTHENTICATED", ["input", "currentPassword"])]
    assert await call(graph, "changePassword", "changed", ada, currentPassword=SECRET, newPassword=NEW) is True
    assert await call(graph, "requestPasswordReset", "accepted", email="ada@example.org") is True
    token = await mailbox.token(MailKind.PASSWORD_RESET)
    weak = await call(graph, "resetPassword", "reset", token=token, newPassword="password1")
    assert weak == [("BAD_USER_INPUT", ["input", "newPassword"])]
    assert await call(graph, "resetPassword", "reset", token=token, newPassword=SECRET) is True

    ask = f"mutation {{ requestEmailVerification {{ accepted {ERRORS} }} }}"
    asked = {"requestEmailVerification": {"accepted": True, "userErrors": []}}
    verified = "{ viewer { email isEmailVerified } }"
    assert await graph.ask(ask, ada) == asked
    assert (await graph.ask(verified, ada))["viewer"] == {"email": "ada@example.org", "isEmailVerified": False}
    token = await mailbox.token(MailKind.EMAIL_VERIFICATION)
    assert await call(graph, "verifyEmail", "verified", token=token) is True
    assert (await graph.ask(verified, ada))["viewer"]["isEmailVerified"] is True
    again = (await graph.ask(ask, ada))["requestEmailVerification"]
    assert [error["code"] for error in again["userErrors"]] == ["CONFLICT"]

    wrong = await call(graph, "deleteAccount", "deleted", ada, password="wrong wrong")
    assert wrong == [("UNAUTHENTICATED", ["input", "password"])]
    assert await call(graph, "deleteAccount", "deleted", ada, password=SECRET) is True


async def test_what_needs_somebody(graph: Graph) -> None:
    for document in (
        'mutation { changePassword(input: {currentPassword: "a", newPassword: "b"}) { changed } }',
        "mutation { requestEmailVerification { accepted } }",
        'mutation { deleteAccount(input: {password: "a"}) { deleted } }',
    ):
        assert await graph.refusal(document) == ["UNAUTHENTICATED"]
