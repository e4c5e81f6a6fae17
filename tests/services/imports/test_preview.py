"""A preview of a file that is longer than a preview reads."""

from pathlib import Path

import pytest

from db.unit import Database
from kit.errors import BadInput
from services.imports import preview
from services.imports.options import ImportOptions
from tests.make import Maker


async def test_a_file_longer_than_a_preview_is_left_early(
    database: Database, make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MAX_ROWS", 4_000)
    monkeypatch.setattr(preview, "_CHUNK_ROWS", 4_000)
    path = tmp_path / "bookmarks.html"
    links = "".join(f'<DT><A HREF="https://a.example/{number}">{number}</A>\n' for number in range(12_000))
    path.write_text(f"<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n{links}</DL><p>\n")
    found = await preview.preview(database, await make.viewer(), path, ImportOptions())
    assert (found.total, found.examined) == (12_000, 4_000)
    assert [row.row for row in found.rows] == list(range(1, 21))


async def test_a_file_that_is_gone_is_to_be_uploaded_again(database: Database, make: Maker, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no longer there"):
        await preview.preview(database, await make.viewer(), tmp_path / "gone", ImportOptions())
