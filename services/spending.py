"""What models may cost: budgets of an account and of each of its agents, reserved before a question is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID

from db import spending as ledger
from db.spending import EVERYBODY, Amount, LineRow
from db.unit import Rows, Unit
from kit.ai import Usage
from kit.errors import Conflict, Forbidden
from kit.settings import Settings
from services.permissions import Role, Viewer, has_role

SEARCH: Final = "SEARCH"
"""Who asks when nobody but a search does: the name beside those of agents."""

_MICRO: Final = 1_000_000


class BudgetExhausted(Conflict):
    """A question would cost more than is left of the month. The bookmark stays as it is, and usable."""


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose account a question is asked, by which agent, and for which task."""

    owner_id: UUID
    agent: str
    task_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """The most of a month, in tokens and millionths of a US dollar, of an account or of one of its agents."""

    account: Amount
    agent: Amount

    @classmethod
    def of(cls, settings: Settings) -> "Budget":
        """Return what the settings say."""
        return cls(
            account=Amount(settings.ai_tokens_per_user_month, round(settings.ai_dollars_per_user_month * _MICRO)),
            agent=Amount(settings.ai_tokens_per_agent_month, round(settings.ai_dollars_per_agent_month * _MICRO)),
        )


@dataclass(frozen=True, slots=True)
class Month:
    """The running month of an account: `gone` is spent or reserved, `lines` only what is spent."""

    starts_at: datetime
    gone: Amount
    budget: Amount
    lines: Sequence[LineRow]

    @property
    def left(self) -> Amount:
        """What may still be spent; nothing when a call cost more than was expected."""
        return Amount(
            max(0, self.budget.tokens - self.gone.tokens), max(0, self.budget.microdollars - self.gone.microdollars)
        )


async def reserve(unit: Unit, asker: Asker, key: UUID, most: Usage, *, bookmarks: int, budget: Budget) -> None:
    """Set aside what a question costs at most, under the id `key`; commit before it is asked.

    Raises `BudgetExhausted`, and then the unit must be rolled back.
    """
    amount = Amount(most.input_tokens + most.output_tokens, most.cost_microdollars)
    for agent, limit in ((EVERYBODY, budget.account), (asker.agent, budget.agent)):
        if not await ledger.take(unit, asker.owner_id, agent, amount, most=limit):
            whose = "this account" if agent == EVERYBODY else f"the agent {agent}"
            raise BudgetExhausted(
                f"The month's budget of {whose} for models is used up "
                f"({limit.tokens:,} tokens, ${limit.microdollars / _MICRO:,.2f}); it begins anew next month."
            )
    await ledger.insert_reserved(
        unit,
        key,
        asker.owner_id,
        agent=asker.agent,
        task_id=asker.task_id,
        bookmarks=bookmarks,
        model=most.model,
        amount=amount,
    )


async def settle(unit: Unit, asker: Asker, key: UUID, usage: Sequence[Usage]) -> bool:
    """Write what a question really cost in place of its reservation. Twice is once; True the first time."""
    return await ledger.settle(
        unit,
        key,
        asker.owner_id,
        input_tokens=sum(one.input_tokens for one in usage),
        output_tokens=sum(one.output_tokens for one in usage),
        microdollars=sum(one.cost_microdollars for one in usage),
    )


async def lose(unit: Unit, asker: Asker, key: UUID) -> bool:
    """Let a reservation count as spent: the question was sent, and its answer never came."""
    return await ledger.lose(unit, key, asker.owner_id)


async def record_free(unit: Unit, asker: Asker, key: UUID, *, model: str, bookmarks: int) -> None:
    """Write down a question that cost nothing. Twice is once."""
    await ledger.insert_free(
        unit, key, asker.owner_id, agent=asker.agent, task_id=asker.task_id, bookmarks=bookmarks, model=model
    )


async def month(rows: Rows, viewer: Viewer, owner_id: UUID, settings: Settings) -> Month:
    """Return the running month of an account. Raises `Forbidden` for others than itself and administrators."""
    if owner_id != viewer.id and not has_role(viewer, Role.ADMIN):
        raise Forbidden("Only the account itself and administrators see what it spends.")
    gone = await ledger.month(rows, owner_id)
    return Month(
        starts_at=_start(gone.month),
        gone=Amount(gone.tokens, gone.microdollars),
        budget=Budget.of(settings).account,
        lines=await ledger.lines(rows, owner_id),
    )


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
