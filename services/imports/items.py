"""What every import format is read into: bookmarks and folders, in document order.

A reader never touches the database and never refuses a row: a row that cannot become a bookmark carries `problem`,
what was lost or doubtful in a row that can is in `warnings`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from kit.urls import RefusedUrl, UrlIdentity, UrlRefusal, identify

MAX_FOLDER_DEPTH: Final = 32
"""Folders nested deeper are read as if they stood in the deepest one allowed."""

MAX_FOLDERS: Final = 20_000
"""Folders of one file; what stands in a further one is read into the folder around it."""

MAX_FOLDER_NAME_CHARS: Final = 200
UNTITLED: Final = "Untitled"
"""What a folder without a name is called where it needs one: the level exists."""

MAX_TITLE_CHARS: Final = 2_000
MAX_DESCRIPTION_CHARS: Final = 20_000
"""Longer texts are cut, with a warning. Both are what services.bookmarks.values takes from anybody."""

MAX_TAGS: Final = 100
"""Tags of one bookmark; further ones are dropped with a warning."""

MAX_TAG_CHARS: Final = 100
"""Longer tags are cut, with a warning: a tag never fails its row."""

MAX_ICON_CHARS: Final = 32_768
"""Longest embedded icon (a data: URI); a larger one is dropped with a warning."""


class RowWarning(StrEnum):
    """What was lost or doubtful in a row that was read; stable codes for import reports."""

    DATE_IGNORED = "DATE_IGNORED"
    TAG_CUT = "TAG_CUT"
    TAGS_DROPPED = "TAGS_DROPPED"
    TEXT_CUT = "TEXT_CUT"
    ICON_DROPPED = "ICON_DROPPED"
    FOLDER_COLLAPSED = "FOLDER_COLLAPSED"
    BROKEN_MARKUP = "BROKEN_MARKUP"
    BAD_CHARACTERS = "BAD_CHARACTERS"


class FolderKey(NamedTuple):
    """One folder among its siblings: the first "News" is `("News", 1)`, the next beside it `("News", 2)`.

    Among those without a name and those called `UNTITLED` occurrences are counted together.
    `name` has white space collapsed, at most `MAX_FOLDER_NAME_CHARS` characters, and may be empty: the level exists.
    """

    name: str
    occurrence: int


FolderPath = tuple[FolderKey, ...]
"""Root to leaf; empty at the top of the file. At most `MAX_FOLDER_DEPTH` long."""


@dataclass(frozen=True, slots=True)
class ImportFolder:
    """A folder of the file, also an empty one. Parents come before their children."""

    path: FolderPath
    description: str | None
    added_at: datetime | None
    modified_at: datetime | None
    is_toolbar: bool


class ImportItem(NamedTuple):
    """One link of the file. Texts are free of NUL and lone surrogates; "" means that the file says nothing.

    row          1-based position among the links of the file: stable, so an import resumes by skipping rows
    url          as in the file, entities decoded once; tabs and line breaks, which no URL has, left out
    identity     None exactly if `problem` is set
    title        white space collapsed, at most `MAX_TITLE_CHARS`; "" if the file has none
    description  line breaks and indentation kept, at most `MAX_DESCRIPTION_CHARS`; None if the file has none
    tags         in file order, each once, at most `MAX_TAGS` of `MAX_TAG_CHARS`
    added_at     UTC; None if absent or not believable (then with DATE_IGNORED)
    icon_url     http(s) address of the icon, icon_data a `data:image/...` URI; never fetched here
    """

    row: int
    url: str
    identity: UrlIdentity | None
    title: str
    description: str | None
    notes: str | None
    tags: tuple[str, ...]
    folders: FolderPath
    added_at: datetime | None
    modified_at: datetime | None
    icon_url: str | None
    icon_data: str | None
    is_private: bool
    is_unread: bool
    is_favorite: bool
    problem: UrlRefusal | None
    warnings: tuple[RowWarning, ...]


def judge(url: str) -> tuple[UrlIdentity | None, UrlRefusal | None]:
    """Return the identity of a row's address, or the reason why it has none."""
    try:
        return identify(url), None
    except RefusedUrl as refused:
        return None, refused.reason


class ImportReader(Protocol):
    """An opened file: rows in one pass, folders as they are met.

    folders   in document order; grows while the rows are read. The folders of a row that was yielded are all in it,
              parents before children; it is complete when the rows are exhausted
    warnings  what concerns the whole file
    rows      the number of the last row met, also of one that was skipped
    """

    folders: list[ImportFolder]
    warnings: list[RowWarning]
    rows: int

    def __iter__(self) -> Iterator[ImportItem]:
        """Yield the rows in document order, once."""
        ...
