"""The pictures of pages over HTTP: their owner gets them, nobody else learns that they exist."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from db.users import UserRow
from kit.ids import new_id
from resolvers.context import Services
from services.screenshots import keep_picture, picture_of
from tests.app.graphql import toy
from tests.client import Graph, gid, the_schema, viewer
from tests.make import Maker

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1280).to_bytes(4, "big") + (800).to_bytes(4, "big") + b"the rest"
OF = """
query ($id: ID!) {
  bookmark(id: $id) { screenshot { path width height sizeBytes takenAt } page { url text fetchedAt isRendered } }
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def browser(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running server."""
    async with toy.serving(services, the_schema()) as running:
        yield running.http


async def bearer(make: Maker, who: UserRow) -> dict[str, str]:
    """Return the headers of somebody who is signed in."""
    return {"authorization": f"Bearer {await make.session(who)}"}


async def test_a_picture_is_shown_to_its_owner_only(
    browser: httpx.AsyncClient, services: Services, make: Maker
) -> None:
    ada, bob = await make.user(), await make.user()
    row = await make.bookmark(viewer(ada))
    async with services.database.unit() as unit:
        assert len(await keep_picture(unit, ada.id, row.id, picture_of(PNG))) == 1
    answer = await Graph(services).run(OF, ada, id=gid(row))
    shown = answer["data"]["bookmark"]["screenshot"]
    assert (shown["width"], shown["height"], shown["sizeBytes"]) == (1280, 800, len(PNG))
    assert answer["data"]["bookmark"]["page"] is None
    path = shown["path"]

    picture = await browser.get(path, headers=await bearer(make, ada))
    assert (picture.status_code, picture.content) == (200, PNG)
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"] == "private, max-age=86400"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["cross-origin-resource-policy"] == "same-origin"

    foreign = await browser.get(path, headers=await bearer(make, bob))
    none = await browser.get(f"/screenshots/{new_id()}.png", headers=await bearer(make, bob))
    assert (foreign.status_code, foreign.json()) == (none.status_code, none.json())
    assert foreign.status_code == 404
    assert (await browser.get("/screenshots/../x.png", headers=await bearer(make, ada))).status_code == 404
    assert (await browser.get("/screenshots/x.png", headers=await bearer(make, ada))).status_code == 404
    assert (await browser.get(path)).status_code == 401
    assert (await browser.get(path, headers={"authorization": "Bearer nonsense"})).status_code == 401
