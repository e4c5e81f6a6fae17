"""Rules in the graph."""

from collections.abc import Sequence
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db import rules as rows
from db.collections import CollectionRow
from db.rules import RuleRow
from db.unit import Unit
from kit.ids import decode_global_id, decode_keys
from kit.paging import decode_cursor, encode_cursor, page_request
from resolvers import collections
from resolvers.context import Info, viewer_of
from resolvers.ids import global_ids
from resolvers.inputs.rules import (
    CreateRuleInput,
    DeleteRuleInput,
    RuleActionsInput,
    RunRuleInput,
    UpdateRuleInput,
)
from resolvers.loaders import load_row
from resolvers.mutation import Payload, change
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import rules
from services.rules import NewRule, RuleActions, RuleChanges
from services.rules.actions import read

TYPE = "Rule"
SOURCE = rows.SOURCE
_RUN_ORDER = "rule-run"
Create = Annotated[CreateRuleInput, strawberry.argument(description="What to make.")]
Update = Annotated[UpdateRuleInput, strawberry.argument(description="What to change.")]
Delete = Annotated[DeleteRuleInput, strawberry.argument(description="What to delete.")]
Run = Annotated[RunRuleInput, strawberry.argument(description="What to run.")]


async def list_rules(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> ConnectionRows[RuleRow]:
    """Return the viewer's rules in the order in which they run."""
    viewer, database = viewer_of(info), info.context.database
    request = page_request(rules.ORDER, rules.KINDS, first=first, after=after, last=last, before=before)
    placed = await rules.page(database, viewer, request, shape_of(info, TYPE, rows.WHOLE))
    return connection(request, rules.ORDER, placed, lambda: rules.count(database, viewer))


async def find(info: Info, key: UUID) -> RuleRow | None:
    """Return one rule of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


def actions_of(row: strawberry.Parent[RuleRow]) -> RuleActions:
    """Return what a rule does."""
    return read(row.actions)


async def added_to(actions: strawberry.Parent[RuleActions], info: Info) -> list[CollectionRow]:
    """Return the collections that a rule puts bookmarks into, as far as they are there."""
    return await _there(info, actions.add_collection_ids)


async def removed_from(actions: strawberry.Parent[RuleActions], info: Info) -> list[CollectionRow]:
    """Return the collections that a rule takes bookmarks out of, as far as they are there."""
    return await _there(info, actions.remove_collection_ids)


async def create_rule(info: Info, input: Create) -> Payload:  # noqa: A002  the name of the API
    """Make a rule."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        new = NewRule(
            name=input.name,
            query=input.query,
            events=input.events,
            actions=_actions(input.actions),
            position=input.position,
            is_enabled=input.is_enabled,
        )
        return Payload(rule=await rules.create(unit, viewer, new))

    return await change(info, work)


async def update_rule(info: Info, input: Update) -> Payload:  # noqa: A002  the name of the API
    """Change a rule."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(rule=await rules.update(unit, viewer, _key(input.id), _changed(input)))

    return await change(info, work)


async def delete_rule(info: Info, input: Delete) -> Payload:  # noqa: A002  the name of the API
    """Remove a rule; what it did stays."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(deleted_id=global_ids(TYPE, [await rules.delete(unit, viewer, _key(input.id))])[0])

    return await change(info, work)


async def run_rule(info: Info, input: Run) -> Payload:  # noqa: A002  the name of the API
    """Run a rule on the bookmarks that are there, a step at a time."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        after = None if input.after is None else cast("UUID", decode_cursor(_RUN_ORDER, input.after, (UUID,))[0])
        done = await rules.run_step(unit, viewer, _key(input.id), after=after, dry_run=input.dry_run)
        return Payload(
            rule=done.rule,
            matched_count=done.matched,
            changed_count=done.changed,
            sample=done.sample,
            next_cursor=None if done.next_after is None else encode_cursor(_RUN_ORDER, (done.next_after,)),
        )

    return await change(info, work)


async def _there(info: Info, keys: Sequence[UUID]) -> list[CollectionRow]:
    found = [await collections.find(info, key) for key in keys]
    return [row for row in found if row is not None]


def _key(given: str) -> UUID:
    return decode_global_id(given, expected=TYPE, field=("input", "id"))[1]


def _actions(given: RuleActionsInput) -> RuleActions:
    field = ("input", "actions")
    return RuleActions(
        add_tags=tuple(given.add_tags),
        remove_tags=tuple(given.remove_tags),
        add_collection_ids=tuple(
            decode_keys(given.add_collection_ids, collections.TYPE, field=(*field, "addCollectionIds"))
        ),
        remove_collection_ids=tuple(
            decode_keys(given.remove_collection_ids, collections.TYPE, field=(*field, "removeCollectionIds"))
        ),
        is_favorite=given.is_favorite,
        is_archived=given.is_archived,
        category=given.category,
    )


def _changed(new: UpdateRuleInput) -> RuleChanges:
    names = ("name", "query", "events", "position", "is_enabled")
    changes: dict[str, Any] = {name: value for name in names if (value := getattr(new, name)) is not None}
    if new.actions is not None:
        changes["actions"] = _actions(new.actions)
    return cast("RuleChanges", changes)
