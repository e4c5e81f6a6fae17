"""A file is told by its content, and what cannot be imported is refused in words."""

from pathlib import Path

import pytest

from kit.errors import BadInput
from services.imports.detect import ImportFormat, detect, open_reader

ROW = '<DL><p>\n<DT><A HREF="https://example.com/">x</A>\n</DL><p>\n'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", ImportFormat.EMPTY),
        (b"\xef\xbb\xbf \r\n", ImportFormat.EMPTY),
        (b"<!DOCTYPE NETSCAPE-Bookmark-file-1>", ImportFormat.NETSCAPE_HTML),
        (ROW.encode("utf-16"), ImportFormat.NETSCAPE_HTML),
        (b"<!-- " + b"x" * 200_000 + b" -->" + ROW.encode(), ImportFormat.NETSCAPE_HTML),
        (b"[DRAFT] " + ROW.encode(), ImportFormat.NETSCAPE_HTML),
        (b'["draft" ' + ROW.encode(), ImportFormat.NETSCAPE_HTML),
        (b'[{"content": "' + ROW.encode().replace(b'"', b'\\"').replace(b"\n", b"") + b'"}]', ImportFormat.JSON),
        (b"[" * 60_000, ImportFormat.JSON),
        (b"title,url,time_added,tags,status\n" + ROW.encode(), ImportFormat.POCKET_CSV),
        (b"id,title,note,excerpt,url,folder,tags,created,cover,highlights,favorite\n", ImportFormat.RAINDROP_CSV),
        (b"URL,Title,Selection,Folder,Timestamp,Tags\n", ImportFormat.INSTAPAPER_CSV),
        (b"title;url\n", ImportFormat.CSV),
        (b'<?xml version="1.0"?><opml version="2.0"></opml>', ImportFormat.OPML),
        (b"<DT>\n", ImportFormat.UNKNOWN),
        (b"<!DOCTYPE html><p>Hello <a href='https://example.com/'>x</a>", ImportFormat.UNKNOWN),
        (b"PK\x03\x04" + ROW.encode(), ImportFormat.UNKNOWN),
        (b"\0" * 100, ImportFormat.EMPTY),
    ],
)
def test_formats_by_content(tmp_path: Path, content: bytes, expected: ImportFormat) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    assert detect(path) is expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty."),
        (b"<DT>\n", "This is not a bookmark file: no bookmarks were found"),
        (b"PK\x03\x04", "it is a ZIP archive"),
        (b'{"roots": {"bookmark_bar": {}}}', "cannot be imported yet"),
    ],
)
def test_refusals_say_why_and_where(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=words) as refused:
        open_reader(path)
    assert refused.value.field == ("file",)
