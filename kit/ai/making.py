"""Choosing the provider that the settings ask for."""

from kit.ai.checking import is_outside
from kit.ai.local import LocalProvider
from kit.ai.prices import outside_detail, parse_prices
from kit.ai.provider import Provider
from kit.ai.vectors import open_vectors
from kit.settings import Settings


def detail_of(settings: Settings) -> str:
    """Say in a sentence or two who answers on this server, for everybody to read. Raises `BadInput`."""
    if is_outside(settings):
        return outside_detail(settings, parse_prices(settings.ai_prices))
    return open_vectors().detail


def make_provider(settings: Settings) -> Provider:
    """Return the provider of the settings; it connects and loads nothing yet. Raises `BadInput` naming the variable."""
    if not is_outside(settings):
        return LocalProvider()
    from kit.ai.opening import open_remote  # noqa: PLC0415  a second and 60 MB that a server without one is spared

    return open_remote(settings)
