"""Files as the world has them: whatever comes, a coded refusal or a whole import, and nothing half done."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from db.imports import ImportRow, UploadRow
from db.unit import Database
from kit.errors import BadInput
from kit.ids import new_id
from kit.settings import Settings
from kit.uploads import UploadedFile
from services.imports import jobs
from services.imports.options import ImportOptions, OnDuplicate
from services.permissions import Viewer
from tasks.imports import HANDLERS
from tests.make import Maker
from tests.working import worker_on


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(make: Maker) -> Viewer:
    """Whose library it is."""
    return await make.viewer()


class Desk:
    """Imports files for one account."""

    def __init__(self, database: Database, settings: Settings, viewer: Viewer) -> None:
        self.database, self.settings, self.viewer = database, settings, viewer

    async def upload(self, data: bytes) -> UploadRow:
        """Take a file in."""
        path = self.settings.upload_dir / "incoming" / f"{new_id()}.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        file = UploadedFile(path, "bookmarks.html", len(data), hashlib.sha256(data).digest())
        return await jobs.upload(self.database, self.viewer, file, self.settings)

    async def start(self, data: bytes, options: ImportOptions | None = None) -> ImportRow:
        """Take a file in and start its import."""
        kept = await self.upload(data)
        async with self.database.unit() as unit:
            return await jobs.start(unit, self.viewer, kept.id, options or ImportOptions(), self.settings)

    async def run(self, data: bytes, options: ImportOptions | None = None) -> ImportRow:
        """Import a file to its end."""
        started = await self.start(data, options)
        async with worker_on(self.database, self.settings, HANDLERS) as worker:
            await worker.until_idle()
        row = (await jobs.get(self.database, self.viewer, started.id)).row
        assert row.total == row.created + row.merged + row.skipped + row.errors
        return row


@pytest_asyncio.fixture(loop_scope="session")
async def desk(database: Database, settings: Settings, viewer: Viewer) -> AsyncIterator[Desk]:
    """Where files are handed in."""
    yield Desk(database, settings, viewer)


def links(count: int, start: int = 0) -> str:
    return "".join(f'<DT><A HREF="https://example.org/{n}">Page {n}</A>\n' for n in range(start, start + count))


def page(body: str) -> bytes:
    return f"<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><p>{body}</DL><p>".encode()


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"%PDF-1.7", b"PK\x03\x04", b"<html><p>Hello</p></html>"])
async def test_what_is_no_bookmark_file_leaves_nothing(desk: Desk, data: bytes) -> None:
    with pytest.raises(BadInput):
        await desk.upload(data)
    assert await desk.database.fetchval("SELECT count(*) FROM uploads") == 0
    assert [path for path in desk.settings.upload_dir.iterdir() if path.is_file()] == []


async def test_links_that_cannot_be_opened_have_their_reasons(desk: Desk) -> None:
    urls = [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "place:sort=8",
        "about:blank",
        "",
        "http://",
    ]
    row = await desk.run(page("".join(f'<DT><A HREF="{url}">T</A>' for url in urls)))
    assert (row.created, row.skipped, row.errors) == (0, 5, 2)
    reasons = await desk.database.fetch("SELECT reason FROM import_rows ORDER BY row")
    assert [one["reason"] for one in reasons] == ["UNSUPPORTED_SCHEME"] * 5 + ["EMPTY", "INVALID_URL"]


async def test_a_hundred_thousand_nested_lists(desk: Desk) -> None:
    row = await desk.run(page("<DT><H3>F</H3><DL><p>" * 100_000 + links(1) + "</DL><p>" * 100_000))
    assert (row.status, row.created) == ("COMPLETED", 1)
    assert await desk.database.fetchval("SELECT count(*) FROM collections") <= 32


async def test_a_million_tags_on_one_row(desk: Desk) -> None:
    tags = ",".join(f"tag{number}" for number in range(1_000_000))
    row = await desk.run(page(f'<DT><A HREF="https://example.org/" TAGS="{tags}">T</A>'))
    assert (row.status, row.created) == ("COMPLETED", 1)
    assert await desk.database.fetchval("SELECT count(*) FROM bookmark_tags") <= 100


async def test_long_deep_and_odd_tags_never_fail_their_row(desk: Desk) -> None:
    tags = ",".join(["x" * 10_000, "/".join("abcdefghijklmnop"), " / ", "\ufdfa" * 90, "dev/Python", "DEV/python"])
    row = await desk.run(page(f'<DT><A HREF="https://example.org/" TAGS="{tags}">T</A>'))
    assert (row.status, row.created) == ("COMPLETED", 1)
    paths = await desk.database.fetch("SELECT path_key FROM tags WHERE path_key LIKE 'dev/%'")
    assert [one["path_key"] for one in paths] == ["dev/python"]


@pytest.mark.parametrize(
    "data",
    [
        page(links(2)).replace(b"Page 0", b"Page \xff\xfe\x80"),
        b"\xff\xfe" + page(links(2)).decode().encode("utf-16-le"),
        page(links(2).replace("Page 0", "Page \x00 zero")),
        page(links(2).replace("Page 0", "Page &#xD800;")),
        page(links(2) + '<DT><A HREF="https://example.org/long">' + "x" * 10_000_000 + "</A>").replace(
            b"</DL><p>", b""
        ),
        page(
            '<DT><A HREF="https://example.org/1" ADD_DATE="0">a</A>'
            '<DT><A HREF="https://example.org/2" ADD_DATE="253402300799">b</A>'
        ),
    ],
    ids=["bytes", "utf-16", "nul", "surrogate", "one-line", "dates"],
)
async def test_broken_text_is_mended(desk: Desk, data: bytes) -> None:
    row = await desk.run(data)
    assert (row.status, row.errors) == ("COMPLETED", 0)
    assert row.created >= 2


async def test_a_full_account_gets_nothing(desk: Desk) -> None:
    desk.settings = replace(desk.settings, max_bookmarks_per_user=10)
    assert (await desk.run(page(links(8)))).created == 8
    row = await desk.run(page(links(8, start=5)))
    assert (row.status, row.processed) == ("FAILED", 0)
    assert row.error == (
        "An account has at most 10 bookmarks, the trash included. There are 8, and this file has 5 new ones; "
        "nothing was imported."
    )
    assert (await desk.run(page(links(8, start=2)))).created == 2


async def test_two_imports_of_the_same_addresses_in_opposite_order(desk: Desk) -> None:
    desk.settings = replace(desk.settings, import_chunk_rows=20)
    forwards, backwards = links(200), "\n".join(reversed(links(200).strip().split("\n")))
    first, second = await desk.start(page(forwards)), await desk.start(page(backwards))
    async with (
        worker_on(desk.database, desk.settings, HANDLERS) as one,
        worker_on(desk.database, desk.settings, HANDLERS) as two,
    ):
        await one.until_idle()
        await two.until_idle()
    rows = [(await jobs.get(desk.database, desk.viewer, started.id)).row for started in (first, second)]
    assert {row.status for row in rows} == {"COMPLETED"}
    assert sum(row.created for row in rows) == await desk.database.fetchval("SELECT count(*) FROM bookmarks") == 200


async def test_what_lies_in_the_trash_stays_there_unless_asked(desk: Desk) -> None:
    await desk.run(page(links(1)))
    await desk.database.execute("UPDATE bookmarks SET deleted_at = now()")
    assert (await desk.run(page(links(1)))).skipped == 1
    assert await desk.database.fetchval("SELECT deleted_at IS NOT NULL FROM bookmarks")
    assert (await desk.run(page(links(1)), ImportOptions(restore_trashed=True))).merged == 1
    assert await desk.database.fetchval("SELECT deleted_at IS NULL FROM bookmarks")


@pytest.mark.parametrize(
    ("policy", "title", "outcome"),
    [
        (OnDuplicate.SKIP, "Mine", "skipped"),
        (OnDuplicate.MERGE, "Mine", "merged"),
        (OnDuplicate.UPDATE, "Page 0", "merged"),
    ],
)
async def test_policies(desk: Desk, policy: OnDuplicate, title: str, outcome: str) -> None:
    await desk.run(page(links(1)))
    await desk.database.execute("UPDATE bookmarks SET title = 'Mine', description = NULL")
    row = await desk.run(page(links(1) + "<DD>Told by the file"), ImportOptions(on_duplicate=policy))
    assert getattr(row, outcome) == 1
    found = await desk.database.fetchrow("SELECT title, description FROM bookmarks")
    assert found is not None
    assert found["title"] == title
    assert found["description"] == (None if policy is OnDuplicate.SKIP else "Told by the file")


async def test_same_named_siblings_stay_apart_and_are_found_again(desk: Desk) -> None:
    body = "".join(f"<DT><H3>News</H3><DL><p>{links(1, start=n)}</DL><p>" for n in range(3))
    for _ in range(2):
        await desk.run(page(body + "<DT><H3></H3><DL><p>" + links(1, start=9) + "</DL><p>"))
    found = await desk.database.fetch(
        """
        SELECT c.name, b.url FROM collections c JOIN bookmark_collections l ON l.collection_id = c.id
        JOIN bookmarks b ON b.id = l.bookmark_id ORDER BY c.position
        """
    )
    assert [(row["name"], row["url"][-1]) for row in found] == [
        ("News", "0"),
        ("News", "1"),
        ("News", "2"),
        ("Untitled", "9"),
    ]
    assert await desk.database.fetchval("SELECT count(*) FROM collections") == 4


async def test_a_file_that_is_gone_ends_the_import(desk: Desk) -> None:
    started = await desk.start(page(links(1)))
    jobs.path_of(desk.settings, started.upload_id).unlink()
    async with worker_on(desk.database, desk.settings, HANDLERS) as worker:
        await worker.until_idle()
    row = (await jobs.get(desk.database, desk.viewer, started.id)).row
    assert (row.status, row.error) == ("FAILED", "The uploaded file is no longer there; upload it again.")


async def test_a_reader_that_dies_is_tried_again_and_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.imports.reading.MEMORY_MEGABYTES", 1)
    desk.settings = replace(desk.settings, task_max_attempts=2, task_retry_seconds=0.01)
    row = await desk.run(page(links(1)))
    assert row.status == "FAILED"
    assert row.error == ("Given up after 2 attempts: The file could not be read: its reader ended or took too long.")


async def test_imports_that_run_together_share_the_room(desk: Desk) -> None:
    desk.settings = replace(desk.settings, max_bookmarks_per_user=10, import_chunk_rows=2)
    one, two = await desk.start(page(links(8))), await desk.start(page(links(8, start=100)))
    async with worker_on(desk.database, desk.settings, HANDLERS) as worker:
        await worker.until_idle()
    rows = [(await jobs.get(desk.database, desk.viewer, key)).row for key in (one.id, two.id)]
    assert "FAILED" in {row.status for row in rows}
    assert sum(row.created for row in rows) == await desk.database.fetchval("SELECT count(*) FROM bookmarks") <= 10
    assert all(row.total == row.processed for row in rows)


async def test_an_import_that_goes_on_finds_the_room_taken(desk: Desk) -> None:
    desk.settings = replace(desk.settings, max_bookmarks_per_user=10, import_chunk_rows=2)
    first = await desk.start(page(links(8)))
    async with desk.database.unit() as unit:
        await jobs.pause(unit, desk.viewer, first.id)
        await unit.execute("UPDATE imports SET next_row = 3")  # as if it had written a chunk before
    assert (await desk.run(page(links(8, start=100)))).created == 8
    async with desk.database.unit() as unit:
        await jobs.resume(unit, desk.viewer, first.id)
    async with worker_on(desk.database, desk.settings, HANDLERS) as worker:
        await worker.until_idle()
    row = (await jobs.get(desk.database, desk.viewer, first.id)).row
    assert (row.status, row.created) == ("FAILED", 2)
    assert await desk.database.fetchval("SELECT count(*) FROM bookmarks") == 10
