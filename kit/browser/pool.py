"""What a browser gives."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page as a browser shows it: where it ended, its HTML after scripts, and a PNG when one was asked for."""

    url: str
    html: str
    screenshot: bytes | None


class Browser(Protocol):
    """Renders pages, each in a context of its own."""

    async def render(self, url: str, *, screenshot: bool = False, deadline_seconds: float = 30.0) -> Rendered:
        """Open `url` and return what it became. Raises `kit.fetch.FetchError`, as fetching it would."""
        ...
