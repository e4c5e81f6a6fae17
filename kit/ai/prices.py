"""What tokens cost, as the operator says: vendors change their prices, so none is written here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from kit.ai.provider import Usage
from kit.errors import BadInput
from kit.settings import Settings

_FORM = "model=input/output in US dollars per million tokens, such as gpt-x=0.40/1.60,embedding-y=0.02"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, which is as many millionths of a dollar per token."""

    input: float
    output: float = 0.0


def parse_prices(text: str) -> Mapping[str, Price]:
    """Read `GRAPHMARK_AI_PRICES`: `model=input/output`, separated by commas. Raises `BadInput`."""
    prices = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        model, separator, numbers = part.rpartition("=")
        try:
            amounts = [float(number) for number in numbers.split("/")]
            if not separator or not model.strip() or not all(0 <= amount < math.inf for amount in amounts):
                raise ValueError(part)
            prices[model.strip()] = Price(*amounts)
        except (TypeError, ValueError) as error:
            raise BadInput(f"GRAPHMARK_AI_PRICES has {part!r}; expected: {_FORM}.") from error
    return prices


def usage_of(prices: Mapping[str, Price], model: str, input_tokens: int, output_tokens: int = 0) -> Usage:
    """Return what tokens of `model` cost, rounded up; nothing where its price is unknown."""
    price = prices.get(model, Price(0.0))
    cost = math.ceil(round(input_tokens * price.input + output_tokens * price.output, 6))
    return Usage(model, input_tokens, output_tokens, cost)


def outside_detail(settings: Settings, prices: Mapping[str, Price]) -> str:
    """Name the models that are asked outside, and those without a price; not where they are."""
    models = (settings.openai_model, settings.openai_embedding_model)
    unpriced = [name for name in models if name not in prices]
    note = f" No price is set for {' and '.join(unpriced)}: counted as free." if unpriced else ""
    return f"{models[0]} and {models[1]} of an OpenAI-compatible server.{note}"
