"""What agents leave behind is listed along indexes: proposals, checks of links, tasks, and the bookmarks of a task.

Two accounts of very different size share the tables, and plans are custom and generic, as in test_plans.py.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from db import agents as tasks
from db.agents import TaskFilter, TaskSort
from db.categorization import suggestions
from db.categorization.suggestions import ProposalKind, ProposalSource, ProposalStatus, SuggestionFilter
from db.validation import due, health
from db.validation.health import CheckCut
from tests.accounts import LARGE, SMALL, Account, large_and_small
from tests.explained import Explained, Plan

LIMIT = 51
BIG = {
    "bookmarks",
    "bookmark_tags",
    "suggestions",
    "link_checks",
    "link_health",
    "a2a_tasks",
    "a2a_task_items",
    "a2a_task_messages",
}
UNITS, MESSAGES, CHECKS = 1_000, 5_000, 100
_WORKFLOW = "md5(b.owner_id || 'workflow')::uuid"
_FILL = f"""
INSERT INTO suggestions (id, owner_id, bookmark_id, kind, key, name, tag_id, confidence, reason, source, status)
SELECT md5(b.id || 'suggestion')::uuid, b.owner_id, b.id, 'TAG', 'beef', 'beef', NULL, n % 1000 / 1000.0, 'So.',
    (ARRAY['RULE', 'NEIGHBOURS', 'PROVIDER', 'TAXONOMY'])[1 + n % 4],
    (ARRAY['PENDING', 'PENDING', 'ACCEPTED', 'REJECTED', 'SUPERSEDED'])[1 + n % 5]
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM bookmarks) AS b;
INSERT INTO link_checks (id, bookmark_id, owner_id, checked_at, status, verdict, content_state, duration_ms)
SELECT gen_random_uuid(), b.id, b.owner_id, now() - n * interval '1 hour', 'OK', 'ALIVE', 'SAME', 1
FROM bookmarks b CROSS JOIN LATERAL generate_series(1, CASE WHEN b.url LIKE '%00' THEN {CHECKS} ELSE 1 END) AS n;
INSERT INTO link_health (bookmark_id, owner_id, url_digest, status, verdict, checked_at, next_check_at, content_state)
SELECT b.id, b.owner_id, sha256(b.url::bytea), 'OK', 'ALIVE', now(), now() + (n % 720 - 7) * interval '1 hour', ''
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM bookmarks) AS b WHERE n % 10 <> 0;
INSERT INTO a2a_tasks (id, owner_id, workflow, kind, max_attempts)
SELECT {_WORKFLOW}, b.owner_id, 'FULL', 'WORKFLOW', 3 FROM bookmarks b GROUP BY b.owner_id;
INSERT INTO a2a_tasks (id, owner_id, workflow, kind, max_attempts, status, created_at, updated_at)
SELECT gen_random_uuid(), b.owner_id, 'REPROCESS', 'WORKFLOW', 3, 'COMPLETED', b.created_at, b.created_at
FROM bookmarks b WHERE b.url LIKE '%7';
INSERT INTO a2a_tasks (id, owner_id, parent_id, workflow, kind, max_attempts, step)
SELECT gen_random_uuid(), t.owner_id, t.id, 'FULL', 'VALIDATION', 3, 0
FROM a2a_tasks t CROSS JOIN generate_series(1, {UNITS}) WHERE t.workflow = 'FULL';
INSERT INTO a2a_task_steps (task_id, position, agent) SELECT t.id, number - 1, agent
FROM a2a_tasks t CROSS JOIN unnest(ARRAY['VALIDATION', 'ENRICHMENT']) WITH ORDINALITY AS step (agent, number)
WHERE t.workflow = 'FULL' AND t.parent_id IS NULL;
INSERT INTO a2a_task_items (task_id, step, position, bookmark_id, status)
SELECT {_WORKFLOW}, step, row_number() OVER (PARTITION BY b.owner_id, step ORDER BY b.id), b.id,
    CASE WHEN b.url LIKE '%00' THEN 'FAILED' ELSE 'DONE' END
FROM bookmarks b CROSS JOIN generate_series(0, 1) AS step;
INSERT INTO a2a_task_messages (task_id, kind, message)
SELECT t.id, 'INFO', 'So.' FROM a2a_tasks t
CROSS JOIN LATERAL generate_series(1, CASE WHEN t.workflow = 'FULL' THEN {MESSAGES} ELSE 5 END)
WHERE t.parent_id IS NULL;
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def accounts(server_dsn: str, worker_id: str) -> AsyncIterator[list[Account]]:
    """The two accounts with a proposal and a check for each bookmark, and a workflow that went through all of them."""
    async with large_and_small(server_dsn, f"graphmark_agents_{worker_id}_{os.getpid()}", _FILL) as made:
        yield made


def assert_bounded(plans: list[Plan], table: str, most: int) -> None:
    """Assert that no large table was read as a whole, and of `table` at most so many rows."""
    assert plans
    for plan in plans:
        assert not plan.scanned() & BIG, str(plan)
        assert plan.read(table) <= most, (plan.read(table), str(plan))


