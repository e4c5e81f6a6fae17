"""Telling people by mail: a message is written in the transaction of the change that it tells of, and sent later."""

from services.mail.letters import Letter, MailKind
from services.mail.queueing import MAX_PER_DAY, SEAL, opened, queue

__all__ = ["MAX_PER_DAY", "SEAL", "Letter", "MailKind", "opened", "queue"]
