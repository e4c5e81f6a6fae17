"""What whoever imports can choose."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from kit.errors import BadInput
from kit.settings import ImportWorkflow
from kit.text import tag_path

MAX_ADDED_TAGS: Final = 20


class OnDuplicate(StrEnum):
    """What to do with a row whose address is a bookmark already."""

    SKIP = "SKIP"
    MERGE = "MERGE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file becomes bookmarks.

    on_duplicate            SKIP leaves the bookmark; MERGE fills what is empty and unites tags and collections;
                            UPDATE also replaces what the file says differently. Nothing is ever blanked
    folders_as_collections  folders become nested collections; ones that are there already are used
    folders_as_tags         the folder's path becomes a nested tag
    parent_collection_id    where the file's top lies; None for the top of the tree
    add_tags                given to every row
    mark_unread             new bookmarks are unread
    restore_trashed         a row whose bookmark lies in the trash takes it out; else the row is skipped
    workflow                what agents do with the bookmarks afterwards; None for what the server is set to
    """

    on_duplicate: OnDuplicate = OnDuplicate.MERGE
    folders_as_collections: bool = True
    folders_as_tags: bool = False
    parent_collection_id: UUID | None = None
    add_tags: tuple[str, ...] = ()
    mark_unread: bool = False
    restore_trashed: bool = False
    workflow: ImportWorkflow | None = None

    def checked(self) -> Self:
        """Return the options with their tags as they will be written. Raises `BadInput` naming the field."""
        field = ("input", "options", "addTags")
        if len(self.add_tags) > MAX_ADDED_TAGS:
            raise BadInput(f"At most {MAX_ADDED_TAGS} tags can be added to every row.", field=field)
        return replace(self, add_tags=tuple(dict.fromkeys(tag_path(tag, field=field).path for tag in self.add_tags)))

    def as_json(self) -> dict[str, Any]:
        """Return the options as they are stored."""
        parent = None if self.parent_collection_id is None else str(self.parent_collection_id)
        return asdict(self) | {"parent_collection_id": parent, "add_tags": list(self.add_tags)}


def options_from(stored: Mapping[str, Any]) -> ImportOptions:
    """Return the options that `as_json` stored; what an older version did not know has its default."""
    values = dict(stored)
    parent = values.get("parent_collection_id")
    values["parent_collection_id"] = None if parent is None else UUID(parent)
    values["on_duplicate"] = OnDuplicate(values.get("on_duplicate", OnDuplicate.MERGE))
    values["add_tags"] = tuple(values.get("add_tags", ()))
    workflow = values.get("workflow")
    values["workflow"] = None if workflow is None else ImportWorkflow(workflow)
    return ImportOptions(**values)
