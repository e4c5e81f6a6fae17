"""Keeping what is proposed for a bookmark, and applying at once what its owner allows."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from db import bookmarks
from db import tags as tag_rows
from db.categorization import AgentSettingsRow, evidence
from db.categorization import suggestions as rows_of
from db.categorization.suggestions import ProposalKind, ProposalStatus, SuggestionDraft, SuggestionRow
from db.tags import TagRow
from db.unit import Rows, Unit
from kit.ids import new_id
from services import tags
from services.categorization.applying import apply, hold
from services.categorization.choosing import Candidate, Has, chosen
from services.categorization.deciding import sorting_of
from services.categorization.normal import normal


async def make_tags(
    unit: Unit, owner_id: UUID, candidates: Sequence[Candidate], settings: AgentSettingsRow
) -> dict[str, TagRow]:
    """Make the new tags among `candidates` that would be applied at once; return them by name.

    Call it before bookmarks are locked.
    """
    least = settings.auto_apply_above
    if least is None or not settings.propose_new_tags:
        return {}
    names = {one.name for one in candidates if _is_new_tag(one) and one.confidence >= least}
    return await tags.ensure(unit, owner_id, sorted(names))


async def store(
    unit: Unit,
    owner_id: UUID,
    key: UUID,
    candidates: Sequence[Candidate],
    settings: AgentSettingsRow,
    made: dict[str, TagRow],
) -> tuple[list[SuggestionRow], bool]:
    """Keep what is worth proposing for a bookmark now; return that, and whether the bookmark was changed by it.

    What waited and is no longer proposed is put away. A bookmark that is gone or in the trash gets nothing.
    """
    row = (await hold(unit, owner_id, [key])).get(key)
    if row is None or row.deleted_at is not None:
        return [], False
    refused = {(kind, name) for _, kind, name in await rows_of.rejected(unit, owner_id, [key])}
    picked = chosen(
        candidates,
        await has_now(unit, owner_id, key),
        rejected=refused,
        verdicts=await rows_of.verdicts(unit, owner_id, {one.key for one in candidates}),
        propose_new_tags=settings.propose_new_tags,
    )
    kept = await rows_of.propose(unit, owner_id, [_draft(key, one) for one in picked])
    await rows_of.supersede(unit, owner_id, [key], [one.id for one in kept])
    return await _apply_sure(unit, owner_id, kept, settings, made)


async def has_now(rows: Rows, owner_id: UUID, key: UUID) -> Has:
    """Return how a bookmark is sorted now."""
    borne = (await evidence.borne(rows, owner_id, [key])).get(key)
    if borne is None:
        return Has()
    own = await tag_rows.by_ids(rows, owner_id, borne.tag_ids)
    return Has(
        tags=frozenset(normal(tag.path) for tag in own),
        collections=frozenset(map(str, borne.collection_ids)),
        is_categorized=borne.category_id is not None,
    )


async def _apply_sure(
    unit: Unit, owner_id: UUID, kept: list[SuggestionRow], settings: AgentSettingsRow, made: dict[str, TagRow]
) -> tuple[list[SuggestionRow], bool]:
    least = settings.auto_apply_above
    if least is None:
        return kept, False
    sure = [
        replace(one, tag_id=one.tag_id or made[one.name].id)
        if one.name in made and one.kind == ProposalKind.TAG
        else one
        for one in kept
        if one.confidence >= least
    ]
    sure = [one for one in sure if one.tag_id or one.collection_id or one.category_id]
    done = await apply(unit, owner_id, sorting_of(sure))
    applied = {
        one.id: one
        for one in sure
        if (one.bookmark_id in done.categorized and one.kind == ProposalKind.CATEGORY)
        or (one.bookmark_id, one.tag_id or one.collection_id) in done.added
    }
    decided = await rows_of.decide(
        unit, owner_id, applied, ProposalStatus.APPLIED, tag_ids=[one.tag_id for one in applied.values()]
    )
    await bookmarks.touch(unit, owner_id, sorted(done.changed))
    now = {one.id: one for one in decided}
    return [now.get(one.id, one) for one in kept], bool(done.changed)


def _draft(key: UUID, one: Candidate) -> SuggestionDraft:
    return SuggestionDraft(
        id=new_id(),
        bookmark_id=key,
        kind=one.kind,
        key=one.key,
        name=one.name,
        confidence=one.confidence,
        reason=one.reason,
        source=one.source,
        tag_id=one.target_id if one.kind is ProposalKind.TAG else None,
        collection_id=one.target_id if one.kind is ProposalKind.COLLECTION else None,
        category_id=one.target_id if one.kind is ProposalKind.CATEGORY else None,
    )


def _is_new_tag(one: Candidate) -> bool:
    return one.kind is ProposalKind.TAG and one.target_id is None
