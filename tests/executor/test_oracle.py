"""Both executors give the same bytes, whatever is asked; and the oracle that says so sees it when they do not."""

import random
import secrets

import pytest
import pytest_asyncio

from kit.ids import encode_global_id
from resolvers.context import Services
from tests.executor.compare import Answers, Oracle, Source
from tests.executor.corpus import CORPUS, SEED, placed
from tests.executor.laboratory import oracle_on
from tests.executor.operations import Case
from tests.executor.shrink import shrink
from tests.executor.watched import WatchedExecutor, failures
from tests.executor.writes import CHECK
from tests.executor.wrong import SPOILERS, WrongEngine

# graphql-core leaves what it has not begun when a sibling fails; these tests are about what it answers.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
OPERATIONS = 300
_UNTIL_CAUGHT = 400
_EXECUTED_SHARE = 0.75


@pytest_asyncio.fixture(loop_scope="session")
async def known(services: Services) -> Oracle:
    """The world that the corpus is about, and that the wrong executors are caught in."""
    return await oracle_on(services, SEED)


async def test_random_operations_are_answered_alike(services: Services) -> None:
    WatchedExecutor.counts.clear()
    seed = secrets.randbelow(10**9)
    oracle = await oracle_on(services, seed)
    source = Source(random.Random(seed), oracle)
    while oracle.counts["operations"] < OPERATIONS:
        for difference in await source.batch():
            pytest.fail(f"make fuzz-executor SEED={seed} repeats this\n{difference}")
    executed = 1 - oracle.counts["not executed"] / oracle.counts["operations"]
    assert executed > _EXECUTED_SHARE, f"seed {seed}: {oracle.counts}"
    assert not oracle.counts["crashed"] + oracle.counts["INTERNAL"], f"seed {seed}: {oracle.counts}"
    assert not failures(), f"seed {seed}: plans that failed, so that resolvers had to answer: {failures()}"


async def test_operations_that_once_differed(known: Oracle) -> None:
    for name, case in CORPUS.items():
        answers = await known.ask(placed(case, known.world))
        assert answers.is_equal, f"{name}\n{answers}"
    assert not known.counts["not executed"] + known.counts["crashed"] + known.counts["INTERNAL"], known.counts


@pytest.mark.parametrize("name", SPOILERS)
async def test_a_wrong_executor_is_caught(known: Oracle, name: str) -> None:
    known.found = WrongEngine(known.found, SPOILERS[name])
    source = Source(random.Random(SEED), known)
    while not await source.batch():
        assert known.counts["operations"] < _UNTIL_CAUGHT, f"nobody saw an executor that {name}"


async def test_a_copy_out_of_step_is_caught(known: Oracle) -> None:
    assert (await known.ask(Case(CHECK, {}, 0))).is_equal
    await known.services.database.execute("UPDATE bookmarks SET tag_list = '[]'")
    assert not (await known.ask(Case(CHECK, {}, 0))).is_equal


async def test_rows_of_others_are_caught(known: Oracle) -> None:
    bob = known.world.keys["Tag"][1][0]
    stranger = f'{{"data":{{"tag":{{"id":"{encode_global_id("Tag", bob)}"}}}}}}'.encode()
    assert known.owners.strangers(stranger, 0) == known.owners.strangers(stranger, 2) == [f"Tag:{bob}"]
    assert known.owners.strangers(stranger, 1) == []
    assert not Answers(Case(CHECK, {}, 0), stranger, stranger, (f"Tag:{bob}",)).is_equal


async def test_what_is_caught_is_made_small(known: Oracle) -> None:
    known.found = WrongEngine(known.found, SPOILERS["prints offsets"])
    query = """query($no: Boolean!, $size: Int) { tags(first: 2) { ...F totalCount }
        bookmarks(first: $size, filter: {isUnread: true})
            { nodes { id @skip(if: $no) addedAt } pageInfo { endCursor } } }
        fragment F on TagConnection { nodes { path } }"""

    async def differs(case: Case) -> bool:
        return not (await known.ask(case)).is_equal

    smallest = await shrink(Case(query, {"no": True, "size": 3}, 0), differs)
    assert " ".join(smallest.query.split()) == "query { bookmarks { nodes { addedAt } } }"
    assert smallest.variables == {}
