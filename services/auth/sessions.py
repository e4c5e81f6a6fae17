"""Sessions: who a token speaks for, and for how long (OWASP ASVS 5.0 V7, NIST SP 800-63B-4 §5).

A session token is 256 random bits, stored only as its SHA-256. Everything that opens an account with a session comes
through `open_session`; everything that ends one is in services.auth.ending.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db import auth as rows_of
from db.unit import Database, Rows, Unit
from db.users import UserRow
from kit.crypto import fingerprint, new_token
from kit.ids import new_id
from kit.settings import RequireFactor, Settings
from services.auth.rotation import by_retired_token
from services.permissions import ApiScope, Role, Viewer

MAX_SESSIONS: Final = 100
"""So many sessions an account has at once; one more ends the one that was not used for longest."""
SESSION_PREFIX, KEY_PREFIX = "gms", "gmk"
_MAX_HEADER_CHARS = 300


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in comes from, as the transport saw it, and whether it is to stay signed in for long."""

    user_agent: str = ""
    network_address: str = ""
    is_remembered: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` is the only copy of the secret."""

    token: str
    expires_at: datetime
    user: UserRow


async def open_session(unit: Unit, settings: Settings, user: UserRow, device: Device) -> SignedIn:
    """Open a session of `user` on a device. The caller has made sure who it is."""
    token = new_token(SESSION_PREFIX)
    idle, absolute = settings.session_idle_minutes, settings.session_absolute_hours
    if device.is_remembered:
        idle, absolute = settings.remembered_session_idle_minutes, settings.remembered_session_absolute_hours
    session = await rows_of.insert_session(
        unit,
        key=new_id(),
        user_id=user.id,
        token_hash=fingerprint(token),
        user_agent=device.user_agent[:_MAX_HEADER_CHARS],
        network_address=device.network_address[:_MAX_HEADER_CHARS],
        idle_minutes=idle,
        absolute_hours=absolute,
    )
    await rows_of.revoke_surplus(unit, user.id, keep=MAX_SESSIONS)
    return SignedIn(token=token, expires_at=session.expires_at, user=user)


async def authenticate(database: Database, settings: Settings, token: str) -> Viewer | None:
    """Return whom a session token or an API key speaks for, or None. Notes its use, at most once a minute.

    A token that a session had before its last renewal ends the session (services.auth.rotation).
    """
    if token.startswith(f"{KEY_PREFIX}_"):
        return await _by_key(database, settings, token)
    token_hash = fingerprint(token)
    live = await rows_of.live_session(database, token_hash) or await by_retired_token(database, settings, token_hash)
    if live is None:
        return None
    if live.is_stale:
        await rows_of.touch_session(database, live.session_id)
    role = Role(live.role)
    return Viewer(
        id=live.user_id,
        role=role,
        session_id=live.session_id,
        must_enrol=must_enrol(settings, role, has_factor=live.has_factor),
    )


def must_enrol(settings: Settings, role: Role, *, has_factor: bool) -> bool:
    """Tell whether an account of this role has to set up a second factor before it does anything else."""
    if has_factor or settings.require_2fa is RequireFactor.OFF:
        return False
    return settings.require_2fa is RequireFactor.ALL or role is Role.ADMIN


async def _by_key(database: Database, settings: Settings, token: str) -> Viewer | None:
    """Return whom an API key speaks for. Whoever made it, it never acts as an administrator."""
    live = await rows_of.live_key(database, fingerprint(token))
    if live is None:
        return None
    if live.is_stale:
        await rows_of.touch_key(database, live.key_id)
    return Viewer(
        id=live.owner_id,
        role=Role.USER,
        key_id=live.key_id,
        scopes=frozenset(ApiScope(scope) for scope in live.scopes if scope in ApiScope.__members__),
        must_enrol=must_enrol(settings, Role(live.role), has_factor=live.has_factor),
    )


async def touch(rows: Rows, viewer: Viewer) -> None:
    """Note that a session or key is being used over a connection that was opened before."""
    if viewer.session_id is not None:
        await rows_of.touch_session(rows, viewer.session_id)
    elif viewer.key_id is not None:
        await rows_of.touch_key(rows, viewer.key_id)


async def seconds_left(rows: Rows, viewer: Viewer) -> float:
    """Return for how long what opened a live connection opens something if nobody ends it; 0 when it has ended."""
    if viewer.session_id is not None:
        return await rows_of.seconds_left(rows, viewer.session_id)
    return await rows_of.seconds_of_key(rows, viewer.key_id) if viewer.key_id is not None else 0.0
