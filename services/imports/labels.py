"""The tags of a file's rows, in the form in which they are kept. A tag never fails its row."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from db import tags as rows_of
from db.tags import TagRow
from db.unit import Unit
from kit.errors import BadInput, Conflict
from kit.text import MAX_TAG_DEPTH, MAX_TAG_NAME_CHARS, MAX_TAG_PATH_CHARS, tag_path
from services import tags
from services.imports.frames import NO_FOLDER, Folder, Row
from services.imports.options import ImportOptions

_REMEMBERED = 50_000
_SLASH_IN_NAME = "\u2044"


@lru_cache(maxsize=_REMEMBERED)
def tag_of(text: str) -> str | None:
    """Return the path of a tag as the file writes it, cut to what a tag may be; None when nothing visible is left."""
    try:
        return tag_path(text).path
    except BadInput:
        return _cut(text)


def folder_names(folders: Sequence[Folder], number: int) -> list[str]:
    """Return the names of a folder and those around it, outermost first; nothing for the top of the file."""
    names: list[str] = []
    while number != NO_FOLDER:
        names.append(folders[number].name)
        number = folders[number].parent
    return names[::-1]


def tag_names(row: Row, folders: Sequence[Folder], options: ImportOptions) -> list[str]:
    """Return the paths of the tags that a row gets: its own, that of its folder, those that every row gets."""
    names = [name for text in row.tags if (name := tag_of(text)) is not None]
    if options.folders_as_tags:
        levels = (name.replace("/", _SLASH_IN_NAME) for name in folder_names(folders, row.folder) if name)
        folder = tag_of("/".join(levels))
        if folder is not None:
            names.append(folder)
    return [*names, *options.add_tags]


async def tags_of(unit: Unit, owner_id: UUID, names: set[str]) -> dict[str, TagRow]:
    """Return the tag of each path, made where it is new; a full account gets no new ones, and keeps its rows."""
    try:
        return await tags.ensure(unit, owner_id, names)
    except Conflict:
        paths = {name: tag_path(name) for name in names}
        there = await rows_of.by_keys(unit, owner_id, {path.key for path in paths.values()})
        return {name: there[path.key] for name, path in paths.items() if path.key in there}


def _cut(text: str) -> str | None:
    names = [name[:MAX_TAG_NAME_CHARS].strip() for name in text[: 4 * MAX_TAG_PATH_CHARS].split("/")]
    names = [name for name in names if name][:MAX_TAG_DEPTH]
    while names:
        try:
            return tag_path("/".join(names)).path
        except BadInput:
            names.pop()
    return None
