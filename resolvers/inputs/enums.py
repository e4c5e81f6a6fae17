"""Gives the enums of the services, which know nothing of GraphQL, their descriptions."""

from enum import Enum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=Enum)


def described(enum: type[E], description: str, *, name: str | None = None, **values: str) -> None:
    """Make `enum` a GraphQL enum, with a description of itself and of each value by its name.

    Raises `ValueError` when a value is left undescribed or a description has no value.
    """
    if set(values) != set(enum.__members__):
        raise ValueError(f"{enum.__name__}: describe exactly the values {', '.join(enum.__members__)}")
    decorated = strawberry.enum(enum, name=name, description=description)
    for value in decorated.__strawberry_definition__.values:  # type: ignore[attr-defined]  # set by strawberry.enum
        value.description = values[value.name]
