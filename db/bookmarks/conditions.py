"""Which bookmarks are wanted, as conditions of a statement."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from db.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class BookmarkFilter:
    """Which bookmarks. None and empty mean no condition; conditions are all to be met.

    `any_tag_ids` wants one of these tags, `all_tag_ids` one of each group; who asks adds the tags below. `added_after`
    is inclusive, `added_before` exclusive. `collection_id` without descendants means direct links only.
    """

    in_trash: bool = False
    collection_id: UUID | None = None
    include_descendants: bool = False
    any_tag_ids: tuple[UUID, ...] | None = None
    all_tag_ids: tuple[tuple[UUID, ...], ...] = ()
    domain: str | None = None
    is_favorite: bool | None = None
    is_archived: bool | None = None
    is_unread: bool | None = None
    is_tagged: bool | None = None
    added_after: datetime | None = None
    added_before: datetime | None = None
    url_contains: str | None = None
    title_contains: str | None = None
    source: str | None = None


class Home(StrEnum):
    """What a bookmark can be listed under, and the link table that says so."""

    COLLECTION = "collection"
    TAG = "tag"


# An array, because PostgreSQL takes a recursive query for large and would rather read all bookmarks than join it.
_BRANCH = """ANY(ARRAY(
    WITH RECURSIVE below AS (
        SELECT id FROM collections WHERE id = {root} AND owner_id = {owner}
        UNION ALL SELECT child.id FROM collections child JOIN below ON child.parent_id = below.id
    ) SELECT id FROM below
))"""


def linked(home: Home, key: str) -> str:
    """Return the condition that the bookmark `b` is linked to `key`, a piece of SQL."""
    return (
        f"EXISTS (SELECT FROM bookmark_{home.value}s link "
        f"WHERE link.bookmark_id = b.id AND link.{home.value}_id = {key})"
    )


def conditions_of(query: Query, wanted: BookmarkFilter) -> list[str]:
    """Return the conditions of `wanted`, the owner's first."""
    owner = query.owner
    found = [f"b.owner_id = {owner}", f"b.deleted_at IS {'NOT NULL' if wanted.in_trash else 'NULL'}"]
    if wanted.collection_id is not None:
        root = query.bind(wanted.collection_id)
        branch = _BRANCH.format(root=root, owner=owner) if wanted.include_descendants else root
        found.append(linked(Home.COLLECTION, branch))
    groups = [*wanted.all_tag_ids, *([] if wanted.any_tag_ids is None else [wanted.any_tag_ids])]
    found += [linked(Home.TAG, f"ANY({query.bind(list(group))}::uuid[])") for group in groups]
    return found + _own_conditions(query, wanted)


def _own_conditions(query: Query, wanted: BookmarkFilter) -> list[str]:
    """Return the conditions that need nothing but the bookmark and whether it has tags."""
    found = [
        f"b.{name} = {query.bind(value)}"
        for name in ("domain", "source", "is_favorite", "is_archived", "is_unread")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.is_tagged is not None:
        negation = "" if wanted.is_tagged else "NOT "
        found.append(f"{negation}EXISTS (SELECT FROM bookmark_tags link WHERE link.bookmark_id = b.id)")
    if wanted.added_after is not None:
        found.append(f"b.added_at >= {query.bind(wanted.added_after)}")
    if wanted.added_before is not None:
        found.append(f"b.added_at < {query.bind(wanted.added_before)}")
    for column, text in (("url", wanted.url_contains), ("title", wanted.title_contains)):
        if text is not None:
            found.append(f"strpos(lower(b.{column}), lower({query.bind(text)})) > 0")
    return found
