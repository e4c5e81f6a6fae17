"""The door to a mail server (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC 8314)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib

from kit.settings import Settings, SmtpSecurity
from kit.smtp.failures import NotNow, Refused

_PORTS: Final = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}
STEPS: Final = 3
"""How many times as long as one answer a whole delivery may take."""

_PERMANENT = 500  # RFC 5321 §4.2.1: 5yz is a permanent negative completion


class Smtp:
    """Hands each message to the server of the settings, on a connection of its own.

    `tls` replaces the certificates that this machine trusts.
    """

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls
        self.port = settings.smtp_port or _PORTS[settings.smtp_security]

    async def deliver(self, message: EmailMessage) -> None:
        """Hand the message over. Raises `Refused` when it will never be taken, `NotNow` when it may be later."""
        sender, recipient = message["From"].addresses[0].addr_spec, message["To"].addresses[0].addr_spec
        async with self._connected() as server:
            try:
                await server.send_message(message, sender=sender, recipients=[recipient])
            except aiosmtplib.SMTPRecipientsRefused as error:
                refusal = error.recipients[0]
                raise _verdict(refusal.code, f"the recipient was refused: {refusal.code} {refusal.message}") from None
            except aiosmtplib.SMTPDataError as error:
                raise _verdict(error.code, f"the message was refused: {error.code} {error.message}") from None
            except aiosmtplib.SMTPNotSupported as error:
                raise Refused(error.message) from None

    async def check(self) -> str:
        """Say hello, encrypt and sign in as for a message, and leave. Raises `NotNow`."""
        async with self._connected() as server:
            await server.ehlo()
        how = "in the clear" if self._settings.smtp_security is SmtpSecurity.NONE else "encrypted"
        who = "signed in" if self._settings.smtp_username else "without signing in"
        return f"{self._settings.smtp_host}:{self.port} answers, {how}, {who}"

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Give a connection that is ready for a message. Whatever the block does not translate itself is `NotNow`."""
        settings = self._settings
        name = urlsplit(settings.origin).hostname or ""
        server = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=self.port,
            username=settings.smtp_username,
            password=settings.smtp_password,
            local_hostname=name if name.isascii() and name else "localhost",
            timeout=settings.smtp_timeout_seconds,
            use_tls=settings.smtp_security is SmtpSecurity.TLS,
            start_tls=settings.smtp_security is SmtpSecurity.STARTTLS,
            tls_context=self._tls or ssl.create_default_context(),
        )
        try:
            async with asyncio.timeout(STEPS * settings.smtp_timeout_seconds):
                await server.connect()
                yield server
                with suppress(aiosmtplib.SMTPException):
                    await server.quit()  # the message is theirs whether or not they say goodbye
        except aiosmtplib.SMTPResponseException as error:
            raise NotNow(f"the server said {error.code} {error.message}") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise NotNow(str(error).partition("\n")[0] or "no answer in time") from None
        finally:
            server.close()


def _verdict(code: int, reason: str) -> NotNow:
    return Refused(reason) if code >= _PERMANENT else NotNow(reason)
