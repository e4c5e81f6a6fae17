"""Every page of the local web, in the order that gives its hosts their addresses."""

from tests.fakes.web import good, hostile, moved, refused, twins
from tests.fakes.web.site import Site, index_of

SITES: tuple[Site, ...] = (
    *good.ARTICLES,
    *good.SELF_DESCRIBED,
    *good.MECHANICS,
    *moved.SITES,
    *refused.SITES,
    *hostile.SITES,
    *twins.SITES,
    *twins.SECURE,
)
BY_NAME = {site.name: (index, site) for index, site in enumerate(SITES)}


def site_at(host: str) -> Site | None:
    """Return the site that a host belongs to; None when it is none of ours."""
    index = index_of(host)
    return SITES[index] if 0 <= index < len(SITES) else None
