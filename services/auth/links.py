"""Links that are mailed to an account: 256 random bits, of which the fingerprint is stored."""

from typing import Final

from db import auth as rows_of
from db.auth import RESET, VERIFICATION
from db.unit import Unit
from db.users import UserRow
from kit.crypto import SecretKey, fingerprint, new_token
from kit.ids import new_id
from kit.settings import Settings
from services import mail
from services.mail import letters

RESET_MINUTES: Final = 30
VERIFICATION_HOURS: Final = 24
_MAX_TOKEN_CHARS = 512


async def send_reset(unit: Unit, settings: Settings, key: SecretKey, user: UserRow) -> None:
    """Write the mail whose link sets a new password; earlier links are void. Also on an administrator's word."""
    token = new_token("gmr")
    await rows_of.insert_mailed_token(
        unit, key=new_id(), purpose=RESET, token_hash=fingerprint(token), user_id=user.id, minutes=RESET_MINUTES
    )
    await mail.queue(unit, key, letters.password_reset(settings.origin, user, token, minutes=RESET_MINUTES))


async def send_verification(unit: Unit, settings: Settings, key: SecretKey, user: UserRow) -> None:
    """Write the mail whose link confirms the address of an account; earlier links are void."""
    token = new_token("gmv")
    await rows_of.insert_mailed_token(
        unit,
        key=new_id(),
        purpose=VERIFICATION,
        token_hash=fingerprint(token),
        user_id=user.id,
        minutes=VERIFICATION_HOURS * 60,
    )
    await mail.queue(unit, key, letters.email_verification(settings.origin, user, token, hours=VERIFICATION_HOURS))


def link_key(token: str) -> bytes:
    """Return under which fingerprint a token that somebody sent is looked for."""
    return fingerprint(token[:_MAX_TOKEN_CHARS])
