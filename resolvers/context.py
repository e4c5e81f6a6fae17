"""What every resolver is given: who asks, and the few things it may ask with.

One `Context` per operation, also on a WebSocket: its loaders remember rows, and must not outlive the operation that
read them.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from db.unit import Database
from db.wall import NOBODY
from kit.ai import LocalProvider, Provider, make_provider
from kit.bus import Bus
from kit.crypto import PasswordHasher, SecretKey, open_secret_key
from kit.errors import Unauthenticated
from kit.settings import Settings
from kit.turns import Turns
from services.embedding.meaning import Meaning
from services.limits import Limits
from services.permissions import Viewer
from services.spending import SEARCH, Asker
from tasks.spending import Metered


@dataclass(slots=True)
class Services:
    """What lives as long as the process: made once by app.wiring, shared by every operation.

    `meaning` turns the words of queries into vectors.
    `turns` gives each account at most a third of the pool for its changes. Those of one account wait for each other
    in the database; without it they would wait there on every connection, and everybody else behind them.
    `limits` says how much anybody may ask in a time.
    """

    settings: Settings
    database: Database
    bus: Bus
    passwords: PasswordHasher
    meaning: Meaning = field(init=False)
    turns: Turns = field(init=False)
    limits: Limits = field(init=False)
    _secret_key: SecretKey | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Share out the pool; let queries be understood by the provider, which is opened when first needed."""
        seconds = self.settings.query_embedding_timeout_seconds
        self.meaning = Meaning(lambda: _providers(self.settings), timeout_seconds=seconds, ask=self._ask_for)
        self.turns = Turns(max(1, self.settings.database_pool_size // 3))
        self.limits = Limits(self.settings, self.database)

    @property
    def secret_key(self) -> SecretKey:
        """What secrets are sealed and signed with. Raises `Unavailable` when it can be neither read nor made."""
        if self._secret_key is None:
            self._secret_key = open_secret_key(self.settings)
        return self._secret_key

    async def _ask_for(self, provider: Provider, owner_id: UUID, text: str) -> list[float]:
        """Embed the words of a search on somebody's account. A local provider is asked without a line in the ledger."""
        metered = Metered(provider, self.database, self.settings, Asker(owner_id, SEARCH))
        paid = await metered.embed([text], bookmarks=0)
        if not provider.is_local:
            async with self.database.unit() as unit:
                await paid.settle(unit)
        return paid.value[0]


def _providers(settings: Settings) -> list[Provider]:
    """Return who may know the space of a search: the provider of the settings, and the local one, which came first."""
    chosen = make_provider(settings)
    return [chosen] if chosen.is_local else [chosen, LocalProvider()]


@dataclass(frozen=True, slots=True)
class SetCookie:
    """What the session cookie is to hold from now on: a token, or nothing. `until` is None for the browser's run."""

    token: str = field(default="", repr=False)
    until: datetime | None = None


@dataclass(slots=True)
class Exchange:
    """What a request over HTTP was signed with, and what its answer hands over beside its body.

    `token` is empty for an anonymous caller. A resolver that sets `cookie` puts no token into its payload.
    """

    token: str = field(default="", repr=False)
    is_by_cookie: bool = False
    cookie: SetCookie | None = None


@dataclass(slots=True)
class Context:
    """One operation's surroundings.

    `viewer` is None for an anonymous caller. `request_id` is what an error shows and the log repeats. `database` is the
    pool behind the second wall: whatever a statement asks, it is about the viewer's own rows (db.wall). `exchange` is
    there for an operation whose answer is one response of HTTP, and for no other.
    """

    services: Services
    viewer: Viewer | None
    request_id: str
    network_address: str = ""
    user_agent: str = ""
    loaders: dict[Hashable, Any] = field(default_factory=dict)
    exchange: Exchange | None = None
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        """Act for the viewer; for nobody when nobody is signed in."""
        self.database = self.services.database.of(NOBODY if self.viewer is None else self.viewer.id)

    @property
    def unwalled(self) -> Database:
        """The pool without the second wall, for what concerns more than the viewer's own rows.

        `tests/house/test_wall.py` lists who may use it, and why.
        """
        return self.services.database

    @property
    def settings(self) -> Settings:
        """The process's settings."""
        return self.services.settings


Info = strawberry.Info[Context, None]


def viewer_of(info: Info) -> Viewer:
    """Return who asks, or raise `Unauthenticated` telling how to sign in."""
    viewer = info.context.viewer
    if viewer is None:
        raise Unauthenticated("Sign in first: call the mutation `login` and send its token as `Authorization: Bearer`.")
    return viewer


def viewer_id(info: Info) -> UUID:
    """Return the id of who asks, or raise `Unauthenticated`."""
    return viewer_of(info).id
