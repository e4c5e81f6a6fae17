"""How PostgreSQL answers statements: their plans, run and read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

CUSTOM, GENERIC = "force_custom_plan", "force_generic_plan"
"""Plans for the values at hand, and for any: a prepared statement begins with the one and ends with the other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement and how it was run."""

    sql: str
    mode: str
    root: dict[str, Any]

    def nodes(self) -> Iterator[dict[str, Any]]:
        """Yield every node of the plan, parents first."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", [])

    def scanned(self) -> set[str]:
        """Return the tables that were read from beginning to end."""
        return {str(node["Relation Name"]) for node in self.nodes() if node["Node Type"] == "Seq Scan"}

    def read(self, table: str) -> int:
        """Return how many rows of a table were looked at."""
        kept = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        found = [node for node in self.nodes() if node.get("Relation Name") == table]
        return sum(round(node["Actual Loops"] * sum(node.get(name, 0) for name in kept)) for node in found)

    def __str__(self) -> str:
        """Show what was asked and how it was answered."""
        lines = [f"{node['Node Type']} {node.get('Relation Name', '')}" for node in self.nodes()]
        return "\n".join([self.mode, self.sql, *lines])


@dataclass
class Explained:
    """Stands in for `Rows`: runs what it is given, and keeps how it was run, in both kinds of plans.

    It finds nothing, unless `is_answering`: then what was asked is also answered.
    """

    connection: asyncpg.Connection
    is_answering: bool = False
    plans: list[Plan] = field(default_factory=list)

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """See `Rows.fetch`."""
        await self.connection.execute(f"PREPARE explained AS {sql}")
        given = f"({', '.join(map(literal, arguments))})" if arguments else ""
        try:
            for mode in (CUSTOM, GENERIC):
                await self.connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
                told = await self.connection.fetchval(
                    f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) EXECUTE explained{given}"
                )
                (plan,) = orjson.loads(told)
                self.plans.append(Plan(sql, mode, plan["Plan"]))
        finally:
            await self.connection.execute("DEALLOCATE explained")
        return list(await self.connection.fetch(sql, *arguments)) if self.is_answering else []

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """See `Rows.fetchrow`."""
        found = await self.fetch(sql, *arguments)
        return found[0] if found else None

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """See `Rows.fetchval`."""
        found = await self.fetchrow(sql, *arguments)
        return None if found is None else found[0]

    async def execute(self, sql: str, *arguments: Any) -> int:
        """Fail: what is explained here reads, and a change among it is a fault."""
        raise AssertionError(f"a change where only reading is explained: {sql} {arguments}")


def literal(value: Any) -> str:
    """Return a value as it is written in SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"ARRAY[{', '.join(map(literal, value))}]"
    kind = "timestamptz" if isinstance(value, datetime) else "uuid" if isinstance(value, UUID) else "text"
    text = str(value).replace("'", "''")
    return f"'{text}'::{kind}"
