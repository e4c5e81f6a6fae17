"""What the reading process tells the one that asked, as length-prefixed JSON.

{"total": n}                                  first: how many rows the file has
{"folders": […], "rows": […]}                 a chunk; only folders that were not told before
{"warnings": […]}                             last: the file has been read to its end
{"refused": "message"}                        instead of anything: the file cannot be read as bookmarks
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from kit.urls import url_words
from services.imports.items import FolderPath, ImportFolder, ImportItem

LENGTH_BYTES: Final = 4
MAX_FRAME_BYTES: Final = 1 << 30
NO_FOLDER: Final = -1


class Folder(NamedTuple):
    """A folder of the file. `parent` is the place of the folder around it in the list of all, or `NO_FOLDER`."""

    parent: int
    name: str
    occurrence: int
    description: str | None


class Row(NamedTuple):
    """One row of the file, ready to be written. Without `key` it has a `problem` and cannot become a bookmark.

    `first_row` is the first row of the file with the same key, this one's own number when it is the first; `folder` is
    a place in the list of folders.
    """

    row: int
    first_row: int
    url: str
    key: bytes | None
    key_version: int
    canonical_url: str
    domain: str
    url_words: str
    problem: str | None
    title: str
    description: str | None
    notes: str | None
    tags: list[str]
    folder: int
    added_at: datetime | None
    icon_url: str | None
    is_private: bool
    is_unread: bool
    is_favorite: bool
    warnings: list[str]


_KEY, _ADDED_AT = Row._fields.index("key"), Row._fields.index("added_at")


def told(item: ImportItem, first_row: int, folder: int) -> tuple[Any, ...]:
    """Return an item in the form in which a message carries it: the fields of `Row`, keys as text."""
    identity = item.identity
    return (
        item.row,
        first_row,
        item.url,
        identity.key.hex() if identity else None,
        identity.key_version if identity else 0,
        identity.canonical if identity else "",
        identity.domain if identity else "",
        url_words(identity.canonical) if identity else "",
        item.problem,
        item.title,
        item.description,
        item.notes,
        item.tags,
        folder,
        item.added_at,
        item.icon_url or item.icon_data,
        item.is_private,
        item.is_unread,
        item.is_favorite,
        item.warnings,
    )


def folder_of(folder: ImportFolder, places: dict[FolderPath, int]) -> Folder:
    """Return what is told of a folder; `places` knows the folders around it."""
    name, occurrence = folder.path[-1]
    return Folder(places.get(folder.path[:-1], NO_FOLDER), name, occurrence, folder.description)


def pack(message: dict[str, Any]) -> bytes:
    """Return a message with its length in front."""
    body = orjson.dumps(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def rows_in(message: dict[str, Any]) -> list[Row]:
    """Return the rows of a chunk."""
    for values in message["rows"]:
        if values[_KEY] is not None:
            values[_KEY] = bytes.fromhex(values[_KEY])
        if values[_ADDED_AT] is not None:
            values[_ADDED_AT] = datetime.fromisoformat(values[_ADDED_AT])
    return [Row._make(values) for values in message["rows"]]


def folders_in(message: dict[str, Any]) -> Sequence[Folder]:
    """Return the new folders of a chunk."""
    return [Folder._make(values) for values in message["folders"]]
