"""Telling an account by mail of what somebody else may have done: signing in from somewhere new, guessing."""

from typing import Final

from db import auth as rows_of
from db import mail as messages
from db.auth import MailRequest
from db.unit import Rows, Unit
from db.users import UserRow
from kit.crypto import SecretKey, fingerprint
from kit.ids import new_id
from kit.rates.budgets import network_of
from kit.settings import Settings
from services import mail
from services.agents import BELL
from services.auth.sessions import Device
from services.mail import MailKind, letters
from services.mail.programs import program

KNOWN_DEVICE_DAYS: Final = 90
_QUIET_HOURS = 24
_MAX_HEADER_CHARS = 300


async def notice_device(unit: Unit, key: SecretKey, user: UserRow, device: Device) -> None:
    """Remember from where an account is signed in to, and tell it of a sign-in from somewhere new.

    A device is the kind of program and system, and the network. The first one of an account is told to nobody.
    """
    digest = fingerprint(f"{program(device.user_agent)} {network_of(device.network_address)}")
    if await rows_of.know_device(unit, user.id, digest):
        letter = letters.new_sign_in(user, network_address=device.network_address, user_agent=device.user_agent)
        await mail.queue(unit, key, letter)


async def ask_for_mail(unit: Unit, kind: str, email_key: str, device: Device) -> None:
    """Have an account be written to, if there is one with this address: a worker looks. The work is always the same."""
    request = MailRequest(
        new_id(),
        kind,
        email_key,
        device.network_address[:_MAX_HEADER_CHARS],
        device.user_agent[:_MAX_HEADER_CHARS],
    )
    await rows_of.insert_mail_request(unit, request)
    unit.ring(BELL)


async def tell_of_lockout(unit: Unit, settings: Settings, key: SecretKey, user: UserRow) -> None:
    """Tell an account, once a day, that guesses at its password wait."""
    if not await _was_told(unit, user):
        minutes = max(1, int(settings.sign_in_max_pause_seconds // 60))
        await mail.queue(unit, key, letters.locked_out(user, minutes=minutes))


async def _was_told(rows: Rows, user: UserRow) -> bool:
    return await messages.was_written(rows, user.id, kind=MailKind.LOCKED_OUT.value, hours=_QUIET_HOURS)
