"""How much anybody may ask of the server in a time: by account, by API key and by network.

Ordinary operations are decided by what this process knows, without a question to anybody. About once a second the
processes of a server tell each other, in Redis or in PostgreSQL, what of a budget is used up beyond an eighth; a budget
is therefore exact for one process, and an eighth too generous for each further one. What costs more than itself, such
as a mail, is decided where all processes look, at the moment at which it is asked for.

Redis away: PostgreSQL answers in its place, with one line in the log. Both away: ordinary operations go on by what this
process knows, the rest is refused.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from db import limits as rows
from db.unit import Database, is_away
from kit.errors import RateLimited, Unavailable
from kit.rates.buckets import Buckets
from kit.rates.budgets import Budget, Charge
from kit.settings import Settings

if TYPE_CHECKING:
    from kit.rates.remote import RemoteBuckets

log = structlog.get_logger(__name__)
_MINUTE: Final = 60.0
_HOUR: Final = 3_600.0
_SYNC_SECONDS: Final = 1.0
_BATCH: Final = 1_000
_PAUSE_SECONDS: Final = 5.0


class Limits:
    """The budgets of one process. Use `syncing` around its life; outside of it nobody else is told of operations."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._redis_url = settings.redis_url
        self._redis: RemoteBuckets | None = None
        self._redis_away_until = 0.0
        self._is_told = True
        self._buckets = Buckets()
        self._operations = Budget("operations", settings.rate_operations_per_account_minute, _MINUTE)
        self._writes = Budget("writes", settings.rate_writes_per_account_minute, _MINUTE)
        self._key = Budget("key", settings.rate_operations_per_api_key_minute, _MINUTE)
        self._network = Budget("network", settings.rate_operations_per_network_minute, _MINUTE)
        self._uploads = Budget("uploads", settings.rate_uploads_per_account_hour, _HOUR)
        self._registrations = Budget("registrations", settings.rate_registrations_per_network_hour, _HOUR)
        self._mails = Budget("mails", settings.rate_mails_per_address_hour, _HOUR)
        self._network_mails = Budget("network-mails", settings.rate_mails_per_network_hour, _HOUR)

    def operation(self, *, account: UUID | None, api_key: UUID | None, network: str) -> None:
        """Take one operation, whatever comes of it, from the caller's budgets. Raises `RateLimited`."""
        wanted = [(self._network, network)]
        if account is not None:
            wanted.append((self._operations, str(account)))
        if api_key is not None:
            wanted.append((self._key, str(api_key)))
        self._take_here(wanted, "You are asking for more than this server answers in a minute")

    def write(self, *, account: UUID | None, network: str) -> None:
        """Take one change from the caller's budget, in addition to the operation that it is. Raises `RateLimited`."""
        subject = network if account is None else str(account)
        self._take_here([(self._writes, subject)], "You are making more changes than this server takes in a minute")

    async def upload(self, account: UUID) -> None:
        """Take one uploaded file. Raises `RateLimited`, or `Unavailable` when nobody knows what is used."""
        await self._take([(self._uploads, str(account))], "You have uploaded too many files")

    async def registration(self, network: str) -> None:
        """Take one new account. Raises as `upload` does."""
        await self._take([(self._registrations, network)], "Too many accounts were opened from your network")

    async def mail(self, *, email_key: str, network: str) -> None:
        """Take one mail to an address that somebody in a network asked for. Raises as `upload` does.

        It is asked for whether or not the address has an account, so that it tells nobody.
        """
        wanted = [(self._mails, email_key), (self._network_mails, network)]
        await self._take(wanted, "Too many mails were asked for")

    @asynccontextmanager
    async def syncing(self) -> AsyncIterator[None]:
        """Tell and hear what all processes use while the block runs."""
        task = asyncio.create_task(self._keep_syncing(), name="limits")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to Redis, if there are any."""
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def sync(self) -> None:
        """Tell the others what was used here, and hear what they have used."""
        charges = iter(self._buckets.due(time.monotonic()))
        while batch := list(islice(charges, _BATCH)):
            try:
                used = await self._spend(batch)
            except Exception as error:  # noqa: BLE001  whatever keeps the others from hearing of it, it waits
                self._buckets.untold([*batch, *charges])
                if self._is_told:
                    log.warning("limits.alone", detail="each process counts for itself", error=repr(error))
                self._is_told = False
                return
            self._is_told = True
            now = time.monotonic()
            for charge, seconds in zip(batch, used, strict=True):
                self._buckets.settle(charge.key, seconds, now)

    def _take_here(self, wanted: Sequence[tuple[Budget, str]], message: str) -> None:
        wait = self._buckets.take(wanted, time.monotonic())
        if wait > 0:
            raise _refusal(message, wait)

    async def _take(self, wanted: Sequence[tuple[Budget, str]], message: str) -> None:
        for budget, subject in wanted:
            if budget.amount:
                charge = Charge(f"{budget.name} {subject}", budget.interval)
                wait = await self._take_there(charge, budget.seconds)
                if wait > 0:
                    raise _refusal(message, wait)

    async def _take_there(self, charge: Charge, most: float) -> float:
        redis = self._reachable()
        if redis is not None:
            try:
                return await redis.take(charge, most=most)
            except Unavailable as error:
                self._lost(error)
        try:
            return await rows.take(self._database, charge, most=most)
        except Exception as error:
            if is_away(error):
                raise Unavailable("Nobody can tell how much of this was used already; try again.") from error
            raise

    async def _spend(self, charges: Sequence[Charge]) -> list[float]:
        redis = self._reachable()
        if redis is not None:
            try:
                return await redis.spend(charges)
            except Unavailable as error:
                self._lost(error)
        return await rows.spend(self._database, charges)

    def _reachable(self) -> "RemoteBuckets | None":
        """Return Redis unless none is set or it did not answer in the last seconds."""
        if self._redis_url is None or time.monotonic() < self._redis_away_until:
            return None
        if self._redis is None:
            from kit.rates.remote import RemoteBuckets  # noqa: PLC0415  see tasks.ringer: its memory is saved

            self._redis = RemoteBuckets(self._redis_url)
        return self._redis

    def _lost(self, error: Unavailable) -> None:
        log.warning("limits.redis_away", detail="PostgreSQL counts in its place", error=error.message)
        self._redis_away_until = time.monotonic() + _PAUSE_SECONDS

    async def _keep_syncing(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_SECONDS)
            await self.sync()


def _refusal(message: str, wait: float) -> RateLimited:
    seconds = math.ceil(wait)
    return RateLimited(f"{message}; try again in {seconds:,} seconds.", retry_after_seconds=seconds)
