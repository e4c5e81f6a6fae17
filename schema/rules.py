"""Rules: what is done by itself with bookmarks that a query finds."""

from datetime import datetime

import strawberry

from resolvers import rules as answer
from resolvers.compiled import answers
from resolvers.inputs.rules import RuleEvent
from resolvers.inputs.users import ApiScope
from schema.bookmarks import Bookmark
from schema.collections import Collection
from schema.directives import ListSize, requires
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection


@strawberry.type(description="What a rule does with each bookmark that its query finds.")
class RuleActions:
    """Answered by services.rules.RuleActions."""

    add_tags: list[str] = strawberry.field(description="Paths of tags that it puts on: at most 20.")
    remove_tags: list[str] = strawberry.field(description="Paths of tags that it takes off: at most 20.")
    add_collections = strawberry.field(
        resolver=answer.added_to,
        graphql_type=list[Collection],
        description="Collections that it puts bookmarks into: at most 20.",
    )
    remove_collections = strawberry.field(
        resolver=answer.removed_from,
        graphql_type=list[Collection],
        description="Collections that it takes bookmarks out of: at most 20.",
    )
    is_favorite: bool | None = strawberry.field(description="What it sets the flag to; null: leaves it.")
    is_archived: bool | None = strawberry.field(description="What it sets the flag to; null: leaves it.")
    category: str | None = strawberry.field(description="The folded name of the category that it gives.")


@strawberry.type(description="A rule: a query, when it is asked by itself, and what is done with what it finds.")
@node_type
class Rule(Node):
    """Answered by db.rules.RuleRow."""

    id = global_id("Rule")
    name: str = strawberry.field(description="1 to 200 characters.")
    query: str = strawberry.field(description="Which bookmarks, in the language of `search`.")
    events: list[RuleEvent] = strawberry.field(description="When it runs by itself.")
    actions = strawberry.field(resolver=answer.actions_of, graphql_type=RuleActions, description="What it does.")
    position: int = strawberry.field(description="Its place among the rules, from 0: they run in this order.")
    is_enabled: bool = strawberry.field(description="Whether it runs by itself.")
    error: str | None = strawberry.field(description="Why it is paused until it is changed; null while it works.")
    changed_count: int = strawberry.field(description="How many bookmarks it changed, each time counted.")
    last_run_at: datetime | None = strawberry.field(description="When it last changed a bookmark or failed.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")


@strawberry.type(description="The answer to `createRule`.")
class CreateRulePayload:
    """Answered by resolvers.mutation.Payload."""

    rule: Rule | None = strawberry.field(description="The new rule; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `updateRule`.")
class UpdateRulePayload:
    """Answered by resolvers.mutation.Payload."""

    rule: Rule | None = strawberry.field(description="The rule as it is now; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `deleteRule`.")
class DeleteRulePayload:
    """Answered by resolvers.mutation.Payload."""

    deleted_id: strawberry.ID | None = strawberry.field(description="The rule that is gone; null when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="The answer to `runRule`: one step of at most 1,000 bookmarks.")
class RunRulePayload:
    """Answered by resolvers.mutation.Payload."""

    rule: Rule | None = strawberry.field(description="The rule as it is now; null when refused.")
    matched_count: int | None = strawberry.field(
        description="How many bookmarks the query finds, counted up to 100,000; only in the first step."
    )
    changed_count: int | None = strawberry.field(description="How many bookmarks this step changed.")
    sample: list[Bookmark] | None = strawberry.field(
        description="The first of this step, at most 10; null when refused.", directives=[ListSize(assumed_size=10)]
    )
    next_cursor: str | None = strawberry.field(
        description="Send it as `after` to go on; null when nothing is left, and after a dry run."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class RuleQuery:
    """Asking for rules."""

    rules = strawberry.field(
        resolver=answer.list_rules,
        metadata=answers(),
        graphql_type=Connection[Rule],
        description="Your rules in the order in which they run: at most 200.",
        **requires(ApiScope.READ),
    )


@strawberry.type
class RuleMutation:
    """Changing and running rules."""

    create_rule = strawberry.field(
        resolver=answer.create_rule,
        graphql_type=CreateRulePayload,
        description="Make a rule.",
        **requires(ApiScope.WRITE),
    )
    update_rule = strawberry.field(
        resolver=answer.update_rule,
        graphql_type=UpdateRulePayload,
        description="Change a rule.",
        **requires(ApiScope.WRITE),
    )
    delete_rule = strawberry.field(
        resolver=answer.delete_rule,
        graphql_type=DeleteRulePayload,
        description="Delete a rule. What it did to bookmarks stays.",
        **requires(ApiScope.WRITE),
    )
    run_rule = strawberry.field(
        resolver=answer.run_rule,
        graphql_type=RunRulePayload,
        description="Run a rule on the bookmarks that are there, 1,000 a step, or only look at what it finds.",
        **requires(ApiScope.WRITE),
    )
