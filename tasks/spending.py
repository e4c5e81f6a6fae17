"""Models with a meter: what an agent asks is reserved before, and settled in the transaction that writes the result."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from db.unit import Database, Unit
from kit.ai import (
    CALL_ID,
    Answer,
    BadAnswer,
    Choices,
    Description,
    PageText,
    Provider,
    ProviderBusy,
    ProviderDown,
    Question,
    Vocabulary,
)
from kit.ids import new_id
from kit.settings import Settings
from services import spending
from services.agents import AgentName
from services.spending import Asker, Budget
from tasks.agent import Batch

T = TypeVar("T")
Settle = Callable[[Unit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Paid(Generic[T]):
    """An answer, and how it is paid: call `settle` in the unit that writes what was made of it.

    Settling again does nothing, so each item of a batch may do it. What is never settled counts at its estimate after
    `GRAPHMARK_AI_RESERVATION_MINUTES`.
    """

    value: T
    settle: Settle


class Metered:
    """A provider on somebody's account. Raises `BudgetExhausted` before a question is asked, else as the provider.

    A question that failed is settled at once, with what it cost on the way. `bookmarks` is how many it serves.
    """

    def __init__(self, provider: Provider, database: Database, settings: Settings, asker: Asker) -> None:
        self._provider = provider
        self._database = database
        self._budget = Budget.of(settings)
        self._asker = asker

    async def describe(self, page: PageText) -> Paid[Description]:
        """See `Provider.describe`."""
        return await self._ask(Question.DESCRIBE, _chars(page), 1, lambda: self._provider.describe(page))

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Paid[Choices]:
        """See `Provider.choose`."""
        return await self._ask(Question.CHOOSE, _chars(page), 1, lambda: self._provider.choose(page, vocabulary))

    async def embed(self, texts: Sequence[str], *, bookmarks: int | None = None) -> Paid[list[list[float]]]:
        """See `Provider.embed`. `bookmarks` is one for each text unless it is said."""
        served = len(texts) if bookmarks is None else bookmarks
        return await self._ask(Question.EMBED, sum(map(len, texts)), served, lambda: self._provider.embed(texts))

    async def pay(self, paid: Paid[T]) -> None:
        """Settle an answer of which nothing will be made, in a unit of its own."""
        async with self._database.unit() as unit:
            await paid.settle(unit)

    async def _ask(
        self, question: Question, chars: int, bookmarks: int, ask: Callable[[], Awaitable[Answer[T]]]
    ) -> Paid[T]:
        key = new_id()
        if self._provider.is_local:
            answer = await ask()
            return Paid(answer.value, self._free(key, self._provider.space.name, bookmarks))
        most = self._provider.most(question, chars)
        async with self._database.unit() as unit:
            await spending.reserve(unit, self._asker, key, most, bookmarks=bookmarks, budget=self._budget)
        token = CALL_ID.set(key)
        try:
            answer = await ask()
        except (ProviderBusy, ProviderDown, BadAnswer) as error:
            await self._give_up(key, error)
            raise
        finally:
            CALL_ID.reset(token)

        async def settle(unit: Unit) -> None:
            await spending.settle(unit, self._asker, key, answer.usage)

        return Paid(answer.value, settle)

    async def _give_up(self, key: UUID, error: ProviderBusy | ProviderDown | BadAnswer) -> None:
        async with self._database.unit() as unit:
            if isinstance(error, ProviderDown) and error.is_uncertain:
                await spending.lose(unit, self._asker, key)
            else:
                await spending.settle(unit, self._asker, key, error.usage)

    def _free(self, key: UUID, model: str, bookmarks: int) -> Settle:
        async def record(unit: Unit) -> None:
            await spending.record_free(unit, self._asker, key, model=model, bookmarks=bookmarks)

        return record


def metered(batch: Batch, agent: AgentName, provider: Provider | None = None) -> Metered:
    """Return a provider, that of the batch's tools unless told otherwise, on the account of the batch's owner."""
    tools = batch.tools
    return Metered(
        provider or tools.provider, tools.database, tools.settings, Asker(batch.owner_id, agent.value, batch.task_id)
    )


def _chars(page: PageText) -> int:
    return len(page.url) + len(page.title) + len(page.description) + len(page.text)
