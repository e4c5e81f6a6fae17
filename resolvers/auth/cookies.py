"""Handing a session to a browser: in the answer's body, or in a cookie that no script can read."""

from datetime import datetime
from typing import Protocol

from kit.errors import BadInput
from resolvers.context import Context, SetCookie


class Opened(Protocol):
    """A session with its token."""

    @property
    def token(self) -> str:
        """The only copy of the secret."""
        ...

    @property
    def expires_at(self) -> datetime:
        """When it ends in any case."""
        ...


class HandedOver:
    """A session as a payload shows it: without its token where a cookie has it."""

    __slots__ = ("expires_at", "token")

    def __init__(self, opened: Opened, *, is_by_cookie: bool) -> None:
        self.expires_at = opened.expires_at
        self.token = None if is_by_cookie else opened.token


def check_cookie(context: Context, *, wanted: bool) -> None:
    """Raise `BadInput` when a cookie is wanted where none can be set; call it before anything is done."""
    if wanted and context.exchange is None:
        raise BadInput(
            "A cookie can only be set by an ordinary HTTP response: send this by POST, not over a WebSocket or stream.",
            field=("input", "cookie"),
        )


def hand_over(context: Context, opened: Opened, *, wanted: bool, is_remembered: bool) -> HandedOver:
    """Return what of a fresh session the payload shows, and leave its cookie to the transport if it is to have one.

    The cookie of a session that is not remembered ends with the browser.
    """
    exchange = context.exchange
    if exchange is None or not wanted:
        return HandedOver(opened, is_by_cookie=False)
    exchange.cookie = SetCookie(opened.token, opened.expires_at if is_remembered else None)
    return HandedOver(opened, is_by_cookie=True)


def hand_back(context: Context, opened: Opened) -> HandedOver:
    """Return what of a session that takes the place of another the payload shows; in a cookie, if that came in one."""
    is_by_cookie = context.exchange is not None and context.exchange.is_by_cookie
    return hand_over(context, opened, wanted=is_by_cookie, is_remembered=False)


def take_back(context: Context) -> None:
    """Have the browser forget its cookie, if it came by one."""
    exchange = context.exchange
    if exchange is not None and exchange.is_by_cookie:
        exchange.cookie = SetCookie()
