"""A mail server on loopback: aiosmtpd, with the moods that real ones have."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"
USERNAME, PASSWORD = "graphmark", "a password for mail"


@dataclass
class MailServer:
    """What arrived, and what is to be answered; `None` accepts.

    `silence` keeps the server from answering the data of a message until it is set.
    """

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str | None, list[str]]] = field(default_factory=list)
    recipient_answer: str | None = None
    data_answers: list[str] = field(default_factory=list)
    silence: asyncio.Event | None = None
    kept_waiting: int = 0
    sign_ins: int = 0
    was_encrypted: bool = False

    async def handle_RCPT(  # noqa: N802  the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or not."""
        if self.recipient_answer is not None:
            return self.recipient_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  the same
        """Take a message, or not."""
        if self.silence is not None:
            self.kept_waiting += 1
            await self.silence.wait()
        if self.data_answers:
            return self.data_answers.pop(0)
        content = cast("bytes", envelope.content)
        self.received.append(message_from_bytes(content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.was_encrypted = session.ssl is not None
        return "250 OK"

    def sign_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Look at a name and a password."""
        self.sign_ins += 1
        assert isinstance(data, LoginPassword)
        fits = (data.login, data.password) == (USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=fits, handled=False)


@dataclass(frozen=True)
class Certificates:
    """What a server shows, and what a client trusts."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def certificates(name: str = HOST) -> Certificates:
    """Make a certificate for `name` and an authority that signed it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(name).configure_cert(server)
    authority.configure_trust(client)
    return Certificates(server, client)


@asynccontextmanager
async def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, signs_in: bool = False
) -> AsyncIterator[MailServer]:
    """Run a server as long as the block lasts: with STARTTLS, encrypted from the start, or in the clear."""
    server, loop = MailServer(), asyncio.get_running_loop()
    options: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None, "loop": loop}
    if signs_in:
        options |= {"authenticator": server.sign_in, "auth_required": True, "auth_require_tls": starttls is not None}

    listening = await loop.create_server(lambda: SMTP(server, hostname="mail.test", **options), HOST, 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        if server.silence is not None:
            server.silence.set()
        listening.close()
