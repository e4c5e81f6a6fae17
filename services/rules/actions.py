"""What a rule does, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from db.unit import Unit
from kit.errors import BadInput
from kit.text import tag_path
from services import collections
from services.categorization import categories
from services.permissions import Viewer

MAX_TARGETS: Final = 20
"""Most tags, and most collections, of one kind of action of one rule."""


class RuleEvent(StrEnum):
    """When a rule runs by itself, once for each event."""

    BOOKMARK_CREATED = "BOOKMARK_CREATED"
    IMPORTED = "IMPORTED"
    ENRICHED = "ENRICHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleActions:
    """What a rule does. None leaves a flag or the category alone; `category` is the key of one."""

    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    add_collection_ids: tuple[UUID, ...] = ()
    remove_collection_ids: tuple[UUID, ...] = ()
    is_favorite: bool | None = None
    is_archived: bool | None = None
    category: str | None = None

    @property
    def stored(self) -> dict[str, Any]:
        """The actions as JSON, what is not done left out."""
        given = {
            "addTags": list(self.add_tags),
            "removeTags": list(self.remove_tags),
            "addCollectionIds": [str(key) for key in self.add_collection_ids],
            "removeCollectionIds": [str(key) for key in self.remove_collection_ids],
            "isFavorite": self.is_favorite,
            "isArchived": self.is_archived,
            "category": self.category,
        }
        return {name: value for name, value in given.items() if value not in (None, [])}


def read(stored: Mapping[str, Any]) -> RuleActions:
    """Return the actions in the JSON of a row."""
    return RuleActions(
        add_tags=tuple(stored.get("addTags", ())),
        remove_tags=tuple(stored.get("removeTags", ())),
        add_collection_ids=tuple(map(UUID, stored.get("addCollectionIds", ()))),
        remove_collection_ids=tuple(map(UUID, stored.get("removeCollectionIds", ()))),
        is_favorite=stored.get("isFavorite"),
        is_archived=stored.get("isArchived"),
        category=stored.get("category"),
    )


async def checked(unit: Unit, viewer: Viewer, actions: RuleActions) -> RuleActions:
    """Return the actions as they are stored: tags by path, the category by key.

    Raises `BadInput` when there is nothing to do or too much, or for what cannot be a tag or category; `NotFound` for a
    collection that is not the viewer's.
    """
    field = ("input", "actions")
    if not actions.stored:
        raise BadInput("A rule needs something to do.", field=field)
    for name, targets in (
        ("addTags", actions.add_tags),
        ("removeTags", actions.remove_tags),
        ("addCollectionIds", actions.add_collection_ids),
        ("removeCollectionIds", actions.remove_collection_ids),
    ):
        if len(targets) > MAX_TARGETS:
            raise BadInput(f"A rule names at most {MAX_TARGETS} here.", field=(*field, name))
    await collections.check_all(unit, viewer, actions.add_collection_ids, field=(*field, "addCollectionIds"))
    await collections.check_all(unit, viewer, actions.remove_collection_ids, field=(*field, "removeCollectionIds"))
    category = None
    if actions.category is not None:
        category = (await categories.by_name(unit, viewer.id, actions.category, field=(*field, "category"))).key
    return RuleActions(
        add_tags=_paths(actions.add_tags, "addTags"),
        remove_tags=_paths(actions.remove_tags, "removeTags"),
        add_collection_ids=tuple(dict.fromkeys(actions.add_collection_ids)),
        remove_collection_ids=tuple(dict.fromkeys(actions.remove_collection_ids)),
        is_favorite=actions.is_favorite,
        is_archived=actions.is_archived,
        category=category,
    )


def _paths(names: Sequence[str], name: str) -> tuple[str, ...]:
    found = {
        (path := tag_path(one, field=("input", "actions", name, str(at)))).key: path.path
        for at, one in enumerate(names)
    }
    return tuple(found.values())
