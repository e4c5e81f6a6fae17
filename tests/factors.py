"""Accounts with a second factor for tests, and an authenticator app that shows the code of any moment."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pyotp
import pytest

from db.users import UserRow
from kit.crypto import STEP_SECONDS
from services import auth
from services.auth import Accounts, Challenge, Device, SignedIn
from services.permissions import Role, Viewer

PASSWORD: Final = "correct horse battery"
PHONE: Final = Device("a phone", "203.0.113.7")
NOON: Final = datetime(2026, 11, 28, 12, 0, 10, tzinfo=UTC)


class Clock:
    """The clock of the server, which stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Return the moment."""
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass, or go back."""
        self.now = datetime.fromtimestamp(self.now.timestamp() + seconds, UTC)

    def next_step(self) -> None:
        """Let as much time pass as it takes until the app shows another code."""
        self.move(STEP_SECONDS)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that codes are compared by."""
    clock = Clock()
    monkeypatch.setattr("services.auth.factors.utcnow", clock)
    return clock


@dataclass
class App:
    """An authenticator app that was given a secret."""

    secret: str
    clock: Clock

    def code(self, *, steps: int = 0) -> str:
        """Return the code of this moment, or of some steps of 30 seconds later."""
        return pyotp.TOTP(self.secret).at(int(self.clock.now.timestamp()) + steps * STEP_SECONDS)


@dataclass
class Person:
    """Somebody with an account and a second factor. `session` is the one that set it up."""

    user: UserRow
    viewer: Viewer
    session: SignedIn
    app: App
    recovery_codes: list[str]


async def signed_in(accounts: Accounts, email: str = "ada@example.org", role: Role = Role.USER) -> SignedIn:
    """Open an account and sign it in."""
    await auth.create_user(accounts, email=email, password=PASSWORD, name="Ada", role=role)
    opened = await auth.login(accounts, email=email, password=PASSWORD, device=PHONE)
    assert isinstance(opened, SignedIn)
    return opened


async def viewer_by(accounts: Accounts, token: str) -> Viewer:
    """Return whom a token speaks for."""
    viewer = await auth.authenticate(accounts.database, accounts.settings, token)
    assert viewer is not None
    return viewer


async def enrolled(accounts: Accounts, clock: Clock, email: str = "ada@example.org", role: Role = Role.USER) -> Person:
    """Open an account with a second factor. Its app shows a code that was not used yet."""
    session = await signed_in(accounts, email, role)
    viewer = await viewer_by(accounts, session.token)
    enrolment = await auth.enable(accounts, viewer, password=PASSWORD, device=PHONE)
    app = App(enrolment.secret, clock)
    done = await auth.confirm(accounts, viewer, code=app.code(), device=PHONE)
    clock.next_step()
    return Person(session.user, viewer, session, app, done.recovery_codes)


async def challenged(accounts: Accounts, person: Person) -> str:
    """Sign in with the password alone; return the token of the challenge."""
    opened = await auth.login(accounts, email=person.user.email, password=PASSWORD, device=PHONE)
    assert isinstance(opened, Challenge)
    return opened.token
