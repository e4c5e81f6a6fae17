"""Looking for candidates: first what the owner's own library says, then a model, then the words of the taxonomy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from uuid import UUID

from db import collections as collection_rows
from db import tags as tag_rows
from db.bookmarks import BookmarkRow
from db.categorization import AgentSettingsRow, CategoryRow
from db.categorization.suggestions import ProposalKind, ProposalSource
from db.collections import CollectionRow
from db.embedding import Neighbour
from db.search.words import words_of
from db.tags import TagRow
from db.unit import Rows
from kit.ai import Choice, Choices, PageText, ProviderBusy, Vocabulary
from kit.errors import GraphmarkError
from kit.text import fold, tag_path
from kit.urls import url_words
from services.categorization import categories, taxonomy
from services.categorization.asking import Model
from services.categorization.choosing import Candidate
from services.categorization.neighbours import Said, heard
from services.categorization.normal import normal
from services.categorization.taxonomy import PageWords, named, tell
from services.categorization.vocabulary import alike, form_of, meant, shown

SURE: Final = 0.6
"""Where the library says so much for three tags and a category, no model is asked."""

_SURE_TAGS: Final = 3
_MAX_REASON_CHARS: Final = 500
_MAX_WORDS: Final = 60
_HINTS: Final[Mapping[str, str]] = {one.name: " ".join(one.words) for one in taxonomy.TAXONOMY}


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates for one bookmark, and why no model was asked where that was not meant so."""

    candidates: list[Candidate]
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class _Library:
    """What the neighbours bear, by id."""

    tags: dict[UUID, TagRow]
    collections: dict[UUID, CollectionRow]
    categories: Sequence[CategoryRow]


async def look(
    rows: Rows,
    model: Model,
    bookmark: BookmarkRow,
    near: Sequence[Neighbour],
    kinds: Sequence[CategoryRow],
    settings: AgentSettingsRow,
) -> Found:
    """Return the candidates for a bookmark; `near` are its nearest neighbours, `kinds` the owner's categories.

    Where the model cannot answer, what the library and the taxonomy say is enough. Raises `ProviderBusy`.
    """
    said = await heard(rows, bookmark.owner_id, near)
    library = await _library(rows, bookmark.owner_id, said, kinds)
    candidates = _of_neighbours(said, library)
    left_out = None
    if settings.ask_provider and not _is_sure(candidates, bookmark):
        try:
            candidates += await _of_model(rows, model, bookmark, said, library)
        except ProviderBusy:
            raise
        except GraphmarkError as error:
            left_out = error.message
    if not any(one.kind is ProposalKind.CATEGORY for one in candidates):
        candidates += _of_taxonomy(bookmark, kinds)
    return Found(candidates, left_out)


def _is_sure(candidates: Sequence[Candidate], bookmark: BookmarkRow) -> bool:
    sure = [one.kind for one in candidates if one.confidence >= SURE]
    is_sorted = bookmark.category_id is not None or ProposalKind.CATEGORY in sure
    return sure.count(ProposalKind.TAG) >= _SURE_TAGS and is_sorted


async def _library(rows: Rows, owner_id: UUID, said: Said, kinds: Sequence[CategoryRow]) -> _Library:
    ids: dict[ProposalKind, list[UUID]] = {kind: [] for kind in ProposalKind}
    for kind, key in said.votes:
        ids[kind].append(key)
    found = await tag_rows.by_ids(rows, owner_id, ids[ProposalKind.TAG]) if said.votes else []
    places = (
        await collection_rows.by_ids(rows, owner_id, ids[ProposalKind.COLLECTION])
        if ids[ProposalKind.COLLECTION]
        else []
    )
    return _Library({row.id: row for row in found}, {row.id: row for row in places}, kinds)


def _of_neighbours(said: Said, library: _Library) -> list[Candidate]:
    kinds = {row.id: row for row in library.categories}
    candidates = []
    for (kind, key), vote in said.votes.items():
        verb = {"TAG": "bear it", "COLLECTION": "lie there", "CATEGORY": "are of it"}[kind.value]
        reason = f"Of your {said.voters[kind]} most similar bookmarks that are sorted, {vote.supporters} {verb}."
        if kind is ProposalKind.TAG and key in library.tags:
            path = library.tags[key].path
            one = Candidate(kind, normal(path), path, vote.confidence, reason, ProposalSource.NEIGHBOURS, key)
        elif kind is ProposalKind.COLLECTION and key in library.collections:
            name = library.collections[key].name
            one = Candidate(kind, str(key), name, vote.confidence, reason, ProposalSource.NEIGHBOURS, key)
        elif kind is ProposalKind.CATEGORY and key in kinds:
            row = kinds[key]
            one = Candidate(kind, row.key, row.name, vote.confidence, reason, ProposalSource.NEIGHBOURS, key)
        else:
            continue  # it went a moment ago
        candidates.append(one)
    return candidates


