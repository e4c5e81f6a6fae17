"""What opens an account, as rows: sessions and one-time tokens. Only fingerprints of secrets are ever stored."""

from db.auth.identities import link_identity, note_identity_use, user_of_identity
from db.auth.sessions import (
    SESSION_CHANNEL,
    LiveSession,
    SessionRow,
    insert_session,
    live_session,
    purge_sessions,
    revoke_session,
    seconds_left,
    seconds_since_proof,
    touch_session,
)
from db.auth.tokens import insert_one_time_token, purge_tokens, redeem_one_time_token, void_one_time_tokens

__all__ = [
    "SESSION_CHANNEL",
    "LiveSession",
    "SessionRow",
    "insert_one_time_token",
    "insert_session",
    "link_identity",
    "live_session",
    "note_identity_use",
    "purge_sessions",
    "purge_tokens",
    "redeem_one_time_token",
    "revoke_session",
    "seconds_left",
    "seconds_since_proof",
    "touch_session",
    "user_of_identity",
    "void_one_time_tokens",
]
