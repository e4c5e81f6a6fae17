"""What kind of export a file is, told by its first bytes, and the reader for it.

JSON, property lists and CSV are tested before HTML: articles saved inside them may hold any amount of bookmark markup.
The file's name is never asked.
"""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Final

from kit.errors import BadInput
from services.imports.encoding import SNIFF_BYTES, decoded_prefix, read_prefix
from services.imports.items import ImportReader
from services.imports.netscape import NetscapeReader

MAX_SNIFF_BYTES: Final = 1_048_576
"""How far a file is searched for its first bookmark when its head does not tell what it is."""


class ImportFormat(StrEnum):
    """What a file was recognised as. Only `NETSCAPE_HTML` has a reader yet."""

    NETSCAPE_HTML = "NETSCAPE_HTML"
    CHROME_JSON = "CHROME_JSON"
    FIREFOX_JSON = "FIREFOX_JSON"
    JSON = "JSON"
    SAFARI_PLIST = "SAFARI_PLIST"
    POCKET_CSV = "POCKET_CSV"
    RAINDROP_CSV = "RAINDROP_CSV"
    INSTAPAPER_CSV = "INSTAPAPER_CSV"
    CSV = "CSV"
    OPML = "OPML"
    EMPTY = "EMPTY"
    UNKNOWN = "UNKNOWN"


_NAMES: Final = {
    ImportFormat.CHROME_JSON: "a Chrome profile's Bookmarks file",
    ImportFormat.FIREFOX_JSON: "a Firefox bookmark backup (JSON)",
    ImportFormat.JSON: "a JSON file",
    ImportFormat.SAFARI_PLIST: "a Safari property list",
    ImportFormat.POCKET_CSV: "a Pocket export (CSV)",
    ImportFormat.RAINDROP_CSV: "a Raindrop.io export (CSV)",
    ImportFormat.INSTAPAPER_CSV: "an Instapaper export (CSV)",
    ImportFormat.CSV: "a CSV file",
    ImportFormat.OPML: "an OPML file",
}
_MAGIC: Final = (
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"mozLz40\0", "a compressed Firefox backup: use Firefox's export to HTML or JSON"),
)
_EVERY_ROW: Final = 1 << 62
_JSON_START: Final = re.compile(r"""[\[{]\s*(?:["\[\]{}]|-?[0-9]|true|false|null)""")
_NETSCAPE_DOCTYPE: Final = re.compile(r"<!doctype\s+netscape-bookmark-file", re.IGNORECASE)
_HTML_ROW: Final = re.compile(
    r"<dt\b[^<>]*>\s*<(?:h3\b|a\s[^>]*?href)|<dl\b[^<>]*>\s*(?:</?p\s*>\s*)*<a\s[^>]*?href", re.IGNORECASE
)
_COLUMNS: Final = (
    (frozenset({"url", "time_added", "status"}), ImportFormat.POCKET_CSV),
    (frozenset({"url", "excerpt", "cover"}), ImportFormat.RAINDROP_CSV),
    (frozenset({"url", "selection", "folder"}), ImportFormat.INSTAPAPER_CSV),
    (frozenset({"url"}), ImportFormat.CSV),
)


def detect(path: Path) -> ImportFormat:
    """Return what the file is, from at most `MAX_SNIFF_BYTES` of it. Whatever it holds, this raises only OSError."""
    prefix = read_prefix(path)
    if not prefix.strip(b"\0\t\n\r \xef\xbb\xbf\xff\xfe"):
        return ImportFormat.EMPTY if path.stat().st_size <= SNIFF_BYTES else ImportFormat.UNKNOWN
    if _magic(prefix) is not None:
        return ImportFormat.UNKNOWN
    text = decoded_prefix(prefix).lstrip()
    structured = _structured(prefix, text, is_whole=len(prefix) < SNIFF_BYTES)
    if structured is not None:
        return structured
    if _is_bookmark_html(text):
        return ImportFormat.NETSCAPE_HTML
    if len(prefix) == SNIFF_BYTES and _is_bookmark_html(decoded_prefix(read_prefix(path, MAX_SNIFF_BYTES))):
        return ImportFormat.NETSCAPE_HTML
    return ImportFormat.UNKNOWN


def open_reader(path: Path, *, skip_rows: int = 0) -> ImportReader:
    """Return the reader for a file, which yields the rows after `skip_rows`.

    Raises `BadInput`, in words for whoever chose the file, if it is empty, no bookmark file, or of a format that
    cannot be read yet. Nothing is read beyond what `detect` reads.
    """
    found = detect(path)
    if found is ImportFormat.NETSCAPE_HTML:
        return NetscapeReader(path, skip_rows=skip_rows)
    if found is ImportFormat.EMPTY:
        raise BadInput("This is not a bookmark file: it is empty.", field=("file",))
    if found in _NAMES:
        raise BadInput(
            f"This is {_NAMES[found]}, which cannot be imported yet. Export your bookmarks as HTML instead.",
            field=("file",),
        )
    reason = _magic(read_prefix(path)) or "no bookmarks were found in its beginning"
    raise BadInput(f"This is not a bookmark file: {_as_sentence(reason)}", field=("file",))


def count_rows(path: Path) -> int:
    """Return how many rows the reader of a file numbers, at a third of the cost of reading them.

    Raises `BadInput` as `open_reader` does.
    """
    reader = open_reader(path, skip_rows=_EVERY_ROW)
    for _ in reader:
        break
    return reader.rows


def _as_sentence(reason: str) -> str:
    return f"it is {reason}." if reason.startswith(("a ", "an ")) else f"{reason}."


def _magic(prefix: bytes) -> str | None:
    for magic, name in _MAGIC:
        if prefix.startswith(magic):
            return name
    return None


def _structured(prefix: bytes, text: str, *, is_whole: bool) -> ImportFormat | None:
    if prefix.startswith(b"bplist00"):
        return ImportFormat.SAFARI_PLIST if b"WebBookmark" in prefix else ImportFormat.UNKNOWN
    if _JSON_START.match(text) and not (is_whole and _is_broken_json(text)):
        return _json_kind(text)
    lowered = text[:2000].lower()
    if lowered.startswith(("<?xml", "<!doctype plist", "<plist", "<opml")):
        if "<plist" in lowered:
            return ImportFormat.SAFARI_PLIST if "WebBookmark" in text else ImportFormat.UNKNOWN
        if "<opml" in lowered:
            return ImportFormat.OPML
    return _csv_kind(text)


def _is_broken_json(text: str) -> bool:
    try:
        json.loads(text)
    except RecursionError:
        return False
    except ValueError:
        return True
    return False


def _json_kind(text: str) -> ImportFormat:
    if '"roots"' in text and '"bookmark_bar"' in text:
        return ImportFormat.CHROME_JSON
    if "text/x-moz-place" in text:
        return ImportFormat.FIREFOX_JSON
    return ImportFormat.JSON


def _csv_kind(text: str) -> ImportFormat | None:
    header = text.partition("\n")[0]
    if "<" in header:
        return None
    columns = {cell.strip().strip('"').lower() for cell in re.split(r"[,;\t]", header)}
    if len(columns) > 1:
        for needed, kind in _COLUMNS:
            if needed <= columns:
                return kind
    return None


def _is_bookmark_html(text: str) -> bool:
    return _NETSCAPE_DOCTYPE.search(text, 0, 2000) is not None or _HTML_ROW.search(text) is not None
