"""Pictures of pages: what is kept, and for whom."""

import pytest

from db import screenshots as rows_of
from db.unit import Database
from kit.errors import NotFound
from services import bookmarks
from services.screenshots import MAX_PNG_BYTES, NotAPictureError, keep_picture, picture_of, png_of
from tests.make import Maker

HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
SIZE = (640).to_bytes(4, "big") + (400).to_bytes(4, "big")


@pytest.mark.parametrize(
    "png",
    [None, b"", HEAD, HEAD + b"\0" * 8, b"<html>" + SIZE * 4, HEAD + b"\xff" * 8, HEAD + SIZE + bytes(MAX_PNG_BYTES)],
)
def test_what_is_no_picture_is_not_kept(png: bytes | None) -> None:
    with pytest.raises(NotAPictureError):
        picture_of(png)


def test_the_size_of_a_picture() -> None:
    picture = picture_of(HEAD + SIZE)
    assert (picture.width, picture.height, len(picture.sha256)) == (640, 400, 32)


async def test_one_picture_is_kept_and_goes_with_its_bookmark(database: Database, make: Maker) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    row, trashed = await make.bookmark(viewer), await make.trashed(viewer)
    first, second = picture_of(HEAD + SIZE + b"1"), picture_of(HEAD + SIZE + b"2")
    async with database.unit() as unit:
        (event,) = await keep_picture(unit, viewer.id, row.id, first)
        assert event.payload == {"change": "UPDATED", "ids": [str(row.id)]}
        assert await keep_picture(unit, viewer.id, trashed.id, first) == []
        assert await keep_picture(unit, other.id, row.id, second) == []
    assert await png_of(database, viewer, row.id) == first.png
    async with database.unit() as unit:
        await keep_picture(unit, viewer.id, row.id, second)
    assert await png_of(database, viewer, row.id) == second.png
    assert (await bookmarks.get(database, viewer, row.id)) == row
    with pytest.raises(NotFound):
        await png_of(database, other, row.id)
    async with database.unit() as unit:
        await bookmarks.delete(unit, viewer, [row.id], permanently=True)
    assert await rows_of.png_of(database, viewer.id, row.id) is None
