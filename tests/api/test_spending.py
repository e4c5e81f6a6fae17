"""What models cost an account, as its owner sees it."""

from dataclasses import replace

from db.unit import Database
from db.users import UserRow
from kit.ai import Usage
from kit.ids import new_id
from resolvers.context import Services
from services import spending
from services.permissions import Role
from services.spending import Asker, Budget
from tests.client import Graph
from tests.make import Maker

SPENDING = """
{ viewer { spending {
  monthStart tokens tokensBudget tokensLeft microdollars microdollarsBudget microdollarsLeft
  lines { agent model calls lost bookmarks inputTokens outputTokens microdollars }
} } }
"""
OF_ALL = "{ users(first: 10) { nodes { email spending { tokens } } } }"


async def spend(database: Database, services: Services, owner: UserRow) -> None:
    asker, key = Asker(owner.id, "ENRICHMENT"), new_id()
    async with database.unit() as unit:
        most = Usage("gpt", 900, 100, 5_000)
        await spending.reserve(unit, asker, key, most, bookmarks=1, budget=Budget.of(services.settings))
    async with database.unit() as unit:
        await spending.settle(unit, asker, key, [Usage("gpt", 70, 30, 400)])


async def test_an_account_sees_its_month(
    graph: Graph, database: Database, services: Services, ada: UserRow, bob: UserRow
) -> None:
    await spend(database, services, ada)
    found = (await graph.run(SPENDING, ada))["data"]["viewer"]["spending"]
    assert found.pop("monthStart").endswith("-01T00:00:00Z")
    assert found == {
        "tokens": 100,
        "tokensBudget": 20_000_000,
        "tokensLeft": 19_999_900,
        "microdollars": 400,
        "microdollarsBudget": 10_000_000,
        "microdollarsLeft": 9_999_600,
        "lines": [
            {
                "agent": "ENRICHMENT",
                "model": "gpt",
                "calls": 1,
                "lost": 0,
                "bookmarks": 1,
                "inputTokens": 70,
                "outputTokens": 30,
                "microdollars": 400,
            }
        ],
    }
    other = (await graph.run(SPENDING, bob))["data"]["viewer"]["spending"]
    assert (other["tokens"], other["lines"]) == (0, [])


async def test_administrators_see_what_everybody_spends(
    graph: Graph, database: Database, services: Services, make: Maker, ada: UserRow
) -> None:
    await spend(database, services, ada)
    admin = await make.user("root@example.org", role=Role.ADMIN)
    nodes = (await graph.run(OF_ALL, admin))["data"]["users"]["nodes"]
    assert {node["email"]: node["spending"]["tokens"] for node in nodes} == {
        "ada@example.org": 100,
        "root@example.org": 0,
    }


async def test_the_server_says_who_answers(graph: Graph) -> None:
    asked = "{ serverInfo { capabilities { name isAvailable detail } } }"

    async def told() -> dict[str, object]:
        capabilities = (await graph.run(asked))["data"]["serverInfo"]["capabilities"]
        found: dict[str, object] = next(one for one in capabilities if one["name"] == "ai")
        return found

    local = await told()
    assert not local["isAvailable"]
    assert "in this process" in str(local["detail"])
    graph.services.settings = replace(graph.services.settings, openai_api_key="k", ai_prices="gpt-4.1-mini=1/2")
    assert await told() == {
        "name": "ai",
        "isAvailable": True,
        "detail": "gpt-4.1-mini and text-embedding-3-small of an OpenAI-compatible server. "
        "No price is set for text-embedding-3-small: counted as free.",
    }
