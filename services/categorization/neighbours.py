"""The bookmarks of the owner's own library that are most like one, and what they say about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db import embedding
from db.bookmarks import BookmarkRow
from db.categorization import evidence
from db.categorization.evidence import BorneRow
from db.categorization.suggestions import ProposalKind
from db.unit import Rows
from kit.ai import BadAnswer
from services.categorization.asking import Model
from services.categorization.voting import Neighbour, Vote, vote

NEAREST: Final = 30
MAX_TEXT_CHARS: Final = 4_000

Label = tuple[ProposalKind, UUID]


@dataclass(frozen=True, slots=True)
class Said:
    """What the neighbours say for tags, collections and categories, and how many of them are sorted by each kind."""

    votes: Mapping[Label, Vote]
    voters: Mapping[ProposalKind, int]


NOTHING: Final = Said({}, {})


async def near(
    rows: Rows, model: Model, owner_id: UUID, bookmarks: Sequence[BookmarkRow]
) -> dict[UUID, list[embedding.Neighbour]]:
    """Return the nearest bookmarks of each, by their vectors; one that is not embedded yet is embedded for this.

    Nothing is near before anything was embedded. Raises what `Model.embed` raises, but for a bad answer.
    """
    space = await embedding.active_space(rows)
    if space is None:
        return {}
    found = await embedding.neighbours_of(rows, owner_id, [row.id for row in bookmarks], NEAREST, space=space)
    missing = [row for row in bookmarks if not found.get(row.id)]
    if missing and (model.space.name, model.space.dimensions) == (space.name, space.dimensions):
        try:
            vectors = await model.embed([text_of(row) for row in missing])
        except BadAnswer:
            return found
        for row, vector in zip(missing, vectors, strict=False):
            if len(vector) == space.dimensions and any(vector):
                alike = await embedding.neighbours(rows, owner_id, vector, NEAREST + 1, space=space)
                found[row.id] = [one for one in alike if one.bookmark_id != row.id][:NEAREST]
    return found


async def heard(rows: Rows, owner_id: UUID, alike: Sequence[embedding.Neighbour]) -> Said:
    """Return what these neighbours say."""
    if not alike:
        return NOTHING
    borne = await evidence.borne(rows, owner_id, [one.bookmark_id for one in alike])
    counted = await evidence.frequencies(
        rows,
        tags={key for row in borne.values() for key in row.tag_ids},
        collections={key for row in borne.values() for key in row.collection_ids},
    )
    size = await evidence.library_size(rows, owner_id)
    votes: dict[Label, Vote] = {}
    voters: dict[ProposalKind, int] = {}
    for kind in ProposalKind:
        # Who has no tag at all says nothing about tags.
        voting = [
            Neighbour(one.bookmark_id, one.similarity, labels)
            for one in alike
            if one.bookmark_id in borne and (labels := labels_of(borne[one.bookmark_id], kind))
        ]
        votes |= vote(voting, {(kind, key): number for key, number in counted.items()}, size)
        voters[kind] = len(voting)
    return Said(votes, voters)


def labels_of(row: BorneRow, kind: ProposalKind) -> frozenset[Label]:
    """Return what a bookmark bears of one kind."""
    match kind:
        case ProposalKind.TAG:
            return frozenset((kind, key) for key in row.tag_ids)
        case ProposalKind.COLLECTION:
            return frozenset((kind, key) for key in row.collection_ids)
        case ProposalKind.CATEGORY:
            return frozenset() if row.category_id is None else frozenset({(kind, row.category_id)})


def text_of(row: BookmarkRow) -> str:
    """Return what is compared of a bookmark that is not embedded yet. The owner's notes are not part of it."""
    parts = (row.title, row.description, row.summary, " ".join(row.keywords), row.domain.removeprefix("www."))
    return "\n".join(part for part in parts if part)[:MAX_TEXT_CHARS]
