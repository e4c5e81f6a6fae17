"""Renewing the token of a session, and what an old one gives away (OWASP ASVS 5.0 7.2.4, RFC 9700 §4.14.2).

A client that renews its token now and then makes one that was copied from it worthless, or visible: a token that was
renewed opens nothing any more, and whoever shows it after a short grace has it from somebody else, or the other way
round. Nobody can tell which of the two is the thief, so the session ends for both.

The grace is for requests that were under way, and for a client that renews twice at once: within it the old token still
opens the session, and renewing it gives the same successor. The successor is derived from the old token, so it need not
be kept in readable form. Who has only the database, or only the secret key, can derive nothing.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from db import auth as rows_of
from db import users
from db.auth import LiveSession
from db.unit import Database, Unit
from kit.crypto import SecretKey, fingerprint, open_secret_key
from kit.errors import Unauthenticated
from kit.settings import Settings
from services import audit, mail
from services.audit import Act, AuditAction
from services.mail import letters
from services.permissions import Viewer

GRACE_SECONDS: Final = 10.0
_USE = "session rotation"
_GONE = "The session has ended, or this token was renewed before: sign in again."


@dataclass(frozen=True, slots=True)
class Renewed:
    """A session with its new token, which is the only copy of the secret. `expires_at` is where it was."""

    token: str = field(repr=False)
    expires_at: datetime
    idle_minutes: int


async def renew(unit: Unit, secret_key: SecretKey, viewer: Viewer, token: str) -> Renewed:
    """Give the viewer's session its next token; `token` is the one that it was asked with.

    Raises `Unauthenticated` when the token is not one of this session, or was renewed more than a moment ago.
    """
    before = None if viewer.session_id is None else await rows_of.lock_session(unit, viewer.session_id)
    if before is None or viewer.session_id is None:
        raise Unauthenticated(_GONE)
    token_hash = fingerprint(token)
    if token_hash == before.token_hash:
        successor = successor_of(secret_key, token, before.generation)
        await rows_of.rotate(unit, viewer.session_id, before, fingerprint(successor))
        return Renewed(successor, before.expires_at, before.idle_minutes)
    generation = await rows_of.generation_of(unit, viewer.session_id, token_hash, grace_seconds=GRACE_SECONDS)
    if generation is None:
        raise Unauthenticated(_GONE)
    for number in range(generation, before.generation):
        token = successor_of(secret_key, token, number)
    if fingerprint(token) != before.token_hash:  # the secret key is another one since
        raise Unauthenticated(_GONE)
    return Renewed(token, before.expires_at, before.idle_minutes)


def successor_of(secret_key: SecretKey, token: str, generation: int) -> str:
    """Return the token that follows `token`, the one of a session's `generation`, from 0: 256 bits, always the same."""
    digest = secret_key.sign(_USE, f"{generation}:{token}".encode())
    return f"{token.partition('_')[0]}_{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def by_retired_token(database: Database, settings: Settings, token_hash: bytes) -> LiveSession | None:
    """Return the session whose token this was a moment ago, or None. If it was so longer ago, the session ends."""
    retired = await rows_of.retired_token(database, token_hash, grace_seconds=GRACE_SECONDS)
    if retired is None or retired.is_in_grace:
        return None if retired is None else retired.live
    async with database.unit() as unit:
        user = await users.by_id(unit, retired.live.user_id)
        if user is not None and await rows_of.revoke_session(unit, retired.live.session_id, user.id):
            await mail.queue(unit, open_secret_key(settings), letters.stolen_session(user))
            details = {"session": str(retired.live.session_id), "account": user.email}
            act = Act(AuditAction.SESSION_TOKEN_REUSED, None, "", user.id, succeeded=False, details=details)
            await audit.record(unit, act)
    return None
