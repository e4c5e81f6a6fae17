"""Opening an account, signing in and out, and knowing who a token speaks for."""

from services.auth.accounts import SETUP_HOURS, Accounts, create_setup_token, create_user, register, viewer_by_email
from services.auth.acting import note
from services.auth.changing import change_password
from services.auth.confirming import confirm_identity
from services.auth.deleting import delete_account, remove_closed
from services.auth.devices import device_name
from services.auth.elsewhere import Person, person_of, person_of_proxy, sign_in_elsewhere
from services.auth.ending import end_sessions, logout, revoke, revoke_others, shut_out
from services.auth.enrolling import Enrolled, confirm, disable, enable, regenerate
from services.auth.factors import Enrolment, Factor
from services.auth.factors import opens_with as factors_open
from services.auth.factors import reset as reset_factor
from services.auth.factors import states as factor_states
from services.auth.links import RESET_MINUTES, VERIFICATION_HOURS, send_reset, send_verification
from services.auth.passwords import check_password
from services.auth.resetting import answer_request, request_reset, reset_password
from services.auth.rotation import Renewed, renew
from services.auth.second_step import Challenge, let_in, verify
from services.auth.seeing import count_sessions, get_session, page_of_sessions
from services.auth.sessions import Device, SignedIn, authenticate, must_enrol, open_session, seconds_left, touch
from services.auth.signing_in import login
from services.auth.step_up import RECENT_MINUTES, require_recent
from services.auth.verifying import request_verification, unverified, verify_email

__all__ = [
    "RECENT_MINUTES",
    "RESET_MINUTES",
    "SETUP_HOURS",
    "VERIFICATION_HOURS",
    "Accounts",
    "Challenge",
    "Device",
    "Enrolled",
    "Enrolment",
    "Factor",
    "Person",
    "Renewed",
    "SignedIn",
    "answer_request",
    "authenticate",
    "change_password",
    "check_password",
    "confirm",
    "confirm_identity",
    "count_sessions",
    "create_setup_token",
    "create_user",
    "delete_account",
    "device_name",
    "disable",
    "enable",
    "end_sessions",
    "factor_states",
    "factors_open",
    "get_session",
    "let_in",
    "login",
    "logout",
    "must_enrol",
    "note",
    "open_session",
    "page_of_sessions",
    "person_of",
    "person_of_proxy",
    "regenerate",
    "register",
    "remove_closed",
    "renew",
    "request_reset",
    "request_verification",
    "require_recent",
    "reset_factor",
    "reset_password",
    "revoke",
    "revoke_others",
    "seconds_left",
    "send_reset",
    "send_verification",
    "shut_out",
    "sign_in_elsewhere",
    "touch",
    "unverified",
    "verify",
    "verify_email",
    "viewer_by_email",
]
