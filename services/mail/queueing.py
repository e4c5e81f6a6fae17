"""Writing a message down, and reading it when it is sent. What it says is encrypted in between."""

from typing import Final
from uuid import UUID

import orjson
import structlog

from db import mail as rows_of
from db.unit import Unit
from kit.crypto import SecretKey
from kit.ids import new_id
from services.agents import BELL
from services.mail.letters import Letter, MailKind

log = structlog.get_logger(__name__)
SEAL: Final = "mail"
MAX_PER_DAY: Final = 100
"""Messages to one account. Beyond it somebody drowns the account in mail: what happens is in the audit log only."""

_DAY_HOURS = 24


async def queue(unit: Unit, key: SecretKey, letter: Letter) -> bool:
    """Write a message in the transaction of the change that it tells of; it is sent after the commit.

    It is sent at least once, always with the same Message-ID, however often a worker is killed. False when the account
    has had `MAX_PER_DAY` messages within a day: then nothing is written.
    """
    if letter.user_id is not None:
        recent = await rows_of.count_recent(unit, letter.user_id, hours=_DAY_HOURS)
        if recent >= MAX_PER_DAY:
            log.warning("mail.too_many", user_id=str(letter.user_id), kind=letter.kind.value)
            return False
    message_id = new_id()
    await rows_of.insert(
        unit,
        key=message_id,
        user_id=letter.user_id,
        kind=letter.kind.value,
        recipient=letter.to,
        sealed=_sealed(key, message_id, letter),
        minutes=letter.useful_minutes,
    )
    unit.ring(BELL)
    return True


def _sealed(key: SecretKey, message_id: UUID, letter: Letter) -> bytes:
    said = {"subject": letter.subject, "paragraphs": letter.paragraphs, "link": letter.link}
    return key.encrypt(SEAL, orjson.dumps(said), bound_to=message_id.bytes)


def opened(key: SecretKey, row: rows_of.MessageRow) -> Letter:
    """Return what a message says. Raises `CannotDecrypt` when it was written with another secret key."""
    said = orjson.loads(key.decrypt(SEAL, row.sealed, bound_to=row.id.bytes))
    return Letter(
        MailKind(row.kind), row.recipient, None, said["subject"], tuple(said["paragraphs"]), link=said["link"]
    )
