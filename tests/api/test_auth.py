"""Accounts and sessions through the schema."""

from db.users import UserRow
from resolvers.context import Services
from services import auth
from services.permissions import Role
from tests.client import Graph
from tests.make import Maker

REGISTER = """
mutation ($input: RegisterInput!) {
  register(input: $input) { session { token expiresAt } user { id email name role } userErrors { code message field } }
}
"""
LOGIN = """
mutation ($input: LoginInput!) {
  login(input: $input) { session { token } challenge { token } user { email } userErrors { code field } }
}
"""
ADA = {"email": "ada@example.org", "password": "correct horse battery", "name": "Ada"}


async def test_register_then_login(graph: Graph, services: Services) -> None:
    registered = (await graph.ask(REGISTER, input=ADA))["register"]
    assert registered["userErrors"] == []
    assert registered["user"] | {"id": ""} == {"id": "", "email": "ada@example.org", "name": "Ada", "role": "USER"}
    viewer = await auth.authenticate(services.database, services.settings, registered["session"]["token"])
    assert viewer is not None
    answer = await graph.ask(LOGIN, input={"email": ADA["email"], "password": ADA["password"]})
    assert answer["login"]["challenge"] is None
    assert answer["login"]["userErrors"] == []
    assert answer["login"]["session"]["token"] != registered["session"]["token"]


async def test_refusals_are_data(graph: Graph) -> None:
    await graph.ask(REGISTER, input=ADA)
    taken = (await graph.ask(REGISTER, input=ADA))["register"]
    assert taken["session"] is None
    assert taken["user"] is None
    assert [(error["code"], error["field"]) for error in taken["userErrors"]] == [("CONFLICT", ["input", "email"])]
    wrong = await graph.ask(LOGIN, input={"email": ADA["email"], "password": "wrong wrong"})
    assert wrong["login"] == {
        "session": None,
        "challenge": None,
        "user": None,
        "userErrors": [{"code": "UNAUTHENTICATED", "field": ["input", "password"]}],
    }


async def test_viewer_is_null_for_nobody_and_oneself_otherwise(graph: Graph, ada: UserRow) -> None:
    assert await graph.ask("{ viewer { email } }") == {"viewer": None}
    assert await graph.ask("{ viewer { email role } }", ada) == {"viewer": {"email": "ada@example.org", "role": "USER"}}


async def test_logout_needs_somebody(graph: Graph, ada: UserRow) -> None:
    assert await graph.refusal("mutation { logout { ended } }") == ["UNAUTHENTICATED"]
    assert await graph.ask("mutation { logout { ended } }", ada) == {"logout": {"ended": False}}


async def test_the_list_of_accounts_is_for_administrators(graph: Graph, ada: UserRow, make: Maker) -> None:
    admin = await make.user("root@example.org", role=Role.ADMIN)
    assert await graph.refusal("{ users { totalCount } }") == ["UNAUTHENTICATED"]
    assert await graph.refusal("{ users { totalCount } }", ada) == ["FORBIDDEN"]
    first = await graph.ask(
        "{ users(first: 1) { totalCount nodes { email } pageInfo { hasNextPage endCursor } } }", admin
    )
    assert first["users"]["totalCount"] == 2
    assert first["users"]["nodes"] == [{"email": "root@example.org"}]
    assert first["users"]["pageInfo"]["hasNextPage"] is True
    after = first["users"]["pageInfo"]["endCursor"]
    page = "query ($after: String) { users(first: 1, after: $after) { nodes { email } pageInfo { hasNextPage } } }"
    second = await graph.ask(page, admin, after=after)
    assert second["users"] == {"nodes": [{"email": "ada@example.org"}], "pageInfo": {"hasNextPage": False}}
    assert await graph.refusal(page, admin, after=after[:-2] + "AA") == ["BAD_USER_INPUT"]


async def test_node_finds_oneself_and_nobody_else(graph: Graph, ada: UserRow, bob: UserRow) -> None:
    me = (await graph.ask("{ viewer { id } }", ada))["viewer"]["id"]
    document = "query ($id: ID!) { node(id: $id) { id __typename ... on User { email } } }"
    assert await graph.ask(document, ada, id=me) == {
        "node": {"id": me, "__typename": "User", "email": "ada@example.org"}
    }
    assert await graph.ask(document, bob, id=me) == {"node": None}
    assert await graph.refusal(document, ada, id="nonsense") == ["BAD_USER_INPUT"]
    assert await graph.refusal(document, ada, id=me[:-4] + "AAAA") == ["BAD_USER_INPUT"]
