"""What pages say."""

from datetime import datetime
from typing import TypeVar

import strawberry

from resolvers import enrichment as answer
from resolvers.compiled import with_columns
from resolvers.inputs.scalars import Url

T = TypeVar("T", bound=type)


def _page_type(cls: T) -> T:
    """Say that the fields are columns of a page's row."""
    return with_columns(cls, answer.SOURCE.values)


@strawberry.type(description="A page as it was last read.")
@_page_type
class Page:
    """Answered by db.enrichment.shown.PageView."""

    url: Url = strawberry.field(description="Where it was read: behind all redirects of the bookmark's address.")
    content_type: str = strawberry.field(
        description="What its server called it, such as `text/html`, at most 200 characters; empty when nothing."
    )
    text: str = strawberry.field(
        description="Its main text without navigation, at most 50,000 characters; empty for what is no text."
    )
    is_rendered: bool = strawberry.field(description="Whether a browser ran its scripts before it was read.")
    fetched_at: datetime = strawberry.field(description="When it was last fetched, also if it had not changed.")
