"""A database that remembers what it is asked."""

from typing import Any
from uuid import UUID

from db.unit import Database


class Spy:
    """Runs statements on a database, also for accounts (`of`), and remembers each with its arguments."""

    def __init__(self, database: Database, statements: list[tuple[str, tuple[Any, ...]]] | None = None) -> None:
        self._database = database
        self.statements = [] if statements is None else statements

    def of(self, owner_id: UUID) -> "Spy":
        """See `Database.of`; what is asked there is remembered here."""
        return Spy(self._database.of(owner_id), self.statements)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return found

        async def remembered(sql: str, *arguments: Any) -> Any:
            self.statements.append((sql, arguments))
            return await found(sql, *arguments)

        return remembered
