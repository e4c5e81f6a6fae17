"""Making rules, changing and removing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict
from uuid import UUID

from db import rules as rows_of
from db.rules import RuleRow
from db.unit import Unit
from kit.errors import BadInput, Conflict
from kit.ids import new_id
from kit.text import name_of
from services.permissions import Viewer, own
from services.rules.actions import RuleActions, RuleEvent, checked
from services.search import find

MAX_RULES: Final = 200
"""Most rules of one account: each of them may be asked for every bookmark that comes in."""

MAX_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """What a rule is made of. `position` counts from 0; None puts it last."""

    name: str
    query: str
    events: Sequence[RuleEvent]
    actions: RuleActions
    position: int | None = None
    is_enabled: bool = True


class RuleChanges(TypedDict, total=False):
    """What to change of a rule; what is left out stays."""

    name: str
    query: str
    events: Sequence[RuleEvent]
    actions: RuleActions
    position: int
    is_enabled: bool


async def create(unit: Unit, viewer: Viewer, new: NewRule) -> RuleRow:
    """Make a rule. Raises `BadInput`, `NotFound` for a collection, `Conflict` beyond 200 rules."""
    changes: RuleChanges = {
        "name": new.name,
        "query": new.query,
        "events": new.events,
        "actions": new.actions,
        "is_enabled": new.is_enabled,
    }
    values = await _clean(unit, viewer, changes)
    await rows_of.lock_owner(unit, viewer.id)
    number = await rows_of.count(unit, viewer.id)
    if number >= MAX_RULES:
        raise Conflict(f"An account has at most {MAX_RULES} rules.")
    row = await rows_of.insert(unit, viewer.id, new_id(), {**values, "position": number})
    if new.position is not None:
        return await _placed(unit, viewer, row.id, new.position)
    return row


async def update(unit: Unit, viewer: Viewer, key: UUID, changes: RuleChanges) -> RuleRow:
    """Change a rule; one that was paused because it failed goes on. Raises `NotFound`, and like `create`."""
    await rows_of.lock_owner(unit, viewer.id)
    own(viewer, await rows_of.by_id(unit, viewer.id, key), "rule", field=("input", "id"))
    values = await _clean(unit, viewer, changes)
    row = own(viewer, await rows_of.update(unit, viewer.id, key, {**values, "error": None}), "rule").row
    if "position" in changes:
        return await _placed(unit, viewer, key, changes["position"])
    return row


async def delete(unit: Unit, viewer: Viewer, key: UUID) -> UUID:
    """Remove a rule; what it did stays. Raises `NotFound`."""
    await rows_of.lock_owner(unit, viewer.id)
    row = own(viewer, await rows_of.by_id(unit, viewer.id, key), "rule", field=("input", "id")).row
    await rows_of.delete(unit, viewer.id, row.id)
    return row.id


async def _placed(unit: Unit, viewer: Viewer, key: UUID, position: int) -> RuleRow:
    if position < 0:
        raise BadInput("`position` counts from 0.", field=("input", "position"))
    await rows_of.place(unit, viewer.id, key, position)
    return own(viewer, await rows_of.by_id(unit, viewer.id, key), "rule").row


async def _clean(unit: Unit, viewer: Viewer, changes: RuleChanges) -> dict[str, Any]:
    """Return the columns for what was given. Raises `BadInput` naming the field."""
    values: dict[str, Any] = {}
    if "name" in changes:
        values["name"] = name_of(
            changes["name"], what="A rule's name", max_chars=MAX_NAME_CHARS, field=("input", "name")
        )
    if "query" in changes:
        await find.understandable(unit, viewer, changes["query"], field=("input", "query"))
        values["query"] = changes["query"]
    if "events" in changes:
        values["events"] = [event.value for event in dict.fromkeys(changes["events"])]
    if "actions" in changes:
        values["actions"] = (await checked(unit, viewer, changes["actions"])).stored
    if "is_enabled" in changes:
        values["is_enabled"] = changes["is_enabled"]
    return values
