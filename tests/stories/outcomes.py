"""What must be true of a library once agents have worked on it, whatever happened to them on the way."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from db.unit import Database
from services.events import Topic
from tests.fakes.openai import Call, Fault
from tests.fakes.web.addresses import Addresses
from tests.fakes.web.library import Entry, Library
from tests.fakes.web.reading import expected

Found = dict[str, dict[str, Any]]
"""Rows by the address of their bookmark."""


async def check_bookmarks(database: Database, library: Library, web: Addresses) -> None:
    """Assert that the library's bookmarks are there, each once, in their folders and with their owner's tags."""
    found = await database.fetch(
        """
        SELECT b.url, count(*) OVER (PARTITION BY b.owner_id, b.url_key) AS same,
            ARRAY(SELECT c.name FROM bookmark_collections l JOIN collections c ON c.id = l.collection_id
                WHERE l.bookmark_id = b.id) AS homes,
            ARRAY(SELECT t.path FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id
                WHERE l.bookmark_id = b.id) AS tags
        FROM bookmarks b
        """
    )
    there = {row["url"]: row for row in found}
    wanted = {entry.url(web): entry for entry in library.entries}
    assert there.keys() == wanted.keys()
    assert len(found) == len(there)
    assert {row["same"] for row in found} == {1}
    assert not [url for url, entry in wanted.items() if there[url]["homes"] != [entry.folder]]
    assert not [url for url, entry in wanted.items() if not set(entry.tags) <= set(there[url]["tags"])]


async def check_links(database: Database, library: Library, web: Addresses) -> None:
    """Assert that every link was checked once, and that each has the status and the verdict of its page."""
    health = await by_url(database, "SELECT b.url, h.* FROM link_health h JOIN bookmarks b ON b.id = h.bookmark_id")
    wrong: list[tuple[object, ...]] = []
    for entry in library.entries:
        check, row = entry.site.check, health.get(entry.url(web))
        if row is None or (row["status"], row["verdict"]) != (check.status, check.verdict):
            seen = None if row is None else (row["status"], row["verdict"], row["detail"], row["http_status"])
            wrong.append((entry.site.name, entry.number, seen, (check.status, check.verdict)))
        elif check.http_status is not None and row["http_status"] != check.http_status:
            wrong.append((entry.site.name, entry.number, row["http_status"], check.http_status))
        elif check.final is not None and urlsplit(row["final_url"]).path != check.final:
            wrong.append((entry.site.name, entry.number, row["final_url"], check.final))
    assert wrong == [], wrong
    assert len(health) == len(library)
    checks = await database.fetch("SELECT count(*) AS checks FROM link_checks GROUP BY bookmark_id")
    assert Counter(row["checks"] for row in checks) == {1: len(library)}


async def check_enrichment(database: Database, library: Library, web: Addresses) -> None:
    """Assert that bookmarks say what their pages say, and that a title that came with the file stayed."""
    found = await by_url(database, "SELECT * FROM bookmarks")
    wrong = []
    for entry in library.entries:
        row = found[entry.url(web)]
        choices = [_differences(row, entry, web, is_shown=True)]
        if entry.site.reading is not None and entry.site.reading.is_script_only:
            choices.append(_differences(row, entry, web, is_shown=False))  # where there is no browser
        if entry.site.check.verdict == "ALIVE" and all(choices):
            wrong.append((entry.site.name, entry.number, choices))
    assert wrong == [], wrong
    kept = [entry for entry in library.entries if entry.title and found[entry.url(web)]["title"] != entry.title]
    assert kept == [], kept


def _differences(row: dict[str, Any], entry: Entry, web: Addresses, *, is_shown: bool) -> dict[str, Any]:
    """Return what a bookmark has and what it should have, by the names of the columns that differ."""
    wanted = expected(entry.site, web, entry.number, entry.copy, is_shown=is_shown)
    wanted |= {"title": entry.title} if entry.title else {}
    wanted.pop("canonical_url", None)
    lists = {name: list(value) for name, value in wanted.items() if isinstance(value, tuple)}
    return {name: (row[name], value) for name, value in (wanted | lists).items() if row[name] != value}


async def check_work(database: Database, task_id: object, items: int) -> None:
    """Assert that every item of every step of a workflow has one fate, and that all counts are of these fates."""
    task = await database.fetchrow("SELECT * FROM a2a_tasks WHERE id = $1", task_id)
    assert task is not None
    assert (task["status"], task["progress"], task["lease_owner"]) == ("COMPLETED", 1.0, None), task["error"]
    steps = await database.fetch("SELECT * FROM a2a_task_steps WHERE task_id = $1 ORDER BY position", task_id)
    for step in steps:
        place = (task_id, step["position"])
        fates = await database.fetch(
            "SELECT position, bookmark_id, status, reason FROM a2a_task_items"
            " WHERE task_id = $1 AND step = $2 ORDER BY position",
            *place,
        )
        assert step["status"] == "COMPLETED"
        assert [row["position"] for row in fates] == list(range(1, items + 1))
        assert len({row["bookmark_id"] for row in fates}) == items
        counted = Counter(row["status"] for row in fates)
        assert counted == +Counter(DONE=step["done"], FAILED=step["failed"], SKIPPED=step["skipped"])
        assert step["total"] == items
        assert not [row for row in fates if row["status"] in {"FAILED", "SKIPPED"} and not row["reason"]]
        await _check_artifacts(database, place)
    units = await database.fetch("SELECT status, lease_owner FROM a2a_tasks WHERE parent_id = $1", task_id)
    assert {(row["status"], row["lease_owner"]) for row in units} <= {("COMPLETED", None)}


async def _check_artifacts(database: Database, place: tuple[object, int]) -> None:
    """Assert that each item of a step is in one artifact, and that artifacts are whole and count what they hold."""
    made = await database.fetch(
        """
        SELECT r.done, r.failed, r.skipped, r.size_bytes = octet_length(r.content::text)
            AND r.sha256 = sha256(convert_to(r.content::text, 'UTF8')) AS is_whole,
            (SELECT array_agg(i.status) FROM a2a_task_items i WHERE i.result_id = r.id) AS fates
        FROM a2a_task_results r WHERE r.task_id = $1 AND r.step = $2
        """,
        *place,
    )
    for row in made:
        assert row["is_whole"]
        counts = Counter(DONE=row["done"], FAILED=row["failed"], SKIPPED=row["skipped"])
        assert Counter(row["fates"]) == +counts
    loose = "SELECT count(*) FROM a2a_task_items WHERE task_id = $1 AND step = $2 AND result_id IS NULL"
    assert await database.fetchval(loose, *place) == 0


async def check_vectors(database: Database, items: int) -> None:
    """Assert that every bookmark has one vector, in one space."""
    assert await database.fetchval("SELECT count(*) FROM embeddings") == items
    assert await database.fetchval("SELECT count(DISTINCT bookmark_id) FROM embeddings") == items
    assert await database.fetchval("SELECT count(DISTINCT space_id) FROM embeddings") == 1


async def check_ledger(database: Database, calls: list[Call], *, were_killed: bool = False) -> None:
    """Assert that every question is in the ledger once, with the tokens that the server billed for all its calls.

    Of a call whose answer was lost on the way nobody can know what it cost: such a question counts at least that. What
    a killed worker had asked stays reserved (`were_killed`), or was already settled.
    """
    billed: Counter[str | None] = Counter()
    for call in calls:
        billed[call.call_id] += call.prompt_tokens + call.completion_tokens
    lost = {call.call_id for call in calls if call.fault in {Fault.DROPS, Fault.NOT_JSON}}
    rows = await database.fetch(
        "SELECT id, state, CASE state WHEN 'RESERVED' THEN reserved_tokens"
        " ELSE input_tokens + output_tokens END AS tokens FROM ai_calls"
    )
    kept = {str(row["id"]): row for row in rows}
    assert {row["state"] for row in rows} <= {"SETTLED", "LOST", *(["RESERVED"] if were_killed else [])}
    assert billed.keys() <= kept.keys() if were_killed else billed.keys() == kept.keys()
    settled = {key: row["tokens"] for key, row in kept.items() if row["state"] == "SETTLED"}
    sure = {key: tokens for key, tokens in settled.items() if key not in lost}
    differing = {key: (tokens, billed[key]) for key, tokens in sure.items() if tokens != billed[key]}
    assert differing == {}, (differing, [call for call in calls if call.call_id in differing])
    assert all(row["tokens"] >= billed[key] for key, row in kept.items() if key not in sure)
    for agents in ("agent = ''", "agent <> ''"):
        sums = await database.fetchval(f"SELECT sum(tokens) FROM ai_months WHERE {agents}")
        assert sums == sum(row["tokens"] for row in rows)


async def check_events(database: Database) -> None:
    """Assert that the events of each owner are numbered without a gap, and that nothing is left to do."""
    for row in await database.fetch(
        "SELECT owner_id, array_agg(seq ORDER BY seq) AS seqs FROM events GROUP BY owner_id"
    ):
        assert all(second == first + 1 for first, second in pairwise(row["seqs"]))
    open_ = "SELECT count(*) FROM a2a_tasks WHERE status IN ('PENDING', 'RUNNING', 'PAUSED')"
    assert await database.fetchval(open_) == 0


def check_progress(states: list[dict[str, Any]]) -> None:
    """Assert that `importProgress` lost nothing, repeated nothing, and took nothing back."""
    assert not [state for state in states if state["resync"]]
    assert len({state["cursor"] for state in states}) == len(states)
    for count in ("progress", "processed"):
        told = [state["import"][count] for state in states]
        assert told == sorted(told)
    assert states[-1]["import"]["status"] == "COMPLETED"


async def check_task_log(database: Database, states: list[dict[str, Any]]) -> None:
    """Assert that `taskUpdated` told every event behind its first once and in order, and that nothing went back."""
    assert not [state for state in states if state["resync"]]
    logged = await database.fetch("SELECT payload FROM events WHERE topic = $1 ORDER BY seq", Topic.TASK.value)
    happened = [(row["payload"]["status"], row["payload"]["progress"]) for row in logged]
    seen = [(state["status"], state["progress"]) for state in states]
    assert seen == happened[len(happened) - len(seen) :]
    for key in {state["task"]["id"] for state in states}:
        mine = [state for state in states if state["task"]["id"] == key]
        shares = [state["progress"] for state in mine]
        assert shares == sorted(shares)
        assert (mine[-1]["status"], mine[-1]["progress"]) == ("COMPLETED", 1.0)
        for first, second in pairwise(state["task"]["steps"] for state in mine):
            for before, after in zip(first, second, strict=True):
                assert all(after[count] >= before[count] for count in ("done", "failed", "skipped")), (before, after)


async def normalised(database: Database) -> Found:
    """Return what is known of each bookmark without ids and times: two runs over the same web must give the same."""
    return await by_url(
        database,
        """
        SELECT b.url, b.title, b.description, b.language, b.author, b.site_name, b.summary, b.keywords, b.word_count,
            b.image_url, h.status, h.verdict, h.http_status, h.final_url, h.detail, encode(p.digest, 'hex') AS digest,
            e.vector::text AS vector,
            ARRAY(SELECT t.path FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id
                WHERE l.bookmark_id = b.id ORDER BY t.path) AS tags,
            ARRAY(SELECT concat_ws('/', s.kind, s.name, s.source, round(s.confidence::numeric, 6), s.reason)
                FROM suggestions s WHERE s.bookmark_id = b.id ORDER BY 1) AS suggestions,
            ARRAY(SELECT concat_ws('/', i.step, i.status, i.reason)
                FROM a2a_task_items i WHERE i.bookmark_id = b.id ORDER BY i.step) AS fates
        FROM bookmarks b
            LEFT JOIN link_health h ON h.bookmark_id = b.id
            LEFT JOIN pages p ON p.bookmark_id = b.id
            LEFT JOIN embeddings e ON e.bookmark_id = b.id
        """,
    )


async def by_url(database: Database, query: str) -> Found:
    """Return the rows of a query by their address."""
    return {row["url"]: dict(row) for row in await database.fetch(query)}


def entry_at(library: Library, web: Addresses) -> Mapping[str, Entry]:
    """Return the library's entries by their address."""
    return {entry.url(web): entry for entry in library.entries}
