"""What clients give, as columns of a bookmark."""

from typing import Any, Final, TypedDict, cast
from uuid import UUID

from kit.errors import BadInput, Field
from kit.text import one_line, storable
from kit.urls import RefusedUrl, UrlIdentity, identify, url_words

MAX_TITLE_CHARS: Final = 2_000
MAX_DESCRIPTION_CHARS: Final = 20_000
MAX_NOTES_CHARS: Final = 100_000
_TEXTS = {
    "title": ("A title", MAX_TITLE_CHARS),
    "description": ("A description", MAX_DESCRIPTION_CHARS),
    "notes": ("A note", MAX_NOTES_CHARS),
}
_FLAGS = ("is_favorite", "is_archived", "is_unread")


class BookmarkChanges(TypedDict, total=False):
    """What to change of a bookmark; what is left out stays. `tags` and `collection_ids` are the whole new sets.

    `category` is the name of one; null for none.
    """

    url: str
    title: str
    description: str | None
    notes: str | None
    is_favorite: bool
    is_archived: bool
    is_unread: bool
    tags: list[str]
    collection_ids: list[UUID]
    category: str | None


def identity_of(url: str, field: Field) -> UrlIdentity:
    """Return what makes an address itself. Raises `BadInput` naming `field` for what is none."""
    try:
        return identify(url)
    except RefusedUrl as refused:
        raise BadInput(refused.message, field=field) from refused


def columns_of(identity: UrlIdentity) -> dict[str, Any]:
    """Return the columns that an address fills."""
    return {
        "url": identity.original,
        "canonical_url": identity.canonical,
        "url_key": identity.key,
        "url_key_version": identity.key_version,
        "domain": identity.domain,
        "url_words": url_words(identity.canonical),
    }


def clean(changes: BookmarkChanges) -> dict[str, Any]:
    """Return the columns for the texts and flags that were given. Raises `BadInput` naming the field."""
    given = cast("dict[str, Any]", changes)
    values: dict[str, Any] = {name: given[name] for name in _FLAGS if name in given}
    for name, (what, limit) in _TEXTS.items():
        if name not in given:
            continue
        text = storable(given[name] or "", what=what, max_chars=limit, field=("input", name))
        values[name] = one_line(text) if name == "title" else text.strip() or None
    return values
