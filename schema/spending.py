"""What models cost."""

from datetime import datetime

import strawberry

from resolvers.inputs.scalars import BigInt


@strawberry.type(description="What one agent asked of one model in the running month.")
class SpendingLine:
    """Answered by db.spending.LineRow."""

    agent: str = strawberry.field(description="The agent, such as `ENRICHMENT`, or `SEARCH` for the words of a search.")
    model: str = strawberry.field(description="The model. Those that begin with `local/` cost nothing.")
    calls: int = strawberry.field(description="Questions asked.")
    lost: int = strawberry.field(
        description="How many of them count at their estimate, because the answer never came or was lost."
    )
    bookmarks: int = strawberry.field(description="Bookmarks that they were asked for; one counts with each question.")
    input_tokens: BigInt = strawberry.field(description="Tokens sent.")
    output_tokens: BigInt = strawberry.field(description="Tokens received.")
    microdollars: BigInt = strawberry.field(description="Price in millionths of a US dollar; 0 where none is set.")


@strawberry.type(description="What models cost an account in the running month, and what they may cost.")
class Spending:
    """Answered by resolvers.spending.SpendingView."""

    month_start: datetime = strawberry.field(description="When the month began, in UTC.")
    tokens: BigInt = strawberry.field(description="Tokens spent, or reserved by questions that are being asked.")
    tokens_budget: BigInt = strawberry.field(description="Most tokens of a month.")
    tokens_left: BigInt = strawberry.field(description="Tokens that may still be spent.")
    microdollars: BigInt = strawberry.field(description="Spent or reserved, in millionths of a US dollar.")
    microdollars_budget: BigInt = strawberry.field(description="Most of a month, in millionths of a US dollar.")
    microdollars_left: BigInt = strawberry.field(description="What may still be spent, in millionths of a US dollar.")
    lines: list[SpendingLine] = strawberry.field(
        description="What was spent, by agent and model, dearest first; at most 100. Questions that run are not in it."
    )
