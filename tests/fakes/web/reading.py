"""What should have been read from an edition of a page, as plain values by the names that `kit.page.Page` has."""

from datetime import datetime
from typing import Any

from tests.fakes.web.addresses import Addresses
from tests.fakes.web.markup import numbered
from tests.fakes.web.site import Site


def expected(site: Site, web: Addresses, number: int, copy: int = 1, *, is_shown: bool = False) -> dict[str, Any]:
    """Return what the page says of itself; what it does not say is left out.

    `is_shown`: to somebody who follows signposts and runs scripts.
    """
    reading = site.shown if is_shown and site.shown is not None else site.reading
    if reading is None:
        return {}
    title = None if reading.title is None else numbered(reading.title, number if reading.is_numbered else 0)
    told = {
        "title": title,
        "description": reading.description,
        "author": reading.author,
        "site_name": reading.site_name,
        "language": reading.language,
        "published_at": None if reading.published is None else datetime.fromisoformat(reading.published),
        "image_url": None if reading.image is None else web.url(site.name, 0, copy, path=reading.image),
        "canonical_url": None
        if reading.canonical is None
        else web.url(site.name, number, copy, path=reading.canonical),
        "keywords": reading.keywords or None,
    }
    return {name: value for name, value in told.items() if value is not None}
