"""A metered provider: reserved before, settled with the result, and exactly what the server billed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from db.unit import Database
from kit.ai import BadAnswer, LocalProvider, PageText, Provider, ProviderDown, Vocabulary, make_provider
from kit.settings import Settings
from services.spending import Asker, BudgetExhausted
from tasks.spending import Metered
from tests.fakes.openai import Fault, Models
from tests.fakes.openai.server import KEY
from tests.make import Maker

PAGE = PageText("https://example.org/", "Bread", "", "Bread needs flour. Bake it hot.")
PRICES = "gpt-4.1-mini=2/8,text-embedding-3-small=0.5"


@pytest_asyncio.fixture(loop_scope="session")
async def models() -> AsyncIterator[Models]:
    async with Models() as running:
        yield running


@pytest.fixture
def outside(settings: Settings, models: Models) -> Settings:
    return replace(
        settings,
        openai_api_key=KEY,
        openai_base_url=models.base_url,
        embedding_dimensions=32,
        ai_prices=PRICES,
        ai_max_tries=1,
        ai_timeout_seconds=5.0,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def provider(outside: Settings) -> AsyncIterator[Provider]:
    made = make_provider(outside)
    yield made
    await made.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def asker(make: Maker) -> Asker:
    return Asker((await make.user()).id, "ENRICHMENT")


async def ledger(database: Database) -> dict[str, tuple[str, int, int, int]]:
    rows = await database.fetch("SELECT * FROM ai_calls ORDER BY created_at")
    return {
        str(row["id"]): (row["state"], row["input_tokens"], row["output_tokens"], row["microdollars"]) for row in rows
    }


async def test_a_question_is_reserved_asked_and_settled(
    database: Database, provider: Provider, outside: Settings, asker: Asker, models: Models
) -> None:
    metered = Metered(provider, database, outside, asker)
    paid = await metered.describe(PAGE)
    ((key, reserved),) = (await ledger(database)).items()
    assert reserved == ("RESERVED", 0, 0, 0)
    assert models.calls[0].call_id == key
    for _ in range(2):
        async with database.unit() as unit:
            await paid.settle(unit)
    tokens = models.billed()[key]
    assert await ledger(database) == {key: ("SETTLED", *tokens, 2 * tokens[0] + 8 * tokens[1])}
    month = await database.fetchrow("SELECT tokens, microdollars FROM ai_months WHERE agent = ''")
    assert tuple(month or ()) == (sum(tokens), 2 * tokens[0] + 8 * tokens[1])


async def test_a_result_that_is_not_written_settles_nothing(
    database: Database, provider: Provider, outside: Settings, asker: Asker
) -> None:
    paid = await Metered(provider, database, outside, asker).choose(PAGE, Vocabulary(tags=("bread",)))

    async def fail() -> None:
        async with database.unit() as unit:
            await paid.settle(unit)
            raise RuntimeError("the item's write failed")

    with pytest.raises(RuntimeError):
        await fail()
    assert [row[0] for row in (await ledger(database)).values()] == ["RESERVED"]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault.NOT_JSON_INSIDE, "SETTLED"),
        (Fault.REFUSES, "SETTLED"),
        (Fault.FAILS, "SETTLED"),
        (Fault.HANGS, "LOST"),
    ],
)
async def test_a_question_in_vain_is_paid_at_once(
    database: Database, outside: Settings, asker: Asker, models: Models, fault: Fault, state: str
) -> None:
    provider = make_provider(replace(outside, ai_timeout_seconds=0.3))
    models.always = fault
    with pytest.raises((BadAnswer, ProviderDown)):
        await Metered(provider, database, outside, asker).describe(PAGE)
    ((key, row),) = (await ledger(database)).items()
    assert row[0] == state
    if state == "SETTLED":
        assert row[1:3] == models.billed()[key]
    else:
        assert row[2] == 0
        assert row[1] > 2_000
    await provider.aclose()


async def test_an_exhausted_budget_asks_nothing(
    database: Database, provider: Provider, outside: Settings, asker: Asker, models: Models
) -> None:
    poor = replace(outside, ai_tokens_per_user_month=100)
    metered = Metered(provider, database, poor, asker)
    with pytest.raises(BudgetExhausted):
        await metered.describe(PAGE)
    assert models.calls == []
    assert await ledger(database) == {}
    paid = await metered.embed(["bread", "flour"])  # smaller: it still fits
    async with database.unit() as unit:
        await paid.settle(unit)
    assert [row[1] for row in (await ledger(database)).values()] == [2]


async def test_the_ledger_is_what_the_server_billed_when_many_ask_and_some_fail(
    database: Database, outside: Settings, asker: Asker, models: Models
) -> None:
    provider = make_provider(replace(outside, ai_max_tries=2, ai_breaker_failures=100))
    metered = Metered(provider, database, outside, asker)
    models.every, models.faults = 3, (Fault.NOT_JSON_INSIDE, Fault.FAILS, Fault.WRONG_SCHEMA)

    async def one(number: int) -> None:
        try:
            paid = await metered.describe(replace(PAGE, text=f"{PAGE.text} Number {number}."))
        except (BadAnswer, ProviderDown):
            return
        async with database.unit() as unit:
            await paid.settle(unit)

    await asyncio.gather(*(one(number) for number in range(20)))
    found = await ledger(database)
    assert {row[0] for row in found.values()} == {"SETTLED"}
    assert {key: row[1:3] for key, row in found.items()} == models.billed()
    month = await database.fetchval("SELECT tokens FROM ai_months WHERE agent = ''")
    assert month == sum(sum(tokens) for tokens in models.billed().values())
    await provider.aclose()


async def test_local_questions_are_written_down_once_and_free(
    database: Database, settings: Settings, asker: Asker
) -> None:
    local = LocalProvider()
    paid = await Metered(local, database, replace(settings, ai_tokens_per_user_month=1), asker).embed(["a"] * 64)
    assert await ledger(database) == {}
    for _ in range(2):
        async with database.unit() as unit:
            await paid.settle(unit)
    row = await database.fetchrow("SELECT model, bookmarks, state, microdollars FROM ai_calls")
    assert tuple(row or ()) == (local.space.name, 64, "SETTLED", 0)
    assert await database.fetchval("SELECT count(*) FROM ai_months") == 0
    await local.aclose()


async def test_an_answer_of_which_nothing_is_made_is_paid(
    database: Database, provider: Provider, outside: Settings, asker: Asker, models: Models
) -> None:
    metered = Metered(provider, database, outside, asker)
    await metered.pay(await metered.embed(["bread", "flour"]))
    assert {key: row[:3] for key, row in (await ledger(database)).items()} == {
        str(key): ("SETTLED", *tokens) for key, tokens in models.billed().items()
    }