async def _of_model(rows: Rows, model: Model, bookmark: BookmarkRow, said: Said, library: _Library) -> list[Candidate]:
    """Ask the model, whose vocabulary are the tags of the neighbours and those that the page's own words mean."""
    own = await alike(rows, bookmark.owner_id, _telling_words(bookmark))
    ranked = sorted(library.tags.values(), key=lambda tag: (-said.votes[ProposalKind.TAG, tag.id].confidence, tag.path))
    places = {row.name: row for row in library.collections.values()}
    vocabulary = Vocabulary(
        tags=shown([*(tag.path for tag in ranked), *(row.path for row in own)]),
        categories=() if bookmark.category_id is not None else tuple(row.name for row in library.categories),
        collections=tuple(places),
        hints=_HINTS,
    )
    choices = await model.choose(_page(bookmark), vocabulary)
    candidates = await _tags_of(rows, bookmark.owner_id, choices)
    if choices.category is not None and (kind := categories.find(library.categories, choices.category.name)):
        candidates.append(_chosen(ProposalKind.CATEGORY, kind.key, kind.name, choices.category, kind.id))
    if choices.collection is not None and (place := places.get(choices.collection.name)):
        candidates.append(_chosen(ProposalKind.COLLECTION, str(place.id), place.name, choices.collection, place.id))
    return candidates


async def _tags_of(rows: Rows, owner_id: UUID, choices: Choices) -> list[Candidate]:
    """Return the tags that a model chose: the owner's own where there is one of the name, however it is spelled."""
    known = await alike(rows, owner_id, [choice.name for choice in choices.tags])
    candidates = []
    for choice in choices.tags:
        own = meant(choice.name, known)
        if own is not None:
            candidates.append(_chosen(ProposalKind.TAG, normal(own.path), own.path, choice, own.tag_id))
        elif (form := form_of(choice.name)) is not None:
            candidates.append(_chosen(ProposalKind.TAG, form, tag_path(choice.name).path, choice, None))
    return candidates


def _chosen(kind: ProposalKind, key: str, name: str, choice: Choice, target: UUID | None) -> Candidate:
    reason = choice.reason.replace("\0", "").encode("utf-8", "replace").decode()[:_MAX_REASON_CHARS]
    return Candidate(kind, key, name, choice.confidence, reason, ProposalSource.PROVIDER, target)


def _of_taxonomy(bookmark: BookmarkRow, kinds: Sequence[CategoryRow]) -> list[Candidate]:
    told = tell(
        PageWords(
            domain=bookmark.domain,
            title=bookmark.title,
            address=url_words(bookmark.canonical_url),
            keywords=" ".join(bookmark.keywords),
            text=f"{bookmark.description or ''} {bookmark.summary or ''}",
        )
    )
    row = None if told is None else next((one for one in kinds if one.key == told.prototype.key), None)
    if told is None or row is None or named(row.name) is None:
        return []
    by = ", ".join(f"“{word}”" for word in told.by)
    reason = f"The page speaks of {by}."
    return [
        Candidate(ProposalKind.CATEGORY, row.key, row.name, told.confidence, reason, ProposalSource.TAXONOMY, row.id)
    ]


def _telling_words(bookmark: BookmarkRow) -> list[str]:
    """Return the words of a page that a tag may be called like, and pairs of them that stand side by side."""
    words = words_of(fold(f"{bookmark.title} {' '.join(bookmark.keywords)}"))[:_MAX_WORDS]
    pairs = [f"{first}{second}" for first, second in pairwise(words)]
    return [word for word in (*words, *pairs, *bookmark.keywords) if len(word) > 1]


def _page(bookmark: BookmarkRow) -> PageText:
    """Return what a model sees of a bookmark; the owner's notes are not part of it."""
    return PageText(
        url=bookmark.canonical_url,
        title=bookmark.title,
        description=bookmark.description or "",
        text="\n".join(part for part in (bookmark.summary, ", ".join(bookmark.keywords)) if part),
        language=bookmark.language,
    )
