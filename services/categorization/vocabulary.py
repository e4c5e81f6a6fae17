"""Finding the owner's own tags for words: by normal form, by alias, by the innermost level of a nested one."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from db.categorization import evidence
from db.categorization.evidence import AlikeRow
from db.unit import Rows
from kit.errors import BadInput
from kit.text import tag_path
from services.categorization.normal import known_form, leaf, normal

MAX_TAGS: Final = 50
MAX_CHARS: Final = 1_500
"""Most tags, and most characters of them, that a model is shown."""

_MAX_WORD_CHARS: Final = 100
_MAX_FOUND: Final = 500


async def alike(rows: Rows, owner_id: UUID, names: Iterable[str]) -> list[AlikeRow]:
    """Return the owner's tags that one of these names may mean, those with the shortest paths first."""
    joined = {spelled for name in names if (form := form_of(name)) is not None for spelled in _spellings(leaf(form))}
    return await evidence.tags_alike(rows, owner_id, sorted(joined), limit=_MAX_FOUND) if joined else []


def meant(name: str, known: Iterable[AlikeRow]) -> AlikeRow | None:
    """Return which of the owner's tags a name means, or None.

    The same path comes first, then the same normal form, then the only one whose innermost level is the name.
    """
    form = form_of(name)
    if form is None:
        return None
    exact = tag_path(name).key
    forms: dict[str, AlikeRow] = {}
    for row in known:
        if row.key == exact:
            return row
        forms.setdefault(normal(row.key), row)
    found = known_form(form, forms)
    return None if found is None else forms[found]


def form_of(name: str) -> str | None:
    """Return the normal form of a name, None for what cannot be a tag."""
    try:
        return normal(name)
    except BadInput:
        return None


def shown(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the first of these paths that a model is shown: within both limits, each once."""
    kept: dict[str, None] = {}
    room = MAX_CHARS
    for path in paths:
        if len(kept) == MAX_TAGS or len(path) > room:
            break
        if path not in kept:
            kept[path] = None
            room -= len(path) + 1
    return tuple(kept)


def _spellings(form: str) -> set[str]:
    """Return how the name of a normal form may be written in one word: itself and its plurals."""
    plural = {f"{form[:-1]}ies"} if form.endswith("y") else set()
    return {form, f"{form}s", f"{form}es", f"{form}ses"} | plural
