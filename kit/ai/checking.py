"""What the settings of models must be like, found out without connecting to anything."""

from typing import Final

from kit.ai.prices import parse_prices
from kit.errors import BadInput
from kit.settings import AiProvider, Settings
from kit.urls import RefusedUrl, WebAddress, locate

MAX_DIMENSIONS: Final = 4_000
"""Longest vector that the database can index (halfvec of pgvector)."""

_OPENAI: Final = "https://api.openai.com/v1"


def is_outside(settings: Settings) -> bool:
    """Tell whether questions leave this process."""
    chosen = settings.ai_provider or (AiProvider.OPENAI if settings.openai_api_key else AiProvider.LOCAL)
    return chosen is AiProvider.OPENAI


def check_settings(settings: Settings) -> None:
    """Raise `BadInput` naming the variable for what no process could work with, whichever provider is chosen."""
    parse_prices(settings.ai_prices)
    address_of(settings)
    if settings.embedding_dimensions > MAX_DIMENSIONS:
        raise BadInput(f"GRAPHMARK_EMBEDDING_DIMENSIONS is at most {MAX_DIMENSIONS:,}.")
    if is_outside(settings) and settings.openai_api_key is None and settings.openai_base_url is None:
        raise BadInput("GRAPHMARK_AI_PROVIDER=openai needs GRAPHMARK_OPENAI_API_KEY or GRAPHMARK_OPENAI_BASE_URL.")


def address_of(settings: Settings) -> WebAddress:
    """Return the address of the server outside. Raises `BadInput` without repeating it: it may hold a password."""
    try:
        return locate(settings.openai_base_url or _OPENAI)
    except RefusedUrl:
        raise BadInput("GRAPHMARK_OPENAI_BASE_URL is not an address like https://api.example.org/v1.") from None
