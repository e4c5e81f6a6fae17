"""What rules are made of."""

import strawberry

from resolvers.inputs.enums import described
from services.rules import RuleEvent

__all__ = ["RuleEvent"]

described(
    RuleEvent,
    "When a rule runs by itself, once for each event. `runRule` runs it at any time.",
    BOOKMARK_CREATED="A bookmark was saved.",
    IMPORTED="A bookmark came in by an import.",
    ENRICHED="Agents have looked at the page and sort the bookmark.",
)


@strawberry.input(description="What a rule does with each bookmark that its query finds; at least one thing.")
class RuleActionsInput:
    """For `createRule` and `updateRule`."""

    add_tags: list[str] = strawberry.field(
        default_factory=list, description="Tags to put on, made when new: at most 20 paths."
    )
    remove_tags: list[str] = strawberry.field(default_factory=list, description="Tags to take off: at most 20 paths.")
    add_collection_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Collections to put it into: at most 20."
    )
    remove_collection_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Collections to take it out of: at most 20."
    )
    is_favorite: bool | None = strawberry.field(default=None, description="Mark it as favourite, or not.")
    is_archived: bool | None = strawberry.field(default=None, description="Archive it, or take it back.")
    category: str | None = strawberry.field(default=None, description="The name of the category to give it.")


@strawberry.input(description="A rule to make.")
class CreateRuleInput:
    """For `createRule`."""

    name: str = strawberry.field(description="What it is called: 1 to 200 characters.")
    query: str = strawberry.field(
        description="Which bookmarks, in the language of `search`: at most 1,000 characters and 50 terms."
    )
    events: list[RuleEvent] = strawberry.field(
        description="When it runs by itself; empty for a rule that only `runRule` runs."
    )
    actions: RuleActionsInput = strawberry.field(description="What it does.")
    position: int | None = strawberry.field(
        default=None, description="Its place among the rules, from 0; the last when left out."
    )
    is_enabled: bool = strawberry.field(default=True, description="Whether it runs by itself.")


@strawberry.input(description="What to change of a rule. What is left out stays as it is. A failed one goes on.")
class UpdateRuleInput:
    """For `updateRule`."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    query: str | None = strawberry.field(default=None, description="In the language of `search`.")
    events: list[RuleEvent] | None = strawberry.field(default=None, description="All events that it is to run at.")
    actions: RuleActionsInput | None = strawberry.field(default=None, description="All that it is to do.")
    position: int | None = strawberry.field(default=None, description="Its place among the rules, from 0.")
    is_enabled: bool | None = strawberry.field(default=None, description="Whether it runs by itself.")


@strawberry.input(description="A rule to delete.")
class DeleteRuleInput:
    """For `deleteRule`."""

    id: strawberry.ID = strawberry.field(description="The rule.")


@strawberry.input(description="A rule to run on the bookmarks that are there.")
class RunRuleInput:
    """For `runRule`."""

    id: strawberry.ID = strawberry.field(description="The rule, enabled or not.")
    dry_run: bool = strawberry.field(default=False, description="Change nothing, only tell what it finds.")
    after: str | None = strawberry.field(default=None, description="The `nextCursor` of the step before.")
