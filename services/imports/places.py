"""Where the folders of a file lie among the collections: those that are there are used, the others are made."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from db import collections as rows_of
from db.imports import chunks
from db.imports.chunks import Raced
from db.unit import Unit
from kit.errors import NotFound
from kit.ids import new_id
from kit.text import slug_of
from services.collections import MAX_DEPTH as MAX_COLLECTION_DEPTH
from services.collections import MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS
from services.imports.frames import NO_FOLDER, Folder
from services.imports.items import UNTITLED

_Draft = tuple[UUID, UUID | None, str, str, str | None]


@dataclass(slots=True)
class Places:
    """The collections of one import's folders, found as they are needed.

    `folders` is all that the reader has told; a folder is known by its number there. `root` is the collection under
    which all lies, None for the top of the tree. `known` maps folder numbers to collections.
    """

    owner_id: UUID
    import_id: UUID
    root: UUID | None
    folders: list[Folder]
    known: dict[int, UUID] = field(default_factory=dict)
    _room: int | None = None

    def of(self, folder: int) -> UUID | None:
        """Return the collection of a folder that was settled, the root for the top of the file."""
        return self.root if folder == NO_FOLDER else self.known[folder]

    async def settle(self, unit: Unit, wanted: Iterable[int]) -> None:
        """Find or make the collections of `wanted` folders, with all around them.

        They stay until the transaction ends. Raises `Raced` when one that was known is gone, removed by somebody or
        never committed: it is found anew at the next try. Raises `NotFound` when the root is gone. Call it before
        bookmarks are locked.
        """
        needed = self._with_parents(wanted)
        missing = [folder for folder in needed if folder not in self.known]
        if missing:
            await rows_of.reshape(unit, self.owner_id)
        else:
            await rows_of.hold(unit, self.owner_id)
        await self._check_there(unit, needed)
        if missing:
            await self._measure(unit)
            await self._find(unit, missing)

    def _with_parents(self, wanted: Iterable[int]) -> list[int]:
        needed: set[int] = set()
        for folder in wanted:
            while folder != NO_FOLDER and folder not in needed:
                needed.add(folder)
                folder = self.folders[folder].parent  # noqa: PLW2901  climbing is the point
        return sorted(needed)  # a parent is told before its children, so its number is smaller

    async def _check_there(self, unit: Unit, needed: Sequence[int]) -> None:
        expected = {self.known[folder] for folder in needed if folder in self.known}
        if self.root is not None:
            expected.add(self.root)
        if not expected:
            return
        there = {row.id for row in await rows_of.by_ids(unit, self.owner_id, list(expected))}
        if self.root is not None and self.root not in there:
            raise NotFound("The collection to import into is gone.", field=("input", "options", "parentCollectionId"))
        if expected - there:
            self.known = {folder: key for folder, key in self.known.items() if key in there}
            raise Raced

    async def _measure(self, unit: Unit) -> None:
        """Find out how deep folders may lie below the root."""
        if self._room is None:
            above = [] if self.root is None else await rows_of.lineage(unit, self.owner_id, self.root)
            self._room = MAX_COLLECTION_DEPTH - len(above)

    async def _find(self, unit: Unit, missing: Sequence[int]) -> None:
        """Go down level by level: below known parents look for namesakes, in order, and make those that lack."""
        drafts: dict[UUID, _Draft] = {}
        levels: dict[int, list[int]] = defaultdict(list)
        for folder in missing:
            levels[self._level(folder)].append(folder)
        for level in sorted(levels):
            if level > (self._room or 0):
                for folder in levels[level]:  # too deep for a collection: what lies in it lies in the one around it
                    self._set(folder, self._parent(folder))
            else:
                await self._find_level(unit, levels[level], drafts)
        if drafts:
            await chunks.add_collections(unit, self.owner_id, list(drafts.values()))
            await chunks.remember_objects(unit, self.import_id, "COLLECTION", list(drafts))

    async def _find_level(self, unit: Unit, folders: Sequence[int], drafts: dict[UUID, _Draft]) -> None:
        homes = {folder: (self._parent(folder), _name_of(self.folders[folder])) for folder in folders}
        parents = {parent for parent, _ in homes.values()} - drafts.keys()  # there is nothing below a new one
        names = {name for parent, name in homes.values() if parent in parents}
        there: dict[tuple[UUID | None, str], list[UUID]] = defaultdict(list)
        if parents:
            for key, parent, name in await chunks.namesakes(unit, self.owner_id, list(parents), list(names)):
                there[parent, name].append(key)
        for folder in folders:
            parent, name = homes[folder]
            same = there[parent, name]
            while len(same) < self.folders[folder].occurrence:
                key = new_id()
                same.append(key)
                drafts[key] = (key, parent, name, slug_of(name), _description_of(self.folders[folder]))
            self._set(folder, same[self.folders[folder].occurrence - 1])

    def _set(self, folder: int, key: UUID | None) -> None:
        if key is not None:
            self.known[folder] = key

    def _parent(self, folder: int) -> UUID | None:
        return self.of(self.folders[folder].parent)

    def _level(self, folder: int) -> int:
        level = 1
        while (folder := self.folders[folder].parent) != NO_FOLDER:
            level += 1
        return level


def _name_of(folder: Folder) -> str:
    return folder.name[:MAX_NAME_CHARS].strip() or UNTITLED


def _description_of(folder: Folder) -> str | None:
    return folder.description[:MAX_DESCRIPTION_CHARS] if folder.description else None
