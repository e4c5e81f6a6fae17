"""Opening an account, signing in and out, and knowing who a token speaks for."""

from services.auth.accounts import (
    SETUP_HOURS,
    Accounts,
    create_setup_token,
    create_user,
    register,
    viewer_by_email,
)
from services.auth.elsewhere import Person, person_of, person_of_proxy, sign_in_elsewhere
from services.auth.passwords import check_password
from services.auth.sessions import Device, SignedIn, authenticate, logout, open_session, seconds_left
from services.auth.signing_in import login
from services.auth.step_up import RECENT_MINUTES, require_recent

__all__ = [
    "RECENT_MINUTES",
    "SETUP_HOURS",
    "Accounts",
    "Device",
    "Person",
    "SignedIn",
    "authenticate",
    "check_password",
    "create_setup_token",
    "create_user",
    "login",
    "logout",
    "open_session",
    "person_of",
    "person_of_proxy",
    "register",
    "require_recent",
    "seconds_left",
    "sign_in_elsewhere",
    "viewer_by_email",
]
