"""Sessions: who a token speaks for, and for how long.

A session token is 256 random bits, stored only as its SHA-256 (OWASP ASVS 5.0 V7.2).
"""

from dataclasses import dataclass
from datetime import datetime

from db import auth as rows_of
from db.unit import Rows, Unit
from db.users import UserRow
from kit.crypto import fingerprint, new_token
from kit.ids import new_id
from kit.settings import RequireFactor, Settings
from services.permissions import Role, Viewer

_MAX_HEADER_CHARS = 300


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in comes from, as the transport saw it."""

    user_agent: str = ""
    network_address: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` is the only copy of the secret."""

    token: str
    expires_at: datetime
    user: UserRow


async def open_session(unit: Unit, settings: Settings, user: UserRow, device: Device) -> SignedIn:
    """Open a session of `user` on a device. The caller has made sure who it is."""
    token = new_token("gms")
    session = await rows_of.insert_session(
        unit,
        key=new_id(),
        user_id=user.id,
        token_hash=fingerprint(token),
        user_agent=device.user_agent[:_MAX_HEADER_CHARS],
        network_address=device.network_address[:_MAX_HEADER_CHARS],
        idle_minutes=settings.session_idle_minutes,
        absolute_hours=settings.session_absolute_hours,
    )
    return SignedIn(token=token, expires_at=session.expires_at, user=user)


async def logout(unit: Unit, viewer: Viewer) -> bool:
    """End the viewer's session; its sockets close in every process. False when there was none to end."""
    return viewer.session_id is not None and await rows_of.revoke_session(unit, viewer.session_id, viewer.id)


async def authenticate(rows: Rows, settings: Settings, token: str) -> Viewer | None:
    """Return whom `token` speaks for, or None. Notes the use of the session, at most once a minute."""
    live = await rows_of.live_session(rows, fingerprint(token))
    if live is None:
        return None
    if live.is_stale:
        await rows_of.touch_session(rows, live.session_id, idle_minutes=settings.session_idle_minutes)
    role = Role(live.role)
    restricted = must_enrol(settings, role, has_factor=live.has_factor)
    return Viewer(id=live.user_id, role=role, session_id=live.session_id, must_enrol=restricted)


def must_enrol(settings: Settings, role: Role, *, has_factor: bool) -> bool:
    """Tell whether an account of this role has to set up a second factor before it does anything else."""
    if has_factor or settings.require_2fa is RequireFactor.OFF:
        return False
    return settings.require_2fa is RequireFactor.ALL or role is Role.ADMIN


async def seconds_left(rows: Rows, viewer: Viewer) -> float:
    """Return for how long the session behind a live connection opens something if nobody ends it; 0 when ended."""
    return await rows_of.seconds_left(rows, viewer.session_id) if viewer.session_id is not None else 0.0
