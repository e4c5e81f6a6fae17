"""What models cost, in the graph."""

from dataclasses import dataclass
from datetime import datetime

import strawberry

from db.spending import LineRow
from db.users import UserRow
from resolvers.context import Info, viewer_of
from services import spending


@dataclass(frozen=True, slots=True)
class SpendingView:
    """The running month of an account."""

    month_start: datetime
    tokens: int
    tokens_budget: int
    tokens_left: int
    microdollars: int
    microdollars_budget: int
    microdollars_left: int
    lines: list[LineRow]


async def of_user(root: strawberry.Parent[UserRow], info: Info) -> SpendingView:
    """Return what the models of an account cost this month."""
    context, asking = info.context, viewer_of(info)
    database = context.database if root.id == asking.id else context.unwalled  # an administrator looks at another's
    month = await spending.month(database, asking, root.id, context.settings)
    return SpendingView(
        month_start=month.starts_at,
        tokens=month.gone.tokens,
        tokens_budget=month.budget.tokens,
        tokens_left=month.left.tokens,
        microdollars=month.gone.microdollars,
        microdollars_budget=month.budget.microdollars,
        microdollars_left=month.left.microdollars,
        lines=list(month.lines),
    )
