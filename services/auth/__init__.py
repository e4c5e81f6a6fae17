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
from services.auth.enrolling import Enrolled, confirm, disable, enable, regenerate
from services.auth.factors import Enrolment, Factor
from services.auth.factors import opens_with as factors_open
from services.auth.factors import reset as reset_factor
from services.auth.factors import states as factor_states
from services.auth.passwords import check_password
from services.auth.second_step import Challenge, let_in, verify
from services.auth.sessions import Device, SignedIn, authenticate, logout, must_enrol, open_session, seconds_left
from services.auth.signing_in import login
from services.auth.step_up import RECENT_MINUTES, require_recent

__all__ = [
    "RECENT_MINUTES",
    "SETUP_HOURS",
    "Accounts",
    "Challenge",
    "Device",
    "Enrolled",
    "Enrolment",
    "Factor",
    "Person",
    "SignedIn",
    "authenticate",
    "check_password",
    "confirm",
    "create_setup_token",
    "create_user",
    "disable",
    "enable",
    "factor_states",
    "factors_open",
    "let_in",
    "login",
    "logout",
    "must_enrol",
    "open_session",
    "person_of",
    "person_of_proxy",
    "regenerate",
    "register",
    "require_recent",
    "reset_factor",
    "seconds_left",
    "sign_in_elsewhere",
    "verify",
    "viewer_by_email",
]
