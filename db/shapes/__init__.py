"""What a query reads of the rows that it finds: all of them as dataclasses, or what one GraphQL selection asks for.

Every query that lists or finds rows takes a `Shape`. `Whole` is the ordinary one: the columns of a row, in a frozen
dataclass. `Printed` is a selection: PostgreSQL prints the JSON that the client is to get, key by key in the order of
the response, and nothing of it is read or printed again. The conditions, the order and the page are the same
statement either way, so what may be seen is decided in one place.
"""

from db.shapes.facts import Fact, Identity, Kept, Kind, Link, One, Relation, Several, Source, Value
from db.shapes.keyset import Keyset
from db.shapes.reading import by_keys, related
from db.shapes.shape import Gap, Member, Printed, Shape, Shown, Together, Whole

__all__ = [
    "Fact",
    "Gap",
    "Identity",
    "Kept",
    "Keyset",
    "Kind",
    "Link",
    "Member",
    "One",
    "Printed",
    "Relation",
    "Several",
    "Shape",
    "Shown",
    "Source",
    "Together",
    "Value",
    "Whole",
    "by_keys",
    "related",
]
