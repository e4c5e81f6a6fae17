"""A newcomer's first session in the bundled GraphiQL, as the README tells it."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.e2e.browser import Page
from tests.fakes.web import SITES
from tests.fakes.web.library import Library
from tests.fakes.web.process import web_process

pytestmark = pytest.mark.browser

RESPONSE = ".graphiql-response"
VARIABLES = ".graphiql-editor-tool"
VARIABLES_INPUT = f"{VARIABLES} textarea, {VARIABLES} .native-edit-context"
NAMES = frozenset(site.name for site in SITES if site.share == 10)
BOOKMARKS = 240
WORK_SECONDS = 150.0
FILE = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks</H1>
<DL><p>
    <DT><H3>Reading</H3>
    <DL><p>
        <DT><A HREF="https://graphql.example/learn" ADD_DATE="1700000000">Learn the graph</A>
        <DT><A HREF="https://postgres.example/docs" ADD_DATE="1700000001">An elephant's memory</A>
    </DL><p>
    <DT><A HREF="javascript:alert(1)">A bookmarklet</A>
</DL><p>
"""


async def run(page: Page, tab: str, shown: str, *, variables: dict[str, object] | None = None) -> str:
    """Run one tab of the first session, once it is there, and wait for `shown` in the answer."""
    await page.click(".graphiql-tab-button", tab)
    await page.shows(".graphiql-query-editor", tab)
    if variables is not None:
        text = json.dumps(variables)
        await page.replace_text(VARIABLES_INPUT, text)
        await page.shows(VARIABLES, text)
    await page.click("button.graphiql-execute-button")
    return await page.shows(RESPONSE, shown)


def the_id(answer: str) -> str:
    """Return the first global id in an answer, which the editor may have broken into two lines."""
    found = re.search(r'"id": "([^"]+)"', answer)
    assert found is not None, answer
    return found[1].replace(" ", "")


async def keep_picture(page: Page, name: str) -> None:
    """Keep a picture of the page in the folder that `GRAPHMARK_SCREENSHOTS` names, if it names one."""
    if folder := os.environ.get("GRAPHMARK_SCREENSHOTS"):
        (Path(folder) / f"{name}.png").write_bytes(await page.picture())


async def test_a_first_session(origin: str, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "bookmarks.html"
    file.write_text(FILE)
    await page.open(f"{origin}/graphql")
    await page.shows(RESPONSE, "You are not signed in")

    await run(page, "Register", '"token": "gms_')
    await page.shows(".bar", "Signed in")
    await keep_picture(page, "register")
    await run(page, "Viewer", '"email": "you@example.com"')
    await run(page, "CreateBookmark", '"created": true')

    await page.choose_file(".bar input[type=file]", file)
    await page.shows(".bar", "bookmarks.html")
    upload = await run(page, "UploadImport", '"detectedFormat": "NETSCAPE_HTML"')
    started = await run(page, "StartImport", '"status": ', variables={"input": {"uploadId": the_id(upload)}})
    ended = await run(page, "ImportProgress", '"COMPLETED"', variables={"importId": the_id(started)})
    assert '"total": 3' in ended
    assert '"created": 2' in ended
    assert '"skipped": 1' in ended
    await keep_picture(page, "import")

    found = await run(page, "Search", '"score"', variables={"query": "elephant"})
    assert "https://postgres.example/docs" in found
    await keep_picture(page, "search")
    assert '"name": "Reading"' in await run(page, "Collections", '"bookmarkCount": 2')
    await keep_picture(page, "collections")

    await page.click(".bar button", "Sign out")
    await page.shows(".bar", "Not signed in")
    await run(page, "Viewer", '"viewer": null')  # the tab still shows the answer of before until this one comes

    own = (origin, origin.replace("http:", "ws:"), "blob:", "data:")
    assert not [url for url in page.requested if not url.startswith(own)]
    assert not page.complaints


@pytest.mark.timeout(400)
async def test_a_task_is_watched_live(origin: str, page: Page, tmp_path: Path) -> None:
    """Agents work through a library of the local web while the page shows how far they are."""
    library, file = Library(BOOKMARKS, names=NAMES), tmp_path / "bookmarks.html"
    async with web_process(tmp_path) as web:
        file.write_text(library.file(web))
        await page.open(f"{origin}/graphql")
        await run(page, "Register", '"token": "gms_')
        await page.choose_file(".bar input[type=file]", file)
        upload = await run(page, "UploadImport", '"detectedFormat": "NETSCAPE_HTML"')
        started = await run(page, "StartImport", '"status": ', variables={"input": {"uploadId": the_id(upload)}})
        await run(page, "ImportProgress", '"COMPLETED"', variables={"importId": the_id(started)})
        begun = await run(page, "StartWorkflow", '"workflow": "REPROCESS"')
        await run(page, "TaskUpdated", '"status": "RUNNING"', variables={"taskId": the_id(begun)})
        await page.shows(RESPONSE, '"agent": "CATEGORIZATION", "status": "RUNNING"', seconds=WORK_SECONDS)
        await keep_picture(page, "task-subscription")
        shown = await page.shows(RESPONSE, '"status": "COMPLETED", "progress": 1,', seconds=WORK_SECONDS)
        for agent in ("VALIDATION", "ENRICHMENT"):  # the editor draws no more lines than it has room for
            assert f'"agent": "{agent}", "status": "COMPLETED", "total": {BOOKMARKS}, "done": {BOOKMARKS},' in shown
    assert not page.complaints
