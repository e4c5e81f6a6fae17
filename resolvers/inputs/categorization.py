"""What proposals are asked for and decided with."""

import strawberry

from db.categorization.suggestions import ProposalKind, ProposalSource, ProposalStatus
from resolvers.inputs.enums import described

__all__ = ["ProposalKind", "ProposalSource", "ProposalStatus"]

described(
    ProposalKind,
    "What is proposed for a bookmark.",
    name="SuggestedKind",
    TAG="A tag, one of yours or a new one.",
    COLLECTION="A collection to put it into.",
    CATEGORY="A category.",
)
described(
    ProposalSource,
    "Where a proposal comes from.",
    name="SuggestionSource",
    RULE="One of your rules did it.",
    NEIGHBOURS="Similar bookmarks of yours are sorted so.",
    PROVIDER="A model proposes it.",
    TAXONOMY="Words and site of the page tell it.",
)
described(
    ProposalStatus,
    "What became of a proposal.",
    name="SuggestionStatus",
    PENDING="It waits for your decision.",
    ACCEPTED="You accepted it.",
    REJECTED="You rejected it; it is not proposed again.",
    APPLIED="It was done at once, by a rule or above the confidence that you set; rejecting takes it back.",
    SUPERSEDED="A later look no longer proposes it.",
)


@strawberry.input(description="Which proposals; all conditions that are given must be met.")
class SuggestionFilter:
    """For lists of proposals."""

    status: ProposalStatus | None = strawberry.field(default=None, description="Of which this became.")
    kind: ProposalKind | None = strawberry.field(default=None, description="Of this kind.")
    source: ProposalSource | None = strawberry.field(default=None, description="That come from there.")
    bookmark_id: strawberry.ID | None = strawberry.field(default=None, description="For this bookmark.")
    min_confidence: float | None = strawberry.field(default=None, description="At least this sure: 0 to 1.")


@strawberry.input(description="Proposals to accept: either `ids` or `above`.")
class AcceptSuggestionsInput:
    """For `acceptSuggestions`."""

    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="1 to 1,000 proposals.")
    above: float | None = strawberry.field(
        default=None, description="All that wait with at least this confidence, 0 to 1; the surest 1,000 of them."
    )
    filter: SuggestionFilter | None = strawberry.field(default=None, description="With `above`: only these.")


@strawberry.input(description="Proposals to reject.")
class RejectSuggestionsInput:
    """For `rejectSuggestions`."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 proposals.")


@strawberry.input(description="What to change of your agents' settings. What is left out stays as it is.")
class UpdateAgentSettingsInput:
    """For `updateAgentSettings`."""

    auto_apply_above: strawberry.Maybe[float | None] = strawberry.field(
        default=None, description="Apply proposals of at least this confidence (0 to 1) at once; null: never."
    )
    propose_new_tags: bool | None = strawberry.field(
        default=None, description="Whether to propose tags that you do not have yet."
    )
    ask_provider: bool | None = strawberry.field(
        default=None, description="Whether to ask a model where your own library does not tell."
    )
    recheck_links: bool | None = strawberry.field(
        default=None, description="Whether to check links again and again without being asked."
    )
