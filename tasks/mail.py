"""Sending what waits to be sent: rows of db.mail become messages at a mail server, or files.

Requests for a new password are answered here as well (services.auth.resetting).

A message is no task of the engine: its owner could see, pause and cancel a task, and so could whoever has stolen a
session, to keep a warning from them; and some messages go to nobody's account (decision 0030). What it shares with
tasks is the bell, the lease and the growing pause. Every worker process has one postman.
"""

import asyncio
import random
from email.headerregistry import Address
from typing import Final

import structlog

from db import mail as rows_of
from db.mail import MessageRow
from db.unit import LOST_CONNECTION, Database
from kit.crypto import CannotDecrypt, SecretKey
from kit.settings import Settings
from kit.smtp import Delivery, NotNow, Refused, compose, sender_of
from services import auth, mail

log = structlog.get_logger(__name__)
AT_ONCE: Final = 5
"""Messages that one process hands over at once."""

_MAX_ANSWERS: Final = 100
_LEASE_TIMEOUTS: Final = 6
_AFTER_ERROR_SECONDS = 5.0


class Postman:
    """Sends due messages when woken, and looks by itself every `task_sweep_seconds`. `run` ends after `stop`."""

    def __init__(self, database: Database, settings: Settings, key: SecretKey, delivery: Delivery) -> None:
        self._database = database
        self._settings = settings
        self._key = key
        self._delivery = delivery
        self._sender: Address = sender_of(settings)
        self._bell = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look for messages. Any number of calls before the next look count as one."""
        self._bell.set()

    def stop(self) -> None:
        """Take nothing more up; `run` returns when what is in hand has met its fate."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Send until `stop`."""
        while not self._stopping:
            pause = self._settings.task_sweep_seconds
            try:
                while await self.look() and not self._stopping:
                    pass
            except Exception as error:  # noqa: BLE001  the database is away, or a row is damaged: the others must not wait
                log.warning("mail.round_failed", error=repr(error))
                pause = _AFTER_ERROR_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._bell.wait()
            except TimeoutError:
                continue
            self._bell.clear()

    async def look(self) -> int:
        """Answer who wants a new password, then send what is due; return how much of both was done."""
        answered = 0
        while answered < _MAX_ANSWERS and await self._answer():
            answered += 1
        return answered + await self.send_due()

    async def _answer(self) -> bool:
        async with self._database.unit() as unit:
            return await auth.answer_request(unit, self._settings, self._key)

    async def send_due(self) -> int:
        """Take up what is due, at most `AT_ONCE` messages, and try each once; return how many that were."""
        lease = _LEASE_TIMEOUTS * self._settings.smtp_timeout_seconds
        found = await rows_of.take(self._database, limit=AT_ONCE, lease_seconds=lease)
        tried = await asyncio.gather(*(self._try(message) for message in found), return_exceptions=True)
        for error in tried:
            if isinstance(error, BaseException) and not isinstance(error, LOST_CONNECTION):
                raise error
        return len(found)

    async def _try(self, message: MessageRow) -> None:
        context = {"message_id": str(message.id), "kind": message.kind, "attempt": message.attempt}
        try:
            if message.is_expired:
                raise Refused("it was of no use any more")
            if message.attempt > self._settings.mail_max_attempts:
                raise Refused(f"given up after {message.attempt - 1} attempts, at whose end the worker ended too")
            await self._hand_over(message)
        except asyncio.CancelledError:
            await rows_of.postpone(self._database, message, seconds=0, error=None, uncount=True)
            raise
        except Refused as error:
            log.warning("mail.refused", reason=error.reason, **context)
            await rows_of.finish(self._database, message, error=error.reason)
        except NotNow as error:
            await self._later(message, error.reason, context)
        else:
            log.info("mail.sent", **context)
            await rows_of.finish(self._database, message, error=None)

    async def _hand_over(self, message: MessageRow) -> None:
        try:
            letter = mail.opened(self._key, message)
            composed = compose(
                self._sender,
                key=message.id,
                to=letter.to,
                subject=letter.subject,
                paragraphs=letter.paragraphs,
                link=letter.link,
                written_at=message.created_at,
            )
        except CannotDecrypt:
            raise Refused("it was encrypted with another secret key") from None
        except ValueError as error:
            raise Refused(f"it cannot be written as a message: {error}") from None
        await self._delivery.deliver(composed)

    async def _later(self, message: MessageRow, reason: str, context: dict[str, object]) -> None:
        settings = self._settings
        if message.attempt >= settings.mail_max_attempts:
            log.error("mail.given_up", reason=reason, **context)
            await rows_of.finish(self._database, message, error=f"given up after {message.attempt} attempts: {reason}")
            return
        longest = min(settings.mail_retry_max_seconds, settings.mail_retry_seconds * 2.0 ** (message.attempt - 1))
        seconds = longest * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret
        log.warning("mail.not_sent", reason=reason, retry_in_seconds=round(seconds, 1), **context)
        await rows_of.postpone(self._database, message, seconds=seconds, error=reason)
