"""Running rules on bookmarks: each rule once for an event, in the order of the owner.

What a rule does is no event for other rules, so rules can never call each other without end; a later rule sees what an
earlier one did. Each tag, collection and category that a rule gives leaves a row among the suggestions that names the
rule, and what the owner rejected for a bookmark no rule puts on it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from db import bookmarks
from db import rules as rows_of
from db.categorization import CategoryRow
from db.categorization import suggestions as traces
from db.categorization.suggestions import ProposalKind, ProposalSource, ProposalStatus, SuggestionDraft
from db.collections import CollectionRow
from db.collections import by_ids as collections_by_ids
from db.rules import RuleRow
from db.search import matching
from db.tags import TagRow
from db.tags import by_keys as tags_by_keys
from db.unit import Unit
from kit.errors import BadInput, GraphmarkError
from kit.ids import new_id
from services import tags
from services.categorization import categories
from services.categorization.applying import Sorted, Sorting, apply, hold
from services.categorization.normal import normal
from services.permissions import Viewer
from services.rules.actions import RuleActions, RuleEvent, read
from services.search import find
from services.search.find import SearchMode

_REASON_NAME_CHARS = 100


@dataclass(slots=True)
class Ready:
    """Rules about to run, with the tags and categories that they give."""

    rules: list[tuple[RuleRow, RuleActions]]
    tags: dict[str, TagRow] = field(default_factory=dict)
    categories: dict[str, CategoryRow] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is anything to run."""
        return bool(self.rules)


async def prepare(unit: Unit, viewer: Viewer, event: RuleEvent | RuleRow) -> Ready:
    """Return the viewer's rules for an event, or one rule; make the tags that they give.

    Call it before bookmarks and collections are locked, like services.tags.ensure. A rule whose tags cannot be made is
    paused with the reason.
    """
    rules = [event] if isinstance(event, RuleRow) else await rows_of.due(unit, viewer.id, event.value)
    ready = Ready([(rule, read(rule.actions)) for rule in rules])
    if rules:
        await _make_tags(unit, viewer, ready)
        if any(actions.category is not None for _, actions in ready.rules):
            ready.categories = await categories.ensure(unit, viewer.id)
    return ready


async def _make_tags(unit: Unit, viewer: Viewer, ready: Ready) -> None:
    names = {name for _, actions in ready.rules for name in actions.add_tags}
    try:
        ready.tags = await tags.ensure(unit, viewer.id, sorted(names))
    except GraphmarkError:
        ready.rules = await _able(unit, viewer, ready)


async def _able(unit: Unit, viewer: Viewer, ready: Ready) -> list[tuple[RuleRow, RuleActions]]:
    """Return the rules whose tags can be made, and make them; one that spoils it for all is paused."""
    able = []
    for rule, actions in ready.rules:
        try:
            ready.tags |= await tags.ensure(unit, viewer.id, actions.add_tags)
            able.append((rule, actions))
        except GraphmarkError as failed:
            await rows_of.note(unit, viewer.id, rule.id, changed=0, error=failed.message)
    return able


async def run(unit: Unit, viewer: Viewer, ready: Ready, keys: Sequence[UUID], *, count_up: bool = True) -> list[UUID]:
    """Run rules on bookmarks; return the ids of those that changed, in order. Events are the caller's.

    `count_up` is false for bookmarks that are made in the same transaction: nobody has seen their version. A rule that
    cannot run is paused with the reason, and the others go on.
    """
    if not ready or not keys:
        return []
    there = await hold(unit, viewer.id, keys)
    refused = await traces.rejected(unit, viewer.id, list(there))
    changed: set[UUID] = set()
    for rule, actions in ready.rules:
        error, touched = None, set[UUID]()
        try:
            places = await _places(unit, viewer, actions)
            matched = await matches(unit, viewer, rule, list(there))
            touched = await _act(unit, viewer, _Step(rule, actions, ready, places, matched, refused))
        except GraphmarkError as failed:
            error = failed.message
        if touched or error is not None:
            await rows_of.note(unit, viewer.id, rule.id, changed=len(touched), error=error)
        changed |= touched
    ordered = sorted(changed)
    if count_up:
        await bookmarks.touch(unit, viewer.id, ordered)
    return ordered


async def matches(unit: Unit, viewer: Viewer, rule: RuleRow, keys: Sequence[UUID]) -> list[UUID]:
    """Return those of the viewer's bookmarks `keys` that a rule's query finds. Raises `BadInput`."""
    query = await find.understand(unit, viewer, rule.query, SearchMode.FULL_TEXT)
    return await matching.among(unit, viewer.id, query.condition, keys)


