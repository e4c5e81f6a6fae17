"""Whose rows an answer shows. Both executors share conditions, so a lost one would be lost on both sides alike."""

import base64
import re
from functools import cached_property
from uuid import UUID

from services.permissions import Role
from tests.executor.world import World

_ID = re.compile(rb'"([A-Za-z0-9+/]{48,80}={0,2})"')


class Owners:
    """Knows whose each row of a world is."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def _accounts(self) -> dict[str, int]:
        return {
            str(key): account
            for accounts in self._world.keys.values()
            for account, keys in enumerate(accounts)
            for key in keys
        }

    def strangers(self, body: bytes, asker: int | None) -> list[str]:
        """Return the global ids in the data of an answer that `asker` must not see, as `Type:uuid`."""
        shown = body[body.index(b'"data":') :] if b'"data":' in body else b""
        return [name for found in _ID.findall(shown) if (name := _named(found)) and not self._may_see(name, asker)]

    def _may_see(self, name: str, asker: int | None) -> bool:
        kind, _, key = name.partition(":")
        account = self._accounts.get(key)
        if account is None:  # made since, or an id that is no row's
            return True
        is_administrator = asker is not None and self._world.viewers[asker].role is Role.ADMIN
        return account == asker or (kind == "User" and is_administrator)


def _named(found: bytes) -> str:
    """Return the `Type:uuid` in a global id, or nothing when the text is none."""
    try:
        name = base64.b64decode(found, validate=True).decode()
        UUID(name.partition(":")[2])
    except ValueError:
        return ""
    return name
