"""What messages say. No text that somebody else can choose is in them: a name or a program's name could be a lure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote
from uuid import UUID

from db.users import UserRow
from services.mail.programs import program

_USEFUL_MINUTES: Final = 48 * 60
_ASK = "If this was not you, change your password at once and look through the sessions of your account."


class MailKind(StrEnum):
    """What a message is about."""

    EMAIL_VERIFICATION = "EMAIL_VERIFICATION"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105  what a message is about
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105  the same
    NEW_SIGN_IN = "NEW_SIGN_IN"
    LOCKED_OUT = "LOCKED_OUT"
    SECOND_FACTOR = "SECOND_FACTOR"
    INVITATION = "INVITATION"
    ACCOUNT = "ACCOUNT"
    SESSION_ENDED = "SESSION_ENDED"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message before it is written. A link stands behind the first paragraph.

    `user_id` is None for somebody without an account, or for one who is about to lose it. After `useful_minutes` it is
    not sent any more.
    """

    kind: MailKind
    to: str
    user_id: UUID | None
    subject: str
    paragraphs: tuple[str, ...]
    link: str | None = field(default=None, repr=False)
    useful_minutes: int = _USEFUL_MINUTES


def notice(kind: MailKind, user: UserRow, subject: str, *paragraphs: str) -> Letter:
    """Return a message that tells an account of something and asks for nothing."""
    return Letter(kind, user.email, user.id, subject, paragraphs)


def security_notice(
    kind: MailKind, user: UserRow, subject: str, what: str, *, network_address: str = "", user_agent: str = ""
) -> Letter:
    """Return a message that tells an account what was done to it, when and from where, and what to do if unwanted.

    Of a User-Agent header only what is known is told.
    """
    told = [program(user_agent), f"network address {network_address}" if network_address else ""]
    place = ", ".join(part for part in told if part)
    return notice(kind, user, subject, what, f"When: {_now()}.{f' From: {place}.' if place else ''}", _ASK)


def email_verification(origin: str, user: UserRow, token: str, *, hours: int) -> Letter:
    """Return the message whose link proves that an address reaches whoever opened the account."""
    return Letter(
        MailKind.EMAIL_VERIFICATION,
        user.email,
        user.id,
        "Confirm your address for Graphmark",
        (
            f"An account with this address was opened on {origin}. Confirm that the address is yours with this link:",
            f"The link works for {hours} hours.",
            "If you know nothing of this, ignore this message; the account gets no further mail than notices.",
        ),
        link=_link(origin, "/verify-email", token),
        useful_minutes=hours * 60,
    )


def password_reset(origin: str, user: UserRow, token: str, *, minutes: int) -> Letter:
    """Return the message whose link sets a new password."""
    return Letter(
        MailKind.PASSWORD_RESET,
        user.email,
        user.id,
        "Choose a new password for Graphmark",
        (
            f"Somebody asked for a new password for your account on {origin}. Choose one with this link:",
            f"The link works once and for {minutes} minutes. It does not replace a second factor.",
            "If it was not you, ignore this message; nothing has changed.",
        ),
        link=_link(origin, "/reset-password", token),
        useful_minutes=minutes,
    )


def invitation(origin: str, to: str, token: str, *, hours: int) -> Letter:
    """Return the message whose link opens an account."""
    return Letter(
        MailKind.INVITATION,
        to,
        None,
        "You are invited to Graphmark",
        (
            f"The administrator of {origin}, a server that keeps bookmarks, invites you to open an account there:",
            f"The link works once and for {hours} hours. If you know nothing of this, ignore this message.",
        ),
        link=f"{origin}/setup?token={quote(token)}",
        useful_minutes=hours * 60,
    )


def password_changed(user: UserRow, *, network_address: str, user_agent: str) -> Letter:
    """Return the message that follows a new password."""
    return security_notice(
        MailKind.PASSWORD_CHANGED,
        user,
        "Your Graphmark password was changed",
        "The password of your account was changed, and the other sessions were ended.",
        network_address=network_address,
        user_agent=user_agent,
    )


def new_sign_in(user: UserRow, *, network_address: str, user_agent: str) -> Letter:
    """Return the message that follows a sign-in from somewhere new."""
    return security_notice(
        MailKind.NEW_SIGN_IN,
        user,
        "A new sign-in to your Graphmark account",
        "Somebody signed in to your account from a device or network that it has not been used from before.",
        network_address=network_address,
        user_agent=user_agent,
    )


def stolen_session(user: UserRow) -> Letter:
    """Return the message that tells that a session was ended because its token seems to have been copied."""
    return security_notice(
        MailKind.SESSION_ENDED,
        user,
        "A session of your Graphmark account was ended",
        "A session token was used that had been replaced before, as happens when somebody has copied it. So the session"
        " was ended on both sides.",
    )


def locked_out(user: UserRow, *, minutes: int) -> Letter:
    """Return the message that tells that guessing at a password was stopped."""
    return notice(
        MailKind.LOCKED_OUT,
        user,
        "Sign-ins to your Graphmark account are held up",
        f"Somebody gave wrong passwords for your account many times. New tries wait for up to {minutes} minutes.",
        f"When: {_now()}. A device that you have signed in from before is not held up.",
        "If it was you, choose a new password on the page for signing in. If not, nobody has got in; a password that"
        " you use nowhere else and a second factor keep it so.",
    )


def account_deleted(user: UserRow) -> Letter:
    """Return the last message to an account. It names no account, which is gone when it is sent."""
    return Letter(
        MailKind.ACCOUNT,
        user.email,
        None,
        "Your Graphmark account was deleted",
        (
            "Your account and everything in it were deleted, as you asked for.",
            f"When: {_now()}. If it was not you, write to the administrator of the server.",
        ),
    )


def _link(origin: str, path: str, token: str) -> str:
    return f"{origin}{path}?token={quote(token)}"


def _now() -> str:
    return f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC"