@dataclass(frozen=True, slots=True)
class _Step:
    """One rule, what it was prepared with, the bookmarks that it found, and what is never put on some of them."""

    rule: RuleRow
    actions: RuleActions
    ready: Ready
    places: dict[UUID, CollectionRow]
    matched: list[UUID]
    refused: set[tuple[UUID, str, str]]

    def allows(self, bookmark: UUID, kind: ProposalKind, key: str) -> bool:
        """Tell whether the owner has not rejected this for the bookmark."""
        return (bookmark, kind.value, key) not in self.refused


async def _places(unit: Unit, viewer: Viewer, actions: RuleActions) -> dict[UUID, CollectionRow]:
    """Return the collections that a rule puts bookmarks into. Raises `BadInput` when one has gone."""
    if not actions.add_collection_ids:
        return {}
    found = {row.id: row for row in await collections_by_ids(unit, viewer.id, actions.add_collection_ids)}
    if len(found) < len(actions.add_collection_ids):
        raise BadInput("A collection that this rule puts bookmarks into is gone.")
    return found


async def _act(unit: Unit, viewer: Viewer, step: _Step) -> set[UUID]:
    """Do what a rule says to the bookmarks that it found; return the ids of those that changed."""
    if not step.matched:
        return set()
    actions, changed = step.actions, set[UUID]()
    done = await apply(unit, viewer.id, await _sorting(unit, viewer, step))
    changed |= done.changed
    for name in ("is_favorite", "is_archived"):
        value = getattr(actions, name)
        if value is not None:
            changed |= await rows_of.set_flag(unit, viewer.id, name, step.matched, value=value)
    await traces.propose(unit, viewer.id, _traces(step, done), status=ProposalStatus.APPLIED)
    return changed


async def _sorting(unit: Unit, viewer: Viewer, step: _Step) -> Sorting:
    actions, sorting = step.actions, Sorting()
    gone = await tags_by_keys(unit, viewer.id, await tags.search_keys(unit, viewer, actions.remove_tags, field=()))
    category = None if actions.category is None else step.ready.categories.get(actions.category)
    for bookmark in step.matched:
        sorting.without_tags += [(bookmark, tag.id) for tag in gone.values()]
        sorting.without_collections += [(bookmark, key) for key in actions.remove_collection_ids]
        for name in actions.add_tags:
            tag = step.ready.tags[name]
            if step.allows(bookmark, ProposalKind.TAG, normal(tag.path)):
                sorting.tags.append((bookmark, tag.id))
        sorting.collections += [
            (bookmark, key) for key in step.places if step.allows(bookmark, ProposalKind.COLLECTION, str(key))
        ]
        if category is not None and step.allows(bookmark, ProposalKind.CATEGORY, category.key):
            sorting.categories.append((bookmark, category.id))
    return sorting


def _traces(step: _Step, done: Sorted) -> list[SuggestionDraft]:
    """Return what tells the owner later which rule gave a bookmark what."""
    named = {tag.id: tag for tag in step.ready.tags.values()}
    drafts = []
    for bookmark, target in sorted(done.added):
        if target in named:
            tag = named[target]
            drafts.append(_trace(step, bookmark, ProposalKind.TAG, normal(tag.path), tag.path, target))
        else:
            drafts.append(
                _trace(step, bookmark, ProposalKind.COLLECTION, str(target), step.places[target].name, target)
            )
    if step.actions.category is not None:
        category = step.ready.categories[step.actions.category]
        drafts += [
            _trace(step, bookmark, ProposalKind.CATEGORY, category.key, category.name, category.id)
            for bookmark in sorted(done.categorized)
        ]
    return drafts


def _trace(step: _Step, bookmark: UUID, kind: ProposalKind, key: str, name: str, target: UUID) -> SuggestionDraft:
    return SuggestionDraft(
        id=new_id(),
        bookmark_id=bookmark,
        kind=kind,
        key=key,
        name=name,
        confidence=1.0,
        reason=f"Your rule “{step.rule.name[:_REASON_NAME_CHARS]}” says so.",
        source=ProposalSource.RULE,
        tag_id=target if kind is ProposalKind.TAG else None,
        collection_id=target if kind is ProposalKind.COLLECTION else None,
        category_id=target if kind is ProposalKind.CATEGORY else None,
        rule_id=step.rule.id,
    )
