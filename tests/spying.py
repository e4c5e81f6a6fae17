"""A database that remembers what it is asked."""

from typing import Any

from db.unit import Database


class Spy:
    """Runs statements on a database and remembers each with its arguments."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._database, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return found

        async def remembered(sql: str, *arguments: Any) -> Any:
            self.statements.append((sql, arguments))
            return await found(sql, *arguments)

        return remembered
