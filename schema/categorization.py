"""Categories, proposals of how to sort bookmarks, and what the agents may do by themselves."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import strawberry

from resolvers import categorization as answer
from resolvers.compiled import answers, with_columns
from resolvers.inputs.categorization import ProposalKind, ProposalSource, ProposalStatus
from resolvers.inputs.users import ApiScope
from schema.collections import Collection
from schema.directives import ListSize, requires
from schema.errors import UserError
from schema.node import Node, global_id, node_type
from schema.paging import Connection
from schema.tags import Tag

if TYPE_CHECKING:
    from schema.bookmarks import Bookmark

T = TypeVar("T", bound=type)
LazyBookmark = Annotated["Bookmark", strawberry.lazy("schema.bookmarks")]


def _settings_type(cls: T) -> T:
    """Say that the fields without a resolver are computed of an account's row."""
    return with_columns(cls, answer.SETTINGS.values)


@strawberry.type(description="What kind of page a bookmark is: one of 23, each account's own.")
@node_type
class Category(Node):
    """Answered by db.categorization.CategoryRow."""

    id = global_id("Category")
    name: str = strawberry.field(description="Its name: 1 to 100 characters.")
    color: str | None = strawberry.field(description="Like `#1e90ff`.")
    position: int = strawberry.field(description="Its place in the list, from 1.")


@strawberry.type(description="A proposal of how to sort a bookmark. What was rejected once is not proposed again.")
@node_type
class Suggestion(Node):
    """Answered by db.categorization.suggestions.SuggestionRow."""

    id = global_id("Suggestion")
    kind: ProposalKind = strawberry.field(description="What is proposed.")
    bookmark = strawberry.field(
        resolver=answer.bookmark_of,
        metadata=answers(needs=("bookmark_id",)),
        graphql_type=LazyBookmark,
        description="For which bookmark.",
    )
    tag = strawberry.field(
        resolver=answer.tag_of,
        metadata=answers(answer.TAG),
        graphql_type=Tag | None,
        description="The tag, if there is such a tag.",
    )
    tag_name: str | None = strawberry.field(
        description="The path of the tag as it was proposed, made when it is accepted; null for other kinds."
    )
    collection = strawberry.field(
        resolver=answer.collection_of,
        metadata=answers(answer.COLLECTION),
        graphql_type=Collection | None,
        description="The collection to put it into; null for other kinds.",
    )
    category = strawberry.field(
        resolver=answer.category_of,
        metadata=answers(answer.CATEGORY),
        graphql_type=Category | None,
        description="The category to give it; null for other kinds.",
    )
    confidence: float = strawberry.field(description="How sure it is: 0 to 1.")
    reason: str = strawberry.field(description="Why, in a sentence: at most 500 characters.")
    source: ProposalSource = strawberry.field(description="Where it comes from.")
    status: ProposalStatus = strawberry.field(description="What became of it.")
    created_at: datetime = strawberry.field(description="When it was first proposed.")
    decided_at: datetime | None = strawberry.field(description="When it was accepted, rejected or applied.")


@strawberry.type(description="What the agents may do with your bookmarks by themselves.")
@_settings_type
class AgentSettings:
    """Answered by db.categorization.AgentSettingsRow."""

    auto_apply_above: float | None = strawberry.field(
        description="Proposals of at least this confidence (0 to 1) are applied at once; null: never."
    )
    propose_new_tags: bool = strawberry.field(description="Whether tags that you do not have yet are proposed.")
    ask_provider: bool = strawberry.field(description="Whether a model is asked where your own library does not tell.")
    recheck_links: bool = strawberry.field(description="Whether links are checked again and again without being asked.")


@strawberry.type(description="The answer to `acceptSuggestions`.")
class AcceptSuggestionsPayload:
    """Answered by resolvers.mutation.Payload."""

    suggestions: list[Suggestion] | None = strawberry.field(
        description="Those that are accepted now, at most 1,000; null when refused as a whole.",
        directives=[ListSize(assumed_size=100)],
    )
    remaining_count: int | None = strawberry.field(
        description="With `above`: how many more there are; call again until it is 0. 0 with `ids`."
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each id that was left alone, its place at the end of `field`; the others were accepted."
    )


@strawberry.type(description="The answer to `rejectSuggestions`.")
class RejectSuggestionsPayload:
    """Answered by resolvers.mutation.Payload."""

    suggestions: list[Suggestion] | None = strawberry.field(
        description="Those that are rejected now, at most 1,000; null when refused as a whole.",
        directives=[ListSize(assumed_size=100)],
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each id that was left alone, its place at the end of `field`; the others were rejected."
    )


@strawberry.type(description="The answer to `updateAgentSettings`.")
class UpdateAgentSettingsPayload:
    """Answered by resolvers.mutation.Payload."""

    agent_settings: AgentSettings | None = strawberry.field(
        description="The settings as they are now; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class CategorizationQuery:
    """Asking for categories and proposals."""

    categories = strawberry.field(
        resolver=answer.list_categories,
        metadata=answers(),
        graphql_type=list[Category],
        description="Your categories in their order: 23.",
        **requires(ApiScope.READ, also=[ListSize(assumed_size=23)]),
    )
    suggestions = strawberry.field(
        resolver=answer.list_suggestions,
        metadata=answers(),
        graphql_type=Connection[Suggestion],
        description="What is proposed for your bookmarks outside the trash, the surest first.",
        **requires(ApiScope.READ),
    )


@strawberry.type
class CategorizationMutation:
    """Deciding about proposals."""

    accept_suggestions = strawberry.field(
        resolver=answer.accept_suggestions,
        graphql_type=AcceptSuggestionsPayload,
        description="Do what is proposed: by ids, or all that waits above a confidence, at most 1,000 a call.",
        **requires(ApiScope.WRITE),
    )
    reject_suggestions = strawberry.field(
        resolver=answer.reject_suggestions,
        graphql_type=RejectSuggestionsPayload,
        description="Refuse proposals for ever. What was applied by itself is taken off the bookmark again.",
        **requires(ApiScope.WRITE),
    )
    update_agent_settings = strawberry.field(
        resolver=answer.update_agent_settings,
        graphql_type=UpdateAgentSettingsPayload,
        description="Change what the agents may do with your bookmarks by themselves.",
        **requires(ApiScope.WRITE),
    )
