"""Work that touches the same rows in opposite orders at the same time."""

import random

import pytest

from db.unit import Database
from kit.settings import Settings
from tests.conftest import empty
from tests.faults.conftest import start_import
from tests.faults.processes import RUNS, Processes, chance_of, until
from tests.instep import assert_in_step
from tests.make import Maker

ROWS = 1_000
FILES = 4
TAGS = 40

pytestmark = pytest.mark.fault


def bookmark_file(chance: random.Random, name: str, number: int) -> str:
    """Return a file of the same links, in one order or the other, with tags that many of them share."""
    lines = []
    for n in range(ROWS) if number % 2 else reversed(range(ROWS)):
        tags = ",".join([f"file{number}", *(f"tag{chance.randrange(TAGS)}" for _ in range(3))])
        lines.append(f'<DT><A HREF="https://example.org/{name}/{n}" TAGS="{tags}">Title {n}</A>')
    return "\n".join(["<!DOCTYPE NETSCAPE-Bookmark-file-1>", "<DL><p>", *lines, "</DL><p>", ""])


@pytest.mark.parametrize("run", range(RUNS))
async def test_files_with_the_same_links_in_opposite_order_both_arrive(
    database: Database, settings: Settings, processes: Processes, run: int
) -> None:
    """F18: four imports of one owner at once in two processes, two forwards and two backwards; nobody fails."""
    seed, chance = chance_of(run)
    await empty(database)
    viewer = await Maker(database).viewer()
    for number in range(FILES):
        await start_import(database, settings, viewer, bookmark_file(chance, f"{seed}", number))
    for _ in range(2):
        processes.start("worker")

    async def all_done() -> bool:
        states = await database.fetch("SELECT status, error FROM a2a_tasks")
        assert not {row["status"] for row in states} & {"FAILED", "CANCELLED"}, states
        return all(row["status"] == "COMPLETED" for row in states)

    await until(all_done, "all four imported")
    counts = await database.fetchrow(
        "SELECT sum(created) AS c, sum(merged) AS m, sum(errors + skipped) AS e FROM imports"
    )
    assert counts is not None
    assert dict(counts) == {"c": ROWS, "m": (FILES - 1) * ROWS, "e": 0}
    assert await database.fetchval("SELECT count(*) FROM bookmarks") == ROWS
    assert await database.fetchval("SELECT count(*) FROM import_rows") == FILES * ROWS
    assert await database.fetchval("SELECT count(*) FROM a2a_tasks WHERE attempt > 1") == 0
    await assert_in_step(database)
    log = processes.log.read_text()
    assert "deadlock" not in log
    assert '"level": "error"' not in log