async def test_the_rows_are_there_and_a_scan_would_be_seen(accounts: list[Account]) -> None:
    explained = Explained(accounts[0].connection, is_answering=True)
    assert await explained.fetchval("SELECT count(reason) FROM suggestions WHERE name <> $1", "none") == LARGE
    assert await explained.fetchval("SELECT count(reason) FROM a2a_task_items WHERE attempt > $1", 7) == 0
    assert [plan.scanned() for plan in explained.plans] == [*[{"suggestions"}] * 2, *[{"a2a_task_items"}] * 2]
    with pytest.raises(AssertionError):
        assert_bounded(explained.plans, "suggestions", LIMIT)


@pytest.mark.parametrize(
    ("wanted", "most"),
    [
        (SuggestionFilter(), 2 * LIMIT),
        (SuggestionFilter(status=ProposalStatus.PENDING), 2 * LIMIT),
        (SuggestionFilter(status=ProposalStatus.PENDING, kind=ProposalKind.TAG, min_confidence=0.5), 2 * LIMIT),
        (SuggestionFilter(source=ProposalSource.RULE), 20 * LIMIT),
        (SuggestionFilter(status=ProposalStatus.REJECTED), 20 * LIMIT),
    ],
    ids=["all", "pending", "sure", "by rules", "rejected"],
)
async def test_proposals(accounts: list[Account], wanted: SuggestionFilter, most: int) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        for position in (None, (0.7, UUID(int=5))):
            for descending in (True, False):
                await suggestions.page(
                    explained, account.id, wanted, descending=descending, position=position, limit=LIMIT
                )
        assert_bounded(explained.plans, "suggestions", most)


async def test_what_is_accepted_at_once_and_what_is_proposed_for_one(accounts: list[Account]) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        pending = SuggestionFilter(status=ProposalStatus.PENDING, min_confidence=0.5)
        await suggestions.to_accept(explained, account.id, pending, limit=LIMIT)
        assert_bounded(explained.plans, "suggestions", 20 * LIMIT)
        keys = [await account.key("bookmark", number) for number in range(1, 101)]
        explained = Explained(account.connection)
        one = SuggestionFilter(bookmark_id=keys[0])
        await suggestions.page(explained, account.id, one, descending=True, position=None, limit=LIMIT)
        await suggestions.rejected(explained, account.id, keys)
        assert_bounded(explained.plans, "suggestions", SMALL)


async def test_checks_of_links(accounts: list[Account]) -> None:
    for account in accounts:
        keys = [await account.key("bookmark", number) for number in range(1, 101)]
        for chosen in (keys[-1:], keys):
            for position in (None, (datetime.now(UTC), UUID(int=5))):
                for backward in (False, True):
                    explained = Explained(account.connection)
                    await health.checks_of(explained, account.id, chosen, CheckCut(position, backward, LIMIT))
                    assert_bounded(explained.plans, "link_checks", LIMIT + len(keys) + CHECKS)
            explained = Explained(account.connection)
            await health.by_bookmarks(explained, account.id, chosen)
            assert_bounded(explained.plans, "link_health", SMALL)  # so many that a small account is read as a whole


async def test_links_that_are_due(accounts: list[Account]) -> None:
    for account in accounts:
        explained = Explained(account.connection)
        await due.due(explained, account.id, limit=LIMIT)
        assert_bounded(explained.plans, "link_health", 2 * LIMIT)


async def test_tasks(accounts: list[Account]) -> None:
    for account in accounts:
        key = await account.key("bookmark", 7)
        for wanted, most in (
            (TaskFilter(), LIMIT),
            (TaskFilter(workflows=["REPROCESS"]), 5 * LIMIT),
            (TaskFilter(bookmark_id=key), LARGE // 10),
        ):
            explained = Explained(account.connection)
            for position in (None, (datetime(2024, 1, 1, tzinfo=UTC), UUID(int=5))):
                for descending in (True, False):
                    await tasks.page(
                        *(explained, account.id, wanted),
                        sort=TaskSort.CREATED_AT,
                        descending=descending,
                        position=position,
                        limit=LIMIT,
                    )
            assert_bounded(explained.plans, "a2a_tasks", most)


@pytest.mark.parametrize("backward", [False, True])
async def test_the_bookmarks_and_messages_of_a_task(accounts: list[Account], *, backward: bool) -> None:
    for account in accounts:
        task = UUID(bytes=await account.connection.fetchval("SELECT decode(md5($1), 'hex')", f"{account.id}workflow"))
        for statuses, agents, most in (
            (None, None, 2 * LIMIT),
            (["DONE"], None, 2 * LIMIT),
            (["FAILED"], None, 200 * LIMIT),
            (None, ["ENRICHMENT"], 2 * LARGE),
        ):
            for position in (None, (1, 40)):
                explained = Explained(account.connection)
                await tasks.fates_page(
                    explained,
                    task,
                    statuses=statuses,
                    agents=agents,
                    position=position,
                    backward=backward,
                    limit=LIMIT,
                )
                assert_bounded(explained.plans, "a2a_task_items", most)
        explained = Explained(account.connection)
        of_task = "SELECT min(id) + $2 FROM a2a_task_messages WHERE task_id = $1"
        for place in (None, await account.connection.fetchval(of_task, task, MESSAGES // 2)):
            await tasks.messages_page(explained, task, kinds=None, position=place, backward=backward, limit=LIMIT)
        assert_bounded(explained.plans, "a2a_task_messages", LIMIT)
