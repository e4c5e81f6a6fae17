"""What every list is ordered with."""

from enum import Enum

from resolvers.inputs.enums import described


class OrderDirection(Enum):
    """Which way a list runs."""

    ASC = "ASC"
    DESC = "DESC"


described(
    OrderDirection,
    "Which way a list runs.",
    ASC="Oldest, smallest, or first of the alphabet first.",
    DESC="Newest, largest, or last of the alphabet first.",
)
