"""Asking an OpenAI-compatible server one question: tries, pauses, the breaker, and what its failures mean."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import openai
import structlog

from kit.ai.breaker import Breaker, Circuit
from kit.ai.provider import BadAnswer, ProviderBusy, ProviderDown

log = structlog.get_logger(__name__)

Ask = Callable[[], Awaitable[bytes]]
"""Sends one request and returns the body of its answer; raises what the openai client raises."""

_BUSY_SECONDS: Final = 10
_WAITED: Final = 0.9  # of the time for an answer: then it was asked, and not only dialled
_REFUSED_SECONDS: Final = 300
_MAX_RETRY_AFTER_SECONDS: Final = 24 * 3_600


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on: tries in all, the first pause (it doubles, and is jittered), and no try after `seconds`.

    `answer_seconds` is how long the client waits for an answer; connecting takes less, or is given up earlier.
    """

    tries: int = 3
    pause_seconds: float = 0.5
    seconds: float = 60.0
    answer_seconds: float = 30.0


class Refused(ProviderDown):
    """The server refuses us as such: asking again will not help until the operator has mended it."""


class Asker:
    """Asks with patience. Raises `ProviderBusy`, `ProviderDown` or `BadAnswer`; nothing the server sent is in them."""

    def __init__(self, breaker: Breaker, patience: Patience) -> None:
        self.breaker = breaker
        self._patience = patience

    async def ask(self, question: Ask) -> bytes:
        """Return the body of the answer. A pause that the server asks for is kept if there is time, else told."""
        until = time.monotonic() + self._patience.seconds
        is_uncertain = False
        for tried in range(1, self._patience.tries + 1):
            pause = self._patience.pause_seconds * 2 ** (tried - 1) * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret
            try:
                with self.breaker.guarding():
                    return await self._once(question)
            except ProviderBusy as busy:
                pause = max(pause, busy.retry_after_seconds)
                if tried == self._patience.tries or time.monotonic() + pause > until:
                    raise
            except ProviderDown as down:
                is_uncertain = down.is_uncertain = is_uncertain or down.is_uncertain
                if not isinstance(down, Refused):
                    down.retry_after_seconds = self.breaker.wait_seconds
                is_last = tried == self._patience.tries or time.monotonic() + pause > until
                if is_last or isinstance(down, Refused) or self.breaker.state is not Circuit.CLOSED:
                    log.warning("ai.down", reason=down.message, tried=tried, circuit=self.breaker.state.value)
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _once(self, question: Ask) -> bytes:
        """Ask once and translate what the client raises. Its own texts may hold keys and pages: they are left out."""
        began = time.monotonic()
        try:
            return await question()
        except openai.APITimeoutError as error:
            waited = time.monotonic() - began >= _WAITED * self._patience.answer_seconds
            raise ProviderDown("The AI server did not answer in time.", is_uncertain=waited) from error
        except openai.APIConnectionError as error:
            raise ProviderDown("The AI server cannot be reached.") from error
        except openai.APIStatusError as error:
            raise _meaning(error) from error
        except openai.OpenAIError as error:
            raise BadAnswer(f"The answer of the AI server cannot be used ({type(error).__name__}).") from error


def _meaning(error: openai.APIStatusError) -> ProviderBusy | ProviderDown | BadAnswer:
    match error:
        case openai.RateLimitError(code="insufficient_quota"):
            return Refused("The account at the AI server has no money left.", retry_after_seconds=_REFUSED_SECONDS)
        case openai.RateLimitError():
            wait = _retry_after(error.response.headers.get("retry-after"))
            return ProviderBusy("The AI server asks for patience.", retry_after_seconds=wait)
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return Refused("The AI server refuses the key.", retry_after_seconds=_REFUSED_SECONDS)
        case openai.NotFoundError():
            return Refused("The AI server does not know the model or address.", retry_after_seconds=_REFUSED_SECONDS)
        case openai.InternalServerError() | openai.ConflictError():
            return ProviderDown("The AI server failed.")
    return BadAnswer("The AI server did not accept the question.")


def _retry_after(text: str | None) -> int:
    """Read the seconds of Retry-After; a date, which AI servers do not send, counts as none said."""
    try:
        seconds = float(text or _BUSY_SECONDS)
    except ValueError:
        return _BUSY_SECONDS
    return min(max(math.ceil(seconds), 0), _MAX_RETRY_AFTER_SECONDS) if math.isfinite(seconds) else _BUSY_SECONDS
