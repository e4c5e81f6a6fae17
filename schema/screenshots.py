"""Pictures of pages."""

from datetime import datetime
from typing import TypeVar

import strawberry

from resolvers import screenshots as answer
from resolvers.compiled import with_columns

T = TypeVar("T", bound=type)


def _screenshot_type(cls: T) -> T:
    """Say that the fields are columns of a picture's row."""
    return with_columns(cls, answer.SOURCE.values)


@strawberry.type(description="How a page looked, as PNG.")
@_screenshot_type
class Screenshot:
    """Answered by db.screenshots.ScreenshotRow."""

    path: str = strawberry.field(
        description="Path on this server where its owner gets it, with a bearer token or the session cookie. Another"
        " picture has another path."
    )
    width: int = strawberry.field(description="In pixels.")
    height: int = strawberry.field(description="In pixels.")
    size_bytes: int = strawberry.field(description="Size of the PNG in bytes: at most 2,000,000.")
    taken_at: datetime = strawberry.field(description="When it was taken.")
