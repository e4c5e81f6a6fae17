"""Budgets hold whoever asks at once, and the ledger's sums are those of its rows."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from db import spending as ledger
from db.spending import Amount
from db.unit import Database
from kit.ai import Usage
from kit.errors import Forbidden
from kit.ids import new_id
from kit.settings import Settings
from services import spending
from services.permissions import Role
from services.spending import Asker, Budget, BudgetExhausted
from tasks.maintenance import jobs
from tests.make import Maker

MOST = Usage("m", 70, 30, 1_000)
LARGE = Budget(Amount(10**9, 10**9), Amount(10**9, 10**9))


async def reserve(database: Database, asker: Asker, budget: Budget = LARGE, most: Usage = MOST) -> UUID:
    key = new_id()
    async with database.unit() as unit:
        await spending.reserve(unit, asker, key, most, bookmarks=1, budget=budget)
    return key


async def settle(database: Database, asker: Asker, key: UUID, usage: Sequence[Usage]) -> bool:
    async with database.unit() as unit:
        return await spending.settle(unit, asker, key, usage)


async def months(database: Database) -> dict[str, tuple[int, int]]:
    rows = await database.fetch("SELECT agent, tokens, microdollars FROM ai_months")
    return {row["agent"]: (row["tokens"], row["microdollars"]) for row in rows}


async def sums(database: Database) -> tuple[int, int]:
    """What the rows of the ledger come to."""
    row = await database.fetchrow(
        """
        SELECT coalesce(sum(tokens), 0)::int AS tokens, coalesce(sum(money), 0)::int AS money FROM (
            SELECT input_tokens + output_tokens AS tokens, microdollars AS money FROM ai_calls WHERE state = 'SETTLED'
            UNION ALL SELECT reserved_tokens, reserved_microdollars FROM ai_calls WHERE state <> 'SETTLED'
        ) AS calls
        """
    )
    assert row is not None
    return row["tokens"], row["money"]


@pytest.mark.parametrize(
    "budget",
    [
        Budget(Amount(1_250, 10**9), Amount(10**9, 10**9)),
        Budget(Amount(10**9, 12_999), Amount(10**9, 10**9)),
        Budget(Amount(10**9, 10**9), Amount(1_299, 10**9)),
        Budget(Amount(10**9, 10**9), Amount(10**9, 12_000)),
    ],
    ids=["account-tokens", "account-money", "agent-tokens", "agent-money"],
)
async def test_fifty_at_once_never_pass_the_budget(database: Database, make: Maker, budget: Budget) -> None:
    asker = Asker((await make.user()).id, "ENRICHMENT")
    ends = await asyncio.gather(*(reserve(database, asker, budget) for _ in range(50)), return_exceptions=True)
    assert len([end for end in ends if isinstance(end, UUID)]) == 12
    assert all(isinstance(end, UUID | BudgetExhausted) for end in ends)
    assert await months(database) == {"": (1_200, 12_000), "ENRICHMENT": (1_200, 12_000)}
    assert await sums(database) == (1_200, 12_000)
    assert await database.fetchval("SELECT count(*) FROM ai_calls") == 12


async def test_what_is_settled_makes_room(database: Database, make: Maker) -> None:
    asker = Asker((await make.user()).id, "ENRICHMENT", new_id())
    budget = Budget(Amount(150, 10**9), Amount(10**9, 10**9))
    key = await reserve(database, asker, budget)
    with pytest.raises(BudgetExhausted, match="budget of this account for models is used up") as caught:
        await reserve(database, asker, budget)
    assert "150 tokens" in caught.value.message
    assert await settle(database, asker, key, [Usage("m", 7, 3, 40), Usage("m", 1, 0, 2)])
    assert await months(database) == {"": (11, 42), "ENRICHMENT": (11, 42)}
    await reserve(database, asker, budget)
    row = await database.fetchrow("SELECT * FROM ai_calls WHERE id = $1", key)
    assert row is not None
    told = {name: row[name] for name in ("state", "input_tokens", "output_tokens", "microdollars", "model", "task_id")}
    assert told == {
        "state": "SETTLED",
        "input_tokens": 8,
        "output_tokens": 3,
        "microdollars": 42,
        "model": "m",
        "task_id": asker.task_id,
    }


async def test_settling_twice_is_once_and_only_the_owner_s(database: Database, make: Maker) -> None:
    asker, other = Asker((await make.user()).id, "A"), Asker((await make.user()).id, "A")
    key = await reserve(database, asker)
    assert not await settle(database, other, key, [])
    ends = await asyncio.gather(*(settle(database, asker, key, [Usage("m", 1, 1, 5)]) for _ in range(5)))
    assert sum(ends) == 1
    assert not await settle(database, asker, key, [Usage("m", 9, 9, 9)])
    assert await months(database) == {"": (2, 5), "A": (2, 5)}
    assert await sums(database) == (2, 5)


async def test_a_budget_of_one_agent_leaves_the_others(database: Database, make: Maker) -> None:
    owner = (await make.user()).id
    budget = Budget(Amount(250, 10**9), Amount(100, 10**9))
    await reserve(database, Asker(owner, "A"), budget)
    with pytest.raises(BudgetExhausted, match="budget of the agent A"):
        await reserve(database, Asker(owner, "A"), budget)
    await reserve(database, Asker(owner, "B"), budget)
    with pytest.raises(BudgetExhausted, match="this account"):
        await reserve(database, Asker(owner, "C"), budget)
    assert await months(database) == {"": (200, 2_000), "A": (100, 1_000), "B": (100, 1_000)}


async def test_what_nobody_settled_counts_as_spent(database: Database, make: Maker, settings: Settings) -> None:
    asker = Asker((await make.user()).id, "A")
    old, young = await reserve(database, asker), await reserve(database, asker)
    await database.execute("UPDATE ai_calls SET created_at = now() - interval '31 minutes' WHERE id = $1", old)
    sweep = next(job for job in jobs(settings) if job.name == "lose-ai-reservations")
    async with database.unit() as unit:
        assert await sweep.run(unit) == 1
    states = {row["id"]: (row["state"], row["input_tokens"]) for row in await database.fetch("SELECT * FROM ai_calls")}
    assert states == {old: ("LOST", 100), young: ("RESERVED", 0)}
    assert await months(database) == {"": (200, 2_000), "A": (200, 2_000)}
    # The process was only slow: what it knows is better than the estimate.
    assert await settle(database, asker, old, [Usage("m", 5, 5, 50)])
    assert await months(database) == {"": (110, 1_050), "A": (110, 1_050)}
    async with database.unit() as unit:
        assert await spending.lose(unit, asker, young)
        assert not await spending.lose(unit, asker, young)
        assert not await spending.lose(unit, asker, old)
    assert await sums(database) == (110, 1_050)


async def test_old_calls_are_forgotten_and_the_sums_stay(database: Database, make: Maker, settings: Settings) -> None:
    asker = Asker((await make.user()).id, "A")
    key = await reserve(database, asker)
    await settle(database, asker, key, [Usage("m", 1, 1, 5)])
    open_one = await reserve(database, asker)
    await database.execute("UPDATE ai_calls SET created_at = now() - interval '401 days'")
    purge = next(job for job in jobs(settings) if job.name == "purge-ai-calls")
    async with database.unit() as unit:
        assert await purge.run(unit) == 1
    assert [row["id"] for row in await database.fetch("SELECT id FROM ai_calls")] == [open_one]
    assert (await months(database))[""] == (102, 1_005)


async def test_a_month_is_told_by_agent_and_model(database: Database, make: Maker, settings: Settings) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    tight = replace(settings, ai_tokens_per_user_month=250, ai_dollars_per_user_month=0.01)
    for agent, model in (("A", "m"), ("A", "m"), ("B", "n")):
        asker = Asker(viewer.id, agent)
        key = await reserve(database, asker, most=replace(MOST, model=model))
        await settle(database, asker, key, [Usage(model, 10, 5, 100)])
    await reserve(database, Asker(viewer.id, "A"))
    async with database.unit() as unit:
        for _ in range(2):
            await spending.record_free(unit, Asker(viewer.id, "C"), other.id, model="local/x", bookmarks=64)
    month = await spending.month(database, viewer, viewer.id, tight)
    assert month.gone == Amount(145, 1_300)
    assert month.left == Amount(105, 8_700)
    assert month.starts_at.day == 1
    assert month.lines == [
        ledger.LineRow("A", "m", 2, 0, 2, 20, 10, 200),
        ledger.LineRow("B", "n", 1, 0, 1, 10, 5, 100),
        ledger.LineRow("C", "local/x", 1, 0, 64, 0, 0, 0),
    ]
    assert (await spending.month(database, other, other.id, tight)).gone == Amount(0, 0)
    with pytest.raises(Forbidden):
        await spending.month(database, other, viewer.id, tight)
    admin = await make.viewer(role=Role.ADMIN)
    assert (await spending.month(database, admin, viewer.id, tight)).gone == Amount(145, 1_300)
