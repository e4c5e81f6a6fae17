"""Sessions, API keys, one-time tokens, the second factor. Of a secret only its SHA-256 is here, or it is sealed.

`recovery_codes` has a key of two columns, which Piccolo cannot describe; `session_tokens`, what the token of a session
was before, has a fingerprint for its key. Both are used in SQL only.
"""

from piccolo.columns import UUID, Array, BigInt, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table


class Session(Table, tablename="sessions"):
    """A signed-in device, until `idle_expires_at` without use, `expires_at` in any case, or `revoked_at`."""

    id = UUID(primary_key=True)
    user_id = UUID()
    token_hash = Bytea()
    user_agent = Text()
    network_address = Text()
    created_at = Timestamptz()
    last_seen_at = Timestamptz()
    idle_expires_at = Timestamptz()
    expires_at = Timestamptz()
    revoked_at = Timestamptz(null=True)
    idle_minutes = Integer()
    authenticated_at = Timestamptz()
    generation = Integer()


class ApiKey(Table, tablename="api_keys"):
    """What a program shows instead of a password, until `expires_at`; `prefix` is how it begins."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    name = Text()
    prefix = Text()
    token_hash = Bytea()
    scopes = Array(base_column=Text())
    created_at = Timestamptz()
    expires_at = Timestamptz()
    last_used_at = Timestamptz(null=True)


class OneTimeToken(Table, tablename="one_time_tokens"):
    """What can be redeemed once before `expires_at`: a set-up link, an invitation, a password reset."""

    id = UUID(primary_key=True)
    purpose = Text()
    token_hash = Bytea()
    user_id = UUID(null=True)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True)
    email = Text(null=True)
    invited_by = UUID(null=True)
    bound_to = Bytea(null=True)


class MailRequest(Table, tablename="mail_requests"):
    """An account is to be written to that has this address, if there is one."""

    id = UUID(primary_key=True)
    kind = Text()
    email_key = Text()
    network_address = Text()
    user_agent = Text()
    created_at = Timestamptz()


class Identity(Table, tablename="identities"):
    """Who an account is at an identity provider: (`issuer`, `subject`) is one person for ever."""

    id = UUID(primary_key=True)
    user_id = UUID()
    issuer = Text()
    subject = Text()
    created_at = Timestamptz()
    last_used_at = Timestamptz()


class TotpFactor(Table, tablename="totp_factors"):
    """The authenticator app of an account: its sealed secret, pending until `confirmed_at`.

    Steps of time up to `last_step` are used up.
    """

    user_id = UUID(primary_key=True)
    secret = Bytea()
    last_step = BigInt()
    created_at = Timestamptz()
    confirmed_at = Timestamptz(null=True)


class LoginChallenge(Table, tablename="login_challenges"):
    """A sign-in whose password was right and whose code is awaited, at most `tries` times and until `expires_at`."""

    id = UUID(primary_key=True)
    user_id = UUID()
    token_hash = Bytea()
    password_digest = Bytea()
    tries = Integer()
    created_at = Timestamptz()
    expires_at = Timestamptz()


class TrustedDevice(Table, tablename="trusted_devices"):
    """A device that is asked for no code until `expires_at`, as long as the password stays the same."""

    id = UUID(primary_key=True)
    user_id = UUID()
    token_hash = Bytea()
    password_digest = Bytea()
    created_at = Timestamptz()
    expires_at = Timestamptz()
