"""Resolvers that give rows in the shape that is asked for.

A resolver that returns rows is called in two ways: by Strawberry, and then rows are whole; or by the compiled executor
(resolvers.compiled), which has worked out what of them the selection needs. It sees the difference in `info` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from db.shapes import Shape
from resolvers.context import Context, Info

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Shaped:
    """Stands for `Info` when the compiled executor asks: as much of it as resolvers use, and the shape of the rows.

    `shapes` are by the name of the GraphQL type, for fields that may answer with several.
    """

    context: Context
    shapes: Mapping[str, Shape[Any]]


def shape_of(info: Info, type_name: str, whole: Shape[R]) -> Shape[R]:
    """Return what is to be read of rows shown as `type_name`: what was asked for, else `whole`.

    To a resolver a row is a row: what is `Printed` goes through it unseen, so it is typed as if it were whole.
    """
    return cast("Shape[R]", cast("Any", info).shapes[type_name]) if isinstance(info, Shaped) else whole
