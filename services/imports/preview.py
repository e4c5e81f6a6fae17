"""What an import would do, without doing any of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from db.imports import chunks
from db.unit import Rows
from kit.turns import Turns
from services.imports.frames import Folder, Row
from services.imports.labels import folder_names, tag_names
from services.imports.options import ImportOptions
from services.imports.reading import reading
from services.permissions import Viewer

MAX_ROWS: Final = 50_000
"""A preview reads so many rows; of a longer file it says that there is more."""

SAMPLE_ROWS: Final = 20
SAMPLE_NAMES: Final = 100
_CHUNK_ROWS = 5_000
_AT_ONCE = asyncio.Semaphore(2)
_TURNS = Turns(1)


class RowClass(StrEnum):
    """What a row would meet."""

    NEW = "NEW"
    ACTIVE_DUPLICATE = "ACTIVE_DUPLICATE"
    ARCHIVED_DUPLICATE = "ARCHIVED_DUPLICATE"
    TRASHED_DUPLICATE = "TRASHED_DUPLICATE"
    DUPLICATE_IN_FILE = "DUPLICATE_IN_FILE"
    EMPTY = "EMPTY"
    TOO_LONG = "TOO_LONG"
    INVALID_URL = "INVALID_URL"
    UNSUPPORTED_SCHEME = "UNSUPPORTED_SCHEME"


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row of the file as it would be written."""

    row: int
    url: str
    title: str
    folders: list[str]
    tags: list[str]
    row_class: RowClass
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows would meet what."""

    row_class: RowClass
    count: int


@dataclass(frozen=True, slots=True)
class WarningCount:
    """In how many rows something was lost or doubtful."""

    code: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What is in a file. `total` counts all its rows, everything else the first `examined` ones."""

    total: int
    examined: int
    counts: list[RowCount]
    folder_count: int
    folders: list[str]
    tag_count: int
    tags: list[str]
    rows: list[PreviewRow]
    warnings: list[WarningCount]


async def preview(rows: Rows, viewer: Viewer, path: Path, options: ImportOptions) -> Preview:
    """Read a file and compare it with the viewer's bookmarks. Writes nothing.

    Two at once per process and one per account; others wait. Raises `BadInput` when the file cannot be read as
    bookmarks.
    """
    async with (
        _TURNS.taken(viewer.id),
        _AT_ONCE,
        reading(path, chunk_rows=_CHUNK_ROWS) as file,
        aclosing(file.chunks()) as read,
    ):
        seen = _Seen()
        async for chunk in read:
            await _add(rows, viewer, seen, chunk, file.folders, options)
            if seen.examined >= MAX_ROWS:
                break
        seen.warnings.update(file.warnings)
        shown = range(min(SAMPLE_NAMES, len(file.folders)))
        return Preview(
            total=file.total,
            examined=seen.examined,
            counts=[RowCount(one, seen.classes[one]) for one in RowClass if seen.classes[one]],
            folder_count=len(file.folders),
            folders=[" / ".join(folder_names(file.folders, number)) for number in shown],
            tag_count=len(seen.tags),
            tags=list(islice(seen.tags, SAMPLE_NAMES)),
            rows=seen.sample,
            warnings=[WarningCount(code, count) for code, count in sorted(seen.warnings.items())],
        )


@dataclass(slots=True)
class _Seen:
    examined: int = 0
    classes: Counter[RowClass] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    tags: dict[str, None] = field(default_factory=dict)
    sample: list[PreviewRow] = field(default_factory=list)


async def _add(
    rows: Rows, viewer: Viewer, seen: _Seen, chunk: Sequence[Row], folders: Sequence[Folder], options: ImportOptions
) -> None:
    keys = [row.key for row in chunk if row.key is not None]
    states = await chunks.states(rows, viewer.id, keys)
    for row in chunk:
        row_class = _class_of(row, states)
        tags = tag_names(row, folders, options)
        seen.classes[row_class] += 1
        seen.warnings.update(row.warnings)
        seen.tags.update(dict.fromkeys(tags))
        if len(seen.sample) < SAMPLE_ROWS:
            names = folder_names(folders, row.folder)
            seen.sample.append(PreviewRow(row.row, row.url, row.title, names, tags, row_class, row.warnings))
    seen.examined += len(chunk)


def _class_of(row: Row, states: dict[bytes, str]) -> RowClass:
    if row.key is None:
        return RowClass(row.problem or RowClass.INVALID_URL)
    if row.first_row < row.row:
        return RowClass.DUPLICATE_IN_FILE
    state = states.get(row.key)
    return RowClass.NEW if state is None else RowClass(f"{state}_DUPLICATE")
