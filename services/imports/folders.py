"""Where a reader stands among the folders of a file."""

from dataclasses import dataclass, replace
from typing import Final

from services.imports.items import (
    MAX_FOLDER_DEPTH,
    MAX_FOLDER_NAME_CHARS,
    MAX_FOLDERS,
    UNTITLED,
    FolderKey,
    FolderPath,
    ImportFolder,
)

_MAX_LEVELS: Final = 4096  # deeper lists are only counted


@dataclass(slots=True, eq=False)
class _Level:
    path: FolderPath
    occurrences: dict[str, int]
    collapsed: bool


class FolderStack:
    """Follows headings and lists: a heading names the list that opens next, a list without one adds no level.

    `folders` collects every folder met, in document order. `path` is where a row now stands; `collapsed` says that
    the file has it deeper, below `MAX_FOLDER_DEPTH` levels or `MAX_FOLDERS` folders.
    """

    def __init__(self) -> None:
        self.folders: list[ImportFolder] = []
        self._levels = [_Level((), {}, collapsed=False)]
        self._uncounted = 0
        self._heading: _Level | None = None
        self._described = False

    @property
    def path(self) -> FolderPath:
        """Root to leaf, empty at the top."""
        return self._levels[-1].path

    @property
    def collapsed(self) -> bool:
        """Whether rows here stand higher than in the file."""
        return self._levels[-1].collapsed

    def heading(self, folder: ImportFolder) -> None:
        """Meet a folder's heading; `folder.path` holds just its key, whose occurrence is counted here."""
        level = self._levels[-1]
        name = folder.path[0].name[:MAX_FOLDER_NAME_CHARS].rstrip()
        if len(level.path) >= MAX_FOLDER_DEPTH or len(self.folders) >= MAX_FOLDERS:
            self._heading = _Level(level.path, level.occurrences, collapsed=True)
            self._described = False
            return
        shown = name or UNTITLED
        occurrence = level.occurrences.get(shown, 0) + 1
        level.occurrences[shown] = occurrence
        path = (*level.path, FolderKey(name, occurrence))
        self.folders.append(replace(folder, path=path))
        self._heading = _Level(path, {}, collapsed=level.collapsed)
        self._described = True

    def describe(self, text: str) -> None:
        """Add the note under the heading met last."""
        if self._heading is not None and self._described:
            self.folders[-1] = replace(self.folders[-1], description=text)

    def link(self) -> None:
        """Meet a link: a heading before it without a list of its own is an empty folder."""
        self._heading = None

    def open(self) -> None:
        """Enter the list of the heading met last, or a list that adds no level."""
        if len(self._levels) >= _MAX_LEVELS:
            self._uncounted += 1
        else:
            self._levels.append(self._heading or self._levels[-1])
        self._heading = None

    def close(self) -> None:
        """Leave a list; one that was never opened changes nothing."""
        self._heading = None
        if self._uncounted:
            self._uncounted -= 1
        elif len(self._levels) > 1:
            self._levels.pop()
