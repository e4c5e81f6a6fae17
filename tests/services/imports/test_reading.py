"""Leaving a file before its end."""

from pathlib import Path

import pytest

from kit.errors import NotFound
from services.imports.reading import reading


async def test_the_error_that_ends_a_reading_early_is_the_one_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.html"
    links = "".join(f'<DT><A HREF="https://a.example/{number}">{number}</A>\n' for number in range(12_000))
    path.write_text(f"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n{links}</DL><p>\n")
    with pytest.raises(NotFound, match="gone"):
        await leave_early(path)


async def leave_early(path: Path) -> None:
    """Fail at the first chunk, while the next is on its way."""
    async with reading(path, chunk_rows=4_000) as file:
        async for _ in file.chunks():
            raise NotFound("The collection is gone.")
