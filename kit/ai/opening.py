"""Opening the provider outside: client, breaker, prices, from the settings."""

from typing import Final

import openai

from kit.ai.asking import Asker, Patience
from kit.ai.breaker import Breaker
from kit.ai.checking import address_of, check_settings
from kit.ai.prices import outside_detail, parse_prices
from kit.ai.remote import OpenAIProvider
from kit.fetch import gated_client, open_fetcher
from kit.settings import Settings

_NO_KEY: Final = "none"  # servers of one's own ask for none, but the client wants something to send


def open_remote(settings: Settings) -> OpenAIProvider:
    """Return the provider of the settings; it connects nothing yet. Raises `BadInput` naming the variable.

    Its connections pass the gate of kit.fetch; the one address that the operator named may be private.
    """
    check_settings(settings)
    prices, base = parse_prices(settings.ai_prices), address_of(settings)
    seconds = settings.ai_timeout_seconds
    fetcher = open_fetcher(settings)
    client = openai.AsyncOpenAI(
        api_key=settings.openai_api_key or _NO_KEY,
        base_url=base.url,
        timeout=seconds,
        max_retries=0,  # kit.ai.asking does it, and counts
        http_client=gated_client(fetcher, timeout_seconds=seconds, trusted_url=base.url),
    )
    breaker = Breaker(failures=settings.ai_breaker_failures, pause_seconds=settings.ai_breaker_pause_seconds)
    patience = Patience(settings.ai_max_tries, seconds=settings.ai_patience_seconds, answer_seconds=seconds)
    return OpenAIProvider(
        client,
        fetcher,
        Asker(breaker, patience),
        model=settings.openai_model,
        embedding_model=settings.openai_embedding_model,
        dimensions=settings.embedding_dimensions,
        prices=prices,
        detail=outside_detail(settings, prices),
    )
