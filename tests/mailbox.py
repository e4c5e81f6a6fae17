"""Reads the mail of a server as its people do: what waits to be sent, opened."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from db import mail as rows
from db.unit import Database
from kit.crypto import open_secret_key
from kit.settings import Settings
from services import auth, mail
from services.mail import Letter, MailKind


@dataclass(frozen=True)
class Mailbox:
    """All mailboxes of a server. What is read is gone."""

    database: Database
    settings: Settings

    async def read(self) -> list[Letter]:
        """Let a worker answer the requests for new passwords; return what was written since, in order."""
        key = open_secret_key(self.settings)
        answered = True
        while answered:
            async with self.database.unit() as unit:
                answered = await auth.answer_request(unit, self.settings, key)
        found = await rows.take(self.database, limit=1_000, lease_seconds=3_600)
        for row in found:
            await rows.finish(self.database, row, error=None)
        return [mail.opened(key, row) for row in found]

    async def kinds(self) -> list[tuple[str, str]]:
        """Return what was written, and to whom."""
        return [(letter.kind.value, letter.to) for letter in await self.read()]

    async def token(self, kind: MailKind) -> str:
        """Return the token of the last link of a kind."""
        links = [letter.link for letter in await self.read() if letter.kind is kind]
        assert links
        assert links[-1] is not None
        return parse_qs(urlsplit(links[-1]).query)["token"][0]
