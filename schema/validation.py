"""Links: how they fare, their history, and bookmarks that lead to the same page."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import strawberry

from resolvers import validation as answer
from resolvers.compiled import answers, with_columns
from resolvers.inputs.scalars import Url
from resolvers.inputs.users import ApiScope
from resolvers.inputs.validation import ContentState, LinkDetail, LinkStatus, Verdict
from schema.directives import Cost, ListSize, requires
from schema.errors import UserError
from schema.paging import Connection

if TYPE_CHECKING:
    from schema.bookmarks import Bookmark

T = TypeVar("T", bound=type)
LazyBookmark = Annotated["Bookmark", strawberry.lazy("schema.bookmarks")]
GROUPS_COST = 200  # walks the checked links of the account


def _link_type(cls: T) -> T:
    """Say that the fields are computed of a bookmark's row."""
    return with_columns(cls, answer.SOURCE.values)


def _check_type(cls: T) -> T:
    """Say that the fields are columns of a check's row."""
    return with_columns(cls, answer.CHECK_SOURCE.values)


@strawberry.type(description="How the link of a bookmark fares.")
@_link_type
class LinkHealth:
    """Answered by db.validation.shown.LinkHealthRow."""

    status: LinkStatus = strawberry.field(description="What the last check saw.")
    detail: LinkDetail | None = strawberry.field(description="Why, where the status does not tell.")
    verdict: Verdict = strawberry.field(description="What is believed after all checks.")
    http_status: int | None = strawberry.field(description="The HTTP status of the last answer; null without one.")
    final_url: Url | None = strawberry.field(description="Where the link ended, after all redirects.")
    permanent_url: Url | None = strawberry.field(
        description="The address that it has moved to for ever, as two checks saw; `acceptRedirects` takes it over."
    )
    checked_at: datetime | None = strawberry.field(description="When it was last checked; null before the first time.")
    next_check_at: datetime | None = strawberry.field(description="When it is due to be checked again.")
    archive_url: Url | None = strawberry.field(
        description="An archived copy of about when it was saved; looked for when the link seems broken."
    )
    failures: int = strawberry.field(description="How many checks in a row did not find the page.")
    content: ContentState = strawberry.field(description="How the page compares with what it said at first.")


@strawberry.type(description="One check of a link.")
@_check_type
class LinkCheck:
    """Answered by db.validation.health.CheckRow."""

    checked_at: datetime = strawberry.field(description="When it was made.")
    status: LinkStatus = strawberry.field(description="What it saw.")
    detail: LinkDetail | None = strawberry.field(description="Why, where the status does not tell.")
    verdict: Verdict = strawberry.field(description="What was believed after it.")
    http_status: int | None = strawberry.field(description="The HTTP status of the answer; null without one.")
    final_url: Url | None = strawberry.field(description="Where the link ended, after all redirects.")
    content_state: ContentState = strawberry.field(
        description="How the page compared with what it said at first.", name="content"
    )
    duration_ms: int = strawberry.field(description="How long it took, waiting for the host's turn included, in ms.")


@strawberry.type(description="Two or more bookmarks that have something in common.")
class DuplicateGroup:
    """Answered by db.validation.duplicates.DuplicateRow."""

    size: int = strawberry.field(description="How many bookmarks it has.")
    bookmarks = strawberry.field(
        resolver=answer.group_bookmarks,
        metadata=answers(),
        graphql_type=list[LazyBookmark],
        description="They themselves, the one that was saved first leading: at most 100.",
    )


@strawberry.type(description="The answer to `acceptRedirects`.")
class AcceptRedirectsPayload:
    """Answered by resolvers.mutation.Payload."""

    bookmarks: list[LazyBookmark] | None = strawberry.field(
        description="Those that have their new address; null when refused as a whole.",
        directives=[ListSize(assumed_size=100)],
    )
    user_errors: list[UserError] = strawberry.field(
        description="One for each id that was left alone, its place at the end of `field`; the others were changed."
    )


@strawberry.type
class ValidationQuery:
    """Asking for what checks found."""

    duplicate_groups = strawberry.field(
        resolver=answer.duplicate_groups,
        graphql_type=Connection[DuplicateGroup],
        description="Bookmarks outside the trash that lead to the same page under different addresses.",
        **requires(ApiScope.READ, also=[Cost(weight=GROUPS_COST)]),
    )


@strawberry.type
class ValidationMutation:
    """Doing what checks suggest."""

    accept_redirects = strawberry.field(
        resolver=answer.accept_redirects,
        graphql_type=AcceptRedirectsPayload,
        description="Give bookmarks the addresses that they have moved to for ever (`link.permanentUrl`).",
        **requires(ApiScope.WRITE),
    )
